/**
 * Every coded error of Plugboard, once. The prefix is the stage that failed. Codes are never renamed or reused: a retired
 * one stays with `retired: "<version>"`. The reference page, the union type and the anchors are generated from this file.
 * `{name}` in a message or hint is a parameter; secrets never enter parameters.
 */
export interface ErrorEntry {
  readonly message: string;
  /** What the reader can do about it; may name parameters. */
  readonly hint?: string;
  /** What to do about it in general, for the reference page; where the hint is made for each case. */
  readonly help?: string;
  /** Whether trying the same again can help: `backoff` by itself, `after_fix` once something was changed, `never`. */
  readonly retry: "never" | "backoff" | "after_fix";
  /** Status the HTTP API answers with. */
  readonly http: number;
  readonly retired?: string;
}

export const catalog = {
  // MANIFEST_: found while reading and validating YAML, before anything runs.
  MANIFEST_YAML: { message: "This is not valid YAML: {detail}", hint: "{cure}", help: "Most often an expression or template stands without quotes. Text that holds `: `, ` #`, `{`, `[`, or starts with `@ ` ` % & * !` needs quotes, or a block (`|`).", retry: "after_fix", http: 422 },
  MANIFEST_JSON: { message: "This is not valid JSON: {detail}", hint: "{cure}", help: "The schemas of entities are JSON: members are separated by commas, keys and texts stand in double quotes, and brackets close.", retry: "after_fix", http: 422 },
  MANIFEST_UNKNOWN_FIELD: { message: "Unknown field '{field}' in {where}.", hint: "{suggestion}", help: "Remove the key or correct its spelling; the reference of the manifest lists every key and where it belongs. A field of a tenant's own is `custom.<name>`.", retry: "after_fix", http: 422 },
  MANIFEST_MISSING_FIELD: { message: "Missing field '{field}' in {where}.", hint: "Add '{field}': {expected}.", help: "Add the key where the error points. A workspace's file over a built-in one may leave out what that one says.", retry: "after_fix", http: 422 },
  MANIFEST_WRONG_VALUE: { message: "'{field}' must be {expected}, not {actual}.", hint: "{suggestion}", help: "Write one of the values the error lists.", retry: "after_fix", http: 422 },
  MANIFEST_WRONG_TYPE: { message: "'{field}' must be {expected}, not {actual}.", hint: "{suggestion}", help: "Write the value in the form the error names. Maps hold `key: value`, lists hold `- value`; `yes` and `no` are text in YAML 1.2.", retry: "after_fix", http: 422 },
  MANIFEST_ONE_OF: { message: "{where} must have exactly one of: {choices}; it has {actual}.", hint: "{suggestion}", help: "Keep one of the keys: they say the same thing in different ways.", retry: "after_fix", http: 422 },
  MANIFEST_NOT_RUNNING_YET: { message: "'{feature}' is part of the language, but this version does not run it yet.", hint: "{suggestion}", help: "The manifest is right, and a later version runs it. Until then use what the hint says; a flow can be kept with `enabled: false`.", retry: "after_fix", http: 422 },
  MANIFEST_UNKNOWN_REFERENCE: { message: "{kind} '{name}' does not exist.", hint: "{suggestion}", help: "Correct the name, or add what it names. Flows name connections, mappings name connectors.", retry: "after_fix", http: 422 },
  MANIFEST_WRONG_PLACE: { message: "{file} must be {expected}.", hint: "{suggestion}", help: "Each manifest stands at a path that follows from its id: move the file, or change the id.", retry: "after_fix", http: 422 },
  MANIFEST_EXPRESSION: { message: "This JSONata expression does not parse: {detail}", hint: "{suggestion}", help: "The position is that of the character where the parser stopped; often a bracket or quote before it is missing. JSONata compares with `=`, joins text with `&`, and says `and`, `or`, `$not(…)`.", retry: "after_fix", http: 422 },
  MANIFEST_TEMPLATE: { message: "This template does not parse: {detail}", hint: "{suggestion}", help: "A template holds `{{variable}}`, `{{function variable}}` and blocks (`{{#if …}}…{{/if}}`). For more, start the value with `=` and write JSONata.", retry: "after_fix", http: 422 },
  MANIFEST_UNKNOWN_VARIABLE: { message: "'{name}' is not available in '{field}'.", hint: "{suggestion}", help: "The reference of the key lists what it may name. Record keys see the record, answer keys see `status headers body`, requests see all variables.", retry: "after_fix", http: 422 },
  MANIFEST_TRAP: { message: "{detail}", hint: "{cure}", help: "YAML or JSONata reads this as something else than it looks like. The error shows what it reads, and how to write it.", retry: "after_fix", http: 422 },
  MANIFEST_SECRET: { message: "'{field}' looks like a secret written into a file.", hint: "Secrets are entered when connecting, or referenced (env:NAME); they never stand in Git.", retry: "after_fix", http: 422 },
  MANIFEST_RESERVED_NAME: { message: "'{name}' is taken: every record has {owner} under that name.", hint: "{suggestion}", help: "The API and the SQL views show it beside an entity's fields, where it would hide a field of the same name. Rename the field, and the fields of mappings that make it.", retry: "after_fix", http: 422 },
  MANIFEST_HOSTS: { message: "base_url has a template in its host, so http.hosts must list where the credential may go.", hint: "Add for example: hosts: [\"*.example.com\"]", retry: "after_fix", http: 422 },
  MANIFEST_TEST_FAILED: { message: "Test '{name}' failed: {detail}", help: "Correct the mapping or the test: `expect` lists exactly the fields that come out.", retry: "after_fix", http: 422 },
  MANIFEST_NO_WORKSPACE: { message: "{folder} is not a workspace: it has no workspace.yaml, and no folder of configuration.", hint: "Name the workspace's folder, or begin one: plugboard init <folder>", help: "A workspace is a folder with a workspace.yaml, and connectors, mappings, presets, tenants or schemas/entities beside it.", retry: "after_fix", http: 422 },
  MANIFEST_UNREADABLE: { message: "{file} cannot be read: {detail}", help: "The folder must exist, hold at most 20,000 files of at most 2 MiB, and no link that leaves it.", retry: "after_fix", http: 422 },

  // PLAN_: layers and references of one tenant's effective configuration.
  PLAN_UNKNOWN_TENANT: { message: "Tenant '{tenant}' does not exist.", hint: "{suggestion}", retry: "after_fix", http: 404 },
  PLAN_UNKNOWN_PATH: { message: "'{path}' has no value for tenant '{tenant}'.", hint: "{suggestion}", retry: "after_fix", http: 404 },
  PLAN_UNKNOWN_FLOW: { message: "Flow '{flow}' does not exist for tenant '{tenant}'.", hint: "{suggestion}", retry: "after_fix", http: 404 },
  PLAN_LOCKED: { message: "'{path}' is locked by {by} and may not be changed by this layer.", retry: "after_fix", http: 422 },
  PLAN_FORBIDDEN_OVERRIDE: { message: "A tenant may not override '{path}'.", hint: "Streams, limits and errors may be overridden; http, auth and hosts may not.", retry: "after_fix", http: 422 },
  PLAN_SAME_AS_PRESET: { message: "'{path}' says the same as the preset: this override changes nothing.", hint: "Remove it, so that a newer release can change the value.", retry: "after_fix", http: 422 },
  PLAN_SHADOWS_NEWER: { message: "'{path}' hides the preset's {pinned}, which release {release} changes to {newest}.", hint: "When the tenant moves to release {release}, it keeps its own value: decide whether it still should.", retry: "after_fix", http: 422 },
  PLAN_CYCLE: { message: "'{path}' uses itself: {cycle}.", retry: "after_fix", http: 422 },
  PLAN_RELEASE_EXISTS: { message: "Release {release} of preset '{preset}' is the same as its head: nothing to release.", retry: "after_fix", http: 409 },
  PLAN_MAPPING_MISFIT: { message: "Mapping '{mapping}' {does} {expected}, but this flow gives it {actual}.", hint: "Use a mapping that {does} {actual}, or change the flow.", retry: "after_fix", http: 422 },
  PLAN_NOT_SAVED: { message: "Connector '{connector}' cannot save '{stream}': which of its actions does it cannot be told.", hint: "{suggestion}", help: "`to: { save: … }` needs an action that says creates, updates, deletes or upserts of that stream, and one of each kind.", retry: "after_fix", http: 422 },

  // MAPPING_: one record could not be mapped or is not a valid entity. Costs that record (quarantine).
  MAPPING_SYNTAX: { message: "The expression of '{field}' does not parse: {detail}", retry: "after_fix", http: 422 },
  MAPPING_EVALUATION: { message: "The expression of '{field}' failed: {detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  MAPPING_LIMIT: { message: "The expression of '{field}' exceeded its {limit} limit.", hint: "Make it smaller, or raise the limit of the workspace.", retry: "after_fix", http: 422 },
  MAPPING_NO_KEY: { message: "The record has no key: '{expression}' gave {actual}.", hint: "A key is text or a number; a composite key needs every part.", retry: "after_fix", http: 422 },
  MAPPING_INVALID: { message: "The mapped record is not a valid {entity}: {detail}", hint: "Change the mapping, or the entity's schema.", retry: "after_fix", http: 422 },
  MAPPING_RECORD: { message: "The record cannot be stored: {detail}", retry: "after_fix", http: 422 },
  LIMIT_REACHED: { message: "The contract covers {limit} {name}, and there are as many: this one is held.", hint: "Raise `limits` in the tenant's configuration: what is held is then stored by itself. Nothing was deleted.", help: "`limits` of a tenant or its preset says how many live rows of an entity the contract covers. A record that would make one more is kept in the quarantine, and stored when the limit is raised or a row leaves.", retry: "after_fix", http: 422 },

  // LINT_: an expression that runs, and is probably not what was meant. Found from the types of source and target, without data.
  LINT_UNKNOWN_FIELD: { message: "{where} has no field '{name}'.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_REQUIRED_UNMAPPED: { message: "'{field}' is required and no field maps it.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_POSSIBLY_ABSENT: { message: "'{field}' is required, and this can be absent.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_WRONG_TYPE: { message: "{what} must be {expected}; this {is} {actual}.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_LIST_TRAP: { message: "{detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_ENUM_VALUE: { message: "{values} of the source has no counterpart in {what}.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_UNKNOWN_VALUE: { message: "{value} is none of the values this can have: the comparison never holds.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_LOSSY_NUMBER: { message: "{detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_NO_TIME_ZONE: { message: "{detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_DIFFERENT_TYPES: { message: "{left} is compared with {right}: {consequence}.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_UNUSED_BINDING: { message: "${name} is bound and never used.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  LINT_UNSTABLE_KEY: { message: "${name} gives another value every time, and a key must stay the same.", hint: "Make the key from fields of the record.", retry: "after_fix", http: 422 },
  LINT_ROOT_SCAN: { message: "For every item of one list this looks through the whole of another one.", hint: "Group the other list by its key once, before: ($byKey := {list}{ key: $ }; … $lookup($byKey, key))", retry: "after_fix", http: 422 },
  LINT_NEVER_TRUE: { message: "This is never true{when}.", hint: "{suggestion}", retry: "after_fix", http: 422 },

  // AUTH_: credentials and sign-in at a provider.
  AUTH_MISSING_CREDENTIAL: { message: "Connection '{connection}' has no value for '{field}' ({title}).", hint: "{suggestion}", retry: "after_fix", http: 409 },
  AUTH_REFUSED: { message: "{host} refused the credential of connection '{connection}': {status} {detail}", hint: "Check the credential; the run continues from its checkpoint once it works.", retry: "after_fix", http: 409 },
  AUTH_TOKEN_REQUEST: { message: "The token request to {host} failed: {detail}", hint: "{suggestion}", retry: "backoff", http: 502 },
  AUTH_HOST_NOT_ALLOWED: { message: "The credential of '{connector}' may not be sent to {host}.", hint: "Only {allowed} may receive it (http.hosts).", retry: "after_fix", http: 422 },
  AUTH_ACCOUNT_CHANGED: { message: "Connection '{connection}' now reaches account '{actual}', not '{expected}'.", hint: "Reconnect to the same account, or start over on purpose: `start_over`, which forgets what the connection brought (GET /api/connections/:connection/accounts says how much).", retry: "after_fix", http: 409 },

  AUTH_KEEP_OR_ERASE: { message: "Connection '{connection}' holds {forgets}: say what becomes of them.", hint: "?data=keep leaves them as they are; ?data=erase takes them out of every row and deletes them.", retry: "after_fix", http: 409 },
  AUTH_NOT_SIGNED_IN: { message: "Nobody has signed in at the provider for this connection yet.", hint: "Connect it: POST /api/integrations/:provider/connect answers with the address to open in a browser.", retry: "after_fix", http: 409 },
  AUTH_RECONNECT: { message: "The provider took back what the sign-in of connection '{connection}' gave.", hint: "Connect it again; the runs continue from their checkpoints.", help: "A refresh token ends when it was not used for long, when somebody removed the app at the provider, or when the answer to a refresh was lost on its way.", retry: "after_fix", http: 409 },
  AUTH_SIGN_IN: { message: "{detail}", hint: "{suggestion}", help: "A sign-in at a provider is begun here, is good for ten minutes and for one use, and ends in the browser that began it.", retry: "after_fix", http: 400 },
  AUTH_NOT_CONNECTED: { message: "Connection '{connection}' is {state}.", hint: "{suggestion}", help: "After a disconnect nothing is read or called until a credential is entered again; a connection that the configuration disables is enabled there.", retry: "after_fix", http: 409 },

  // RUN_: one execution of a flow.
  RUN_HTTP_STATUS: { message: "{host} answered {status} to {request}{detail}.", hint: "{suggestion}", retry: "backoff", http: 502 },
  RUN_RATE_LIMITED: { message: "{host} answered {status} to {request}: too many requests.", retry: "backoff", http: 503 },
  RUN_NETWORK: { message: "{request} failed: {detail}", hint: "{suggestion}", retry: "backoff", http: 502 },
  RUN_TIMEOUT: { message: "{request} took longer than its {limit} limit of {seconds} s.", retry: "backoff", http: 504 },
  RUN_BODY_TOO_LARGE: { message: "The answer to {request} is larger than {limit} bytes after decompression.", hint: "Ask for smaller pages.", retry: "never", http: 502 },
  RUN_NOT_DECODABLE: { message: "The answer to {request} is not {expected}: {detail}", hint: "{suggestion}", retry: "backoff", http: 502 },
  RUN_SHAPE: { message: "'records: {expression}' gave {actual} for {request}, not a list of records.", hint: "{suggestion}", retry: "never", http: 502 },
  RUN_REQUEST: { message: "The request of {where} cannot be built: {detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  RUN_EGRESS: { message: "{host} is not an address this workspace may reach: {detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  RUN_REDIRECT: { message: "{request} was redirected to {host}, another origin; the credential does not follow.", hint: "Use the final address as base_url.", retry: "never", http: 502 },
  RUN_PAGE_TOKEN_REPEATED: { message: "{host} gave the same page token twice ({token}); the stream would never end.", hint: "Check pagination of {stream}; the checkpoint is kept.", retry: "after_fix", http: 502 },
  RUN_NO_PROGRESS: { message: "{pages} pages in a row had no new key; the stream would never end.", hint: "Check pagination of {stream}; the checkpoint is kept.", retry: "after_fix", http: 502 },
  RUN_CAP: { message: "The run reached its cap of {limit} {unit}.", hint: "Raise the cap of the flow, or read smaller windows; the checkpoint is kept.", retry: "after_fix", http: 502 },
  RUN_RULE: { message: "{say}", hint: "Error rule '{rule}' of the connector decided this after {status} to {request}.", retry: "after_fix", http: 502 },
  RUN_STREAM_SKIPPED: { message: "Stream '{stream}' was skipped: {say}", retry: "after_fix", http: 502 },
  RUN_FENCED: { message: "Another worker took over flow '{flow}' (epoch {epoch} is over): nothing of this page was stored.", retry: "never", http: 409 },
  RUN_QUARANTINE_THRESHOLD: { message: "{count} of {read} records were quarantined, more than the threshold of {threshold}.", hint: "Look at the reasons in the quarantine. Nothing of it is lost: the checkpoint and the refused records are kept, the next run goes on behind them, and they are tried again by themselves at the first run after the configuration has changed, or when asked for: plugboard replay <tenant> <flow>.", retry: "after_fix", http: 502 },
  RUN_CANCELLED: { message: "The run was cancelled by {by}.", retry: "never", http: 409 },
  RUN_BALANCE: { message: "The counters do not balance: read {read} ≠ {sum}. This is a bug in Plugboard; please report it.", retry: "never", http: 500 },
  RUN_WAITING: { message: "The provider asked to wait until {until}: {say}", retry: "backoff", http: 503 },
  RUN_ALREADY_RUNNING: { message: "Flow '{flow}' is already running (run {run}).", retry: "backoff", http: 409 },
  RUN_INTERNAL: { message: "Something went wrong in Plugboard itself: {detail}", hint: "This is a bug; please report it with the run's log.", retry: "backoff", http: 500 },
  RUN_NOT_RECORDED: { message: "{request} was sent, but no recorded exchange answers it{nearest}.", hint: "Record it in exchanges/, or correct the manifest.", retry: "after_fix", http: 422 },
  RUN_CRASH_LOOP: { message: "This run crashed its worker {count} times in a row without storing a page.", hint: "Look at the last page of the run's log; it is not tried again by itself.", retry: "after_fix", http: 500 },

  // STORE_: PostgreSQL and encryption.
  STORE_UNREACHABLE: { message: "PostgreSQL at {address} cannot be reached: {detail}", hint: "Check DATABASE_URL, or unset it to use the embedded PostgreSQL.", retry: "backoff", http: 503 },
  STORE_PRIVILEGES: { message: "The database user {user} may not {action}.", hint: "{suggestion}", retry: "after_fix", http: 500 },
  STORE_MIGRATION_CHANGED: { message: "Migration {file} was changed after it was applied.", hint: "Restore the file; add a new migration instead.", retry: "never", http: 500 },
  STORE_BEHIND: { message: "The database is at migration {actual}, this version needs {expected}.", hint: "Run `plugboard migrate`.", retry: "after_fix", http: 503 },
  STORE_AHEAD: { message: "The database is at migration {actual}, newer than this version knows ({expected}).", hint: "Run the newer version of Plugboard.", retry: "never", http: 500 },
  STORE_KEY: { message: "The key-encryption key is not usable: {detail}", hint: "{suggestion}", retry: "after_fix", http: 500 },
  STORE_KEY_SERVICE: { message: "The key service at {host} cannot be asked: {detail}", hint: "Check VAULT_ADDR, VAULT_TOKEN, and what the token may do.", retry: "backoff", http: 503 },
  STORE_DECRYPT: { message: "An encrypted value of tenant '{tenant}' does not open: it was moved, changed, or written with another key.", retry: "never", http: 500 },
  STORE_ROTATION: { message: "The old data key of tenant '{tenant}' is kept: {count} values do not open with it, in {where}.", hint: "They were moved, changed, or written with another key. Enter those secrets again, or let the next sync store those records again; then go on: plugboard secrets rotate {tenant}", retry: "after_fix", http: 409 },
  STORE_REFERENCE: { message: "Field '{field}' of connection '{connection}' is {reference}, and that has no value now: {detail}", hint: "{suggestion}", retry: "backoff", http: 503 },
  STORE_REFERENCE_REFUSED: { message: "Field '{field}' of connection '{connection}' cannot be {reference}: {detail}", hint: "{suggestion}", retry: "after_fix", http: 422 },
  STORE_DATA_FOLDER: { message: "The data folder {folder} cannot be used: {detail}", hint: "{suggestion}", retry: "after_fix", http: 500 },
  STORE_BUSY: { message: "PostgreSQL cannot take the page now: {detail}", retry: "backoff", http: 503 },

  // EVENT_: what a provider sent, on its way to becoming records.
  EVENT_EXPRESSION: { message: "'{field}' of the feed cannot be evaluated on this item: {detail}", hint: "Correct the feed in the connector, then replay the event.", retry: "after_fix", http: 422 },
  EVENT_NO_KEY: { message: "Event '{event}' names no record: its key gave {actual}.", hint: "Correct its `key` in the connector, or its `when`, then replay the event.", retry: "after_fix", http: 422 },
  EVENT_NO_READ: { message: "Stream '{stream}' cannot read one record, and the event carries none.", hint: "Give the stream a `one`, or the event a `record`.", retry: "after_fix", http: 422 },
  EVENT_NO_FEED: { message: "Connector '{connector}' has no feed '{feed}' any more.", hint: "Put it back, then replay the event.", retry: "after_fix", http: 422 },
  EVENT_UNROUTED: { message: "Account '{account}' belongs to no connection of '{connector}'.", hint: "Connect it, then replay the event.", retry: "after_fix", http: 422 },
  EVENT_UNREADABLE: { message: "What was kept of this event cannot be read: {detail}", retry: "never", http: 422 },
  EVENT_READ: { message: "The record could not be read after {attempts} tries: {detail}", hint: "Replay the event when the provider answers again.", retry: "after_fix", http: 502 },
  EVENT_STORE: { message: "PostgreSQL refuses what this event carries: {detail}", retry: "never", http: 422 },
  EVENT_BODY: { message: "The request's body cannot be taken: {detail}", hint: "{suggestion}", help: "A body is JSON as the standard writes it: no member twice, none called `__proto__`, nested at most 64 levels.", retry: "never", http: 400 },

  // DELIVERY_: what leaves, on its way to whoever it is for.
  DELIVERY_REFUSED: { message: "{target} refused it: {reason}", hint: "It is not sent again by itself: mend what was refused, then replay it.", retry: "after_fix", http: 422 },
  DELIVERY_RETRY: { message: "It could not be delivered: {reason}", hint: "It is sent again by itself.", retry: "backoff", http: 502 },
  DELIVERY_UNKNOWN: { message: "Nobody knows whether {target} carried it out: {reason}", hint: "{suggestion}", help: "Where the action says how a second try is harmless, that is done by itself; otherwise look at the provider, and say 'sent' or 'not sent'.", retry: "after_fix", http: 502 },
  DELIVERY_LOST: { message: "Its worker was lost before it said how this ended.", retry: "backoff", http: 502 },
  DELIVERY_EXHAUSTED: { message: "It was tried {attempts} times in vain: {reason}", hint: "It is kept for 30 days: replay it once the target is well.", retry: "after_fix", http: 502 },
  DELIVERY_REFERENCE: { message: "The row's '{field}' refers to {entity} '{key}', which is not there.", hint: "Once it has come, replay the delivery.", retry: "after_fix", http: 409 },
  DELIVERY_LOOP: { message: "This row was delivered {count} times within an hour: two systems may be answering each other.", hint: "Look at its deliveries. Approve this one to send it, or reject it.", retry: "after_fix", http: 409 },
  DELIVERY_TARGET: { message: "{what} is no longer in the configuration: it was cancelled.", retry: "never", http: 410 },
  DELIVERY_WAITS: { message: "It waits: {reason}", hint: "{suggestion}", help: "The target was disabled, disconnected, or failed again and again. Nothing is lost: it is sent once the reason is gone.", retry: "backoff", http: 409 },
  DELIVERY_NOT_SAVED: { message: "Connector '{connector}' has no action that {does} '{stream}': `actions` of connectors/{connector}/connector.yaml needs one with `{does}: {stream}`.", hint: "Add it (`upserts: {stream}` is creating and updating in one), then replay.", retry: "after_fix", http: 422 },
  DELIVERY_ENDPOINT: { message: "Endpoint '{name}' {state}.", hint: "{suggestion}", help: "An endpoint that answers 410 is disabled; enable it, or give it another address.", retry: "after_fix", http: 409 },
  DELIVERY_COUNT: { message: "{count} rows would be delivered now, not {confirmed}.", hint: "Look again, and confirm this count.", retry: "after_fix", http: 409 },

  // TENANT_: how an organisation comes, rests and goes.
  TENANT_SUSPENDED: { message: "Tenant '{tenant}' is suspended.", hint: "Its data is kept. The operator resumes it: plugboard tenant resume {tenant}", retry: "after_fix", http: 403 },
  TENANT_TAKEN: { message: "The {field} '{value}' belongs to another tenant.", hint: "Choose another {field}.", retry: "after_fix", http: 409 },
  TENANT_KEY_REUSED: { message: "This idempotency key made tenant '{tenant}', from another request.", hint: "Send each new request with a key of its own.", retry: "never", http: 409 },
  TENANT_INVALID: { message: "The organisation cannot be made like this: {count} {problems}.", hint: "`problems` names each field and says what is expected; nothing was made.", retry: "after_fix", http: 422 },
  TENANT_CONFLICTS: { message: "{count} {problems} in the way of {to}.", hint: "Look at each, then send the same with accept: true. What the tenant overrides stays as it is.", retry: "after_fix", http: 409 },
  TENANT_RESERVED: { message: "'{value}' is reserved: the product itself answers there.", hint: "{suggestion}", help: "Addresses such as www, api, admin or mail never belong to a tenant; the language's page lists them.", retry: "after_fix", http: 422 },
  TENANT_STATUS: { message: "Tenant '{tenant}' is {status}: it cannot be {verb}.", retry: "after_fix", http: 409 },
  TENANT_CONFIRMATION: { message: "This does not confirm the erasure of tenant '{tenant}'.", hint: "Ask for it again: the answer says what would go, and gives a token that is good for an hour.", retry: "after_fix", http: 409 },
  TENANT_OPERATOR: { message: "Tenant 'platform' holds the operator's own connections: it cannot be {verb}.", retry: "never", http: 409 },

  // CHANGE_: a change of the configuration on its way through review.
  CHANGE_NO_WORKSPACE: { message: "This server works without a workspace: it can show what is in force, not change it.", hint: "Start it with the workspace's folder: plugboard serve --workspace <folder>", retry: "after_fix", http: 503 },
  CHANGE_NO_REPOSITORY: { message: "{folder} is not a Git repository: {detail}.", hint: "Changes are reviewed in Git: run `git init` and commit what is there, or begin a workspace with `plugboard init`.", retry: "after_fix", http: 409 },
  CHANGE_GIT: { message: "The workspace's Git repository cannot be read: {detail}", hint: "{suggestion}", help: "Only regular files of text are configuration: no links, no submodules, at most 20,000 files of at most 2 MiB.", retry: "after_fix", http: 409 },
  CHANGE_BAD_REF: { message: "'{ref}' is no name of a branch or commit.", hint: "{suggestion}", help: "A branch (`main`, `origin/main`), a tag, a commit, or one of these with `~2` for the second one before it.", retry: "after_fix", http: 400 },
  CHANGE_BUSY: { message: "Another process is writing to the workspace's repository.", hint: "Try again in a moment.", retry: "backoff", http: 409 },
  CHANGE_UNCOMMITTED: { message: "The working copy has changes of its own in {files}, and they are not committed.", hint: "Commit them or put them away (git stash), then apply again: nobody's work is written over.", retry: "after_fix", http: 409 },
  CHANGE_PATH: { message: "'{file}' cannot be changed here: {detail}.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  CHANGE_EDIT: { message: "'{pointer}' of {file} cannot be edited: {detail}.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  CHANGE_EMPTY: { message: "The change changes nothing.", hint: "{suggestion}", retry: "after_fix", http: 422 },
  CHANGE_INVALID: { message: "With this change the configuration has {count} {errors}.", hint: "`problems` lists each with its file, line and cure.", retry: "after_fix", http: 422 },
  CHANGE_STATUS: { message: "Change '{id}' is {status}: it cannot be {verb}.", hint: "{suggestion}", retry: "after_fix", http: 409 },
  CHANGE_OWN: { message: "A change is approved by another person than its author.", hint: "Ask a colleague; `review: self` in workspace.yaml lets authors approve their own changes.", retry: "after_fix", http: 403 },
  CHANGE_NOT_ALLOWED: { message: "You may not propose {what}: that needs '{permission}'.", retry: "after_fix", http: 403 },
  CHANGE_STALE: { message: "The change is no longer what was reviewed: {detail}.", hint: "Bring it up to date (rebase), look at its new plan, and have it approved again.", retry: "after_fix", http: 409 },
  CHANGE_FORCE_PUSHED: { message: "Main was moved to {commit}, which does not follow {known}: history was rewritten. What was in force stays.", hint: "Move main back, or take its history as it is now: plugboard apply --accept-history", retry: "after_fix", http: 409 },
  CHANGE_BROKEN_COMMIT: { message: "Commit {commit} of main cannot be put in force: {detail} What was in force stays.", hint: "Correct it with another commit, or revert it.", retry: "after_fix", http: 409 },
  CHANGE_UNREVERTED: { message: "Revision {revision} is in force again, but main could not be reverted: {detail}", hint: "Revert main by hand. What is in force stays as it is until main has another commit.", retry: "after_fix", http: 409 },
  CHANGE_REVISION: { message: "Revision '{revision}' cannot be put in force again: {detail}.", hint: "{suggestion}", retry: "after_fix", http: 409 },

  // SERVER_: doors.
  SERVER_PORT_TAKEN: { message: "Port {port} is taken by another program.", hint: "Stop it, or choose another: PORT={other} npm start", retry: "after_fix", http: 500 },
  SERVER_UNAUTHORIZED: { message: "This request carries no valid API key, token or session.", hint: "Send a key as `Authorization: Bearer pbk_…`, or sign in: POST /api/session.", retry: "after_fix", http: 401 },
  SERVER_FORBIDDEN: { message: "The API key may not do this: it lacks the scope '{scope}'.", retry: "after_fix", http: 403 },
  SERVER_KEY_WITHIN: { message: "The API key may not do this: a {role} made it, and a {role} lacks '{scope}'.", retry: "after_fix", http: 403 },
  SERVER_ROLE_FORBIDDEN: { message: "A {role} may not do this: it needs '{permission}'.", retry: "after_fix", http: 403 },
  SERVER_ABOVE_ROLE: { message: "You may not do this: {detail}.", retry: "after_fix", http: 403 },
  SERVER_FORGED: { message: "The request is refused as forged: {detail}.", hint: "Pages of this server send the header x-csrf-token with every change; GET /api/session gives its value.", retry: "after_fix", http: 403 },
  SERVER_SIGN_IN: { message: "The e-mail address or the password is wrong.", retry: "after_fix", http: 401 },
  SERVER_SIGN_IN_ELSEWHERE: { message: "Signing in with {provider} did not work: {detail}.", hint: "{suggestion}", retry: "after_fix", http: 403 },
  SERVER_TOO_MANY_TRIES: { message: "Too many tries.", hint: "Try again in {seconds} seconds.", retry: "backoff", http: 429 },
  SERVER_DEAD_LINK: { message: "This link is not good any more: it was used, it was withdrawn, it has expired, or it never was.", hint: "Ask whoever sent it for a new one.", retry: "never", http: 410 },
  SERVER_WEAK_PASSWORD: { message: "This password cannot be taken: {detail}.", hint: "A few words that nobody else would put together are easy to remember and hard to guess.", retry: "after_fix", http: 422 },
  SERVER_EXISTS: { message: "{kind} '{name}' exists already.", hint: "{suggestion}", retry: "after_fix", http: 409 },
  SERVER_TENANT_REQUIRED: { message: "The request names no tenant.", hint: "Add ?tenant=<id>, or use a key of that tenant.", retry: "after_fix", http: 400 },
  SERVER_NOT_FOUND: { message: "{kind} '{name}' does not exist.", hint: "{suggestion}", retry: "after_fix", http: 404 },
  SERVER_AMBIGUOUS: { message: "'{name}' fits more than one: {candidates}.", hint: "Name one: ?connection=…", retry: "after_fix", http: 409 },
  SERVER_BAD_REQUEST: { message: "{detail}", hint: "{suggestion}", retry: "after_fix", http: 400 },
  SERVER_NOTHING_TO_SYNC: { message: "Connection '{connection}' has no enabled flow to run.", hint: "Enable the connection and one of its flows in the tenant's configuration.", retry: "after_fix", http: 409 },
  SERVER_TOO_LATE: { message: "{kind} '{name}' is over: {status}.", retry: "never", http: 409 },
  SERVER_NO_REVISION: { message: "No configuration is in force yet.", hint: "Apply a workspace: plugboard start, or plugboard serve --workspace <folder>.", retry: "after_fix", http: 503 },
  SERVER_TOO_LARGE: { message: "The request's body is larger than {limit} bytes.", retry: "never", http: 413 },
  SERVER_MEDIA_TYPE: { message: "The request's body must be application/json, not {actual}.", hint: "Send `Content-Type: application/json`.", retry: "after_fix", http: 415 },
  SERVER_INTERNAL: { message: "Something went wrong in Plugboard itself; it was logged as {id}.", retry: "backoff", http: 500 },
  SERVER_CONNECTION_VALUES: { message: "{count} of the values for connection '{connection}' cannot be taken.", hint: "`problems` names each field and says what is expected; nothing was stored.", retry: "after_fix", http: 422 },
  SERVER_UNKNOWN_FIELD: { message: "Connector '{connector}' has no config field '{field}'.", hint: "{suggestion}", help: "GET /api/connectors/:id/schema lists the fields.", retry: "after_fix", http: 422 },
  SERVER_WRONG_VALUE: { message: "'{field}' must be {expected}.", hint: "{suggestion}", help: "Enter a value of the form that the error names; secrets are never repeated in it.", retry: "after_fix", http: 422 },
  SERVER_MASKED_SECRET: { message: "'{field}' was given as a mask, not as a value.", hint: "Leave the field out to keep the stored value, or give the whole new one.", retry: "after_fix", http: 422 },
  SERVER_PROXY_PATH: { message: "'{path}' is not a path below the provider's base address.", hint: "Write it as the provider documents it, without '.' or '..' in it.", retry: "after_fix", http: 400 },
  SERVER_WEBHOOK_REFUSED: { message: "This request was not accepted.", hint: "Who looks after the connection sees why among its events.", retry: "after_fix", http: 401 },
  SERVER_ENCODED: { message: "The request's body is encoded as {encoding}; it must come as it is.", hint: "Send it without Content-Encoding.", retry: "never", http: 415 },
  SERVER_TOO_MANY: { message: "Too many requests to this address.", hint: "Send them again after Retry-After seconds.", retry: "backoff", http: 429 },
  SERVER_SLOW: { message: "The request's body did not arrive in {seconds} seconds.", retry: "backoff", http: 408 },
  CLI_USAGE: { message: "{detail}", hint: "{suggestion}", retry: "after_fix", http: 400 },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalog;
