/** The shapes of the HTTP door: they validate what comes in, cut what goes out, and are what /docs shows. */
import { permissions, scopes } from "./permissions.ts";

const id = (of: string, example: string) => ({ type: "string", minLength: 1, maxLength: 200, description: of, examples: [example] }) as const;
const instant = (of: string) => ({ type: "string", format: "date-time", description: `${of} UTC.`, examples: ["2026-03-01T09:00:00.000Z"] }) as const;
const count = (of: string) => ({ type: "integer", minimum: 0, description: of }) as const;
const nullable = <Schema extends { readonly type: string }>(schema: Schema) => ({ ...schema, type: [schema.type, "null"] }) as const;

/** A closed object: an unknown member is refused coming in and cut going out. */
const closed = <Properties extends object>(properties: Properties, required: readonly (keyof Properties & string)[] = []) =>
  ({ type: "object", additionalProperties: false, required: [...required], properties }) as const;

export const tenantQuery = { tenant: id("The tenant the request is about. A key of one tenant needs none.", "acme") } as const;
export const pagingQuery = {
  limit: { type: "integer", minimum: 1, maximum: 1000, default: 100, description: "Items of one page.", examples: [100] },
  cursor: { type: "string", minLength: 1, maxLength: 2000, description: "`next_cursor` of the page before.", examples: ["WyJsZWFybmVyIiwi…"] },
} as const;

export const query = <Properties extends object>(properties: Properties = {} as Properties) => closed({ ...tenantQuery, ...properties });
export const operatorQuery = closed({});
export const dryRun = { type: "boolean", description: "Only say what would happen." } as const;

export const counters = {
  $id: "Counters", title: "Counters",
  description: "read = stored + unchanged + superseded + deleted + filtered + quarantined, for every run.",
  ...closed({
    read: count("Records read."), stored: count("created + updated."), created: count("New rows."), updated: count("Changed rows."), unchanged: count("Same as before."),
    superseded: count("Older than what is stored."), deleted: count("Deleted at the provider, or no longer wanted by the mapping."), filtered: count("Dropped by the mapping's `where`."),
    quarantined: count("Could not be mapped or stored; kept with the reason."), swept: count("Rows ended because a complete sweep did not see them; outside the balance."),
    pages: count("Pages committed."), requests: count("Requests sent."), retries: count("Requests sent again."),
  }),
} as const;

export const run = {
  $id: "Run", title: "Run",
  ...closed({
    id: id("The run.", "0199f6a2-7b1e-7c1d-9d55-0f2f6f1c3a10"),
    flow: id("The flow it executes.", "learners"),
    status: { type: "string", description: "`queued running waiting` are under way; the others are final.", enum: ["queued", "running", "waiting", "succeeded", "succeeded_with_quarantine", "failed", "cancelled", "superseded"] },
    mode: nullable({ type: "string", description: "full reads everything; incremental what changed. Null while the run has not decided." }),
    trigger: { type: "string", description: "What started it: `schedule`, `api`, `start` …" },
    requested_by: nullable({ type: "string", description: "Who asked for it." }),
    attempt: count("Tries so far; a worker that died costs one."),
    revision: nullable({ type: "string", description: "The configuration it executes, from start to end." }),
    queued_at: instant("When it was asked for."), started_at: nullable(instant("When a worker first took it.")), finished_at: nullable(instant("When it ended.")), resume_at: nullable(instant("When a waiting run goes on.")),
    seconds: nullable({ type: "number", description: "From started to finished." }),
    counters: { $ref: "Counters#" },
    error: { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" }, next: { type: "string", description: "What happens next by itself." } })] },
    cancel_requested: { type: "boolean", description: "Ends after the page it is at." },
    held_sweep: { anyOf: [{ type: "null" }, closed({ missing: count("Live rows that the sweep did not see."), live: count("Live rows.") })], description: "A sweep that would delete so much that it waits for approval. Of one run: null once that is decided." },
  }),
} as const;

export const page = (of: string) => closed({ data: { type: "array", items: { $ref: `${of}#` } }, next_cursor: nullable({ type: "string", description: "Cursor of the next page; null on the last." }) }, ["data", "next_cursor"]);

/** How a connection stands: server/connecting/standing.ts. */
export const standing = {
  ...closed({
    name: { type: "string", enum: ["connected", "degraded", "reconnect_needed", "disconnected", "disabled", "error", "not_connected"], description: "degraded: it works, and a flow failed or quarantined records. reconnect_needed: only a person can mend it." },
    reason: nullable({ type: "string", description: "For a person." }), since: nullable(instant("Since when.")), last_sync_at: nullable(instant("When a flow of it last succeeded.")), next_run_at: nullable(instant("When one is due next.")),
  }),
  description: "How it stands.",
} as const;

export const connection = {
  $id: "Connection", title: "Connection",
  ...closed({
    connection: id("The connection.", "hubspot"), connector: id("Its connector.", "hubspot"), title: { type: "string", description: "Of the connector." },
    enabled: { type: "boolean", description: "Whether the configuration lets it be used." },
    state: standing,
    signed_in: { type: "boolean", description: "Somebody signed in at the provider, and what that gave is kept." },
    paused: { anyOf: [{ type: "null" }, closed({ at: instant("Since when."), by: { type: "string" } })], description: "By a person." },
    status: { type: "string", enum: ["not_connected", "untested", "ok", "broken", "disconnected"], description: "What is known about its credential." },
    detail: { anyOf: [{ type: "null" }, { type: "object", additionalProperties: true }], description: "Why it is broken." },
    status_at: nullable(instant("When that was found out.")),
    account: { anyOf: [{ type: "null" }, closed({ id: { type: "string" }, label: { type: "string" } })], description: "The customer's account at the provider." },
    config: { type: "object", additionalProperties: true, description: "What was entered, without secrets." },
    defaults: { type: "object", additionalProperties: true, description: "What the configuration says; what was entered wins, except where locked." },
    locked: { type: "array", items: { type: "string" }, description: "Fields that only the configuration may set." },
    secrets: {
      type: "object", description: "By field. A value is never shown.",
      additionalProperties: closed({ set: { type: "boolean" }, fingerprint: { type: "string", description: "Changes when the value does." }, updated_at: instant("When it was entered."), updated_by: { type: "string" }, reference: { type: "string", description: "Where the value is read from, when it is not stored here." } }),
    },
    missing: { type: "array", items: { type: "string" }, description: "Fields without which it cannot be used." },
    updated_at: nullable(instant("When values were last entered.")),
  }),
} as const;

const file = { type: "string", minLength: 1, maxLength: 300, description: "Path in the workspace.", examples: ["tenants/acme.yaml"] } as const;
/** Edits of the workspace's files, as a change has them. */
export const fileEdits = {
  type: "array", maxItems: 500, description: "Made one after the other, on top of what main says.",
  items: {
    anyOf: [
      closed({ file, set: { type: "array", minItems: 1, maxItems: 500, items: closed({ pointer: { type: "string", maxLength: 1000, description: "JSON pointer into the file.", examples: ["/flows/learners/from/every"] }, value: { description: "Absent: removed, with what it leaves empty.", examples: ["15m"] } }, ["pointer"]) } }, ["file", "set"]),
      closed({ file, text: { type: "string", maxLength: 2 * 1024 * 1024, description: "The whole file." } }, ["file", "text"]),
      closed({ file, remove: { const: true, description: "The file is removed." } }, ["file", "remove"]),
    ],
  },
} as const;

/** The scopes a route needs, as OpenAPI shows them. */
export const scopesInWords = scopes.map((name) => `- \`${name}\`: ${Object.hasOwn(permissions, name) ? permissions[name as keyof typeof permissions].title : name}`).join("\n");

export { closed, count, id, instant, nullable };
