/**
 * The plan: one tenant's resolved configuration, frozen. Everything here is JSON: shorthands are normalised, fragments are
 * expanded, layers are merged, mappings are inlined. A worker needs the plan and nothing else of the tree.
 *
 * Text stays text: an `Expression` is JSONata source, a string inside a `Value` is a Handlebars template, or JSONata when it
 * starts with `=` (`==` starts a literal `=`). They are compiled when a run starts.
 */
import type { Json, JsonObject, Layer } from "../manifest/types.ts";

/** JSONata source without a leading `=`. */
export type Expression = string;
/** A YAML value whose strings are templates or `=` expressions; placed in a request, structure comes from YAML. */
export type Value = Json;

/** Where an effective value came from. */
export interface Origin {
  readonly layer: Layer;
  readonly file: string;
  readonly line: number;
  readonly col: number;
  /** What it shadows, nearest first. */
  readonly shadows?: readonly { readonly layer: Layer; readonly file: string; readonly line: number; readonly col: number; readonly value: Json }[];
}

export interface TenantPlan {
  readonly tenant: { readonly id: string; readonly title: string; readonly subdomain?: string };
  readonly preset?: { readonly id: string; readonly release: number | "head" };
  readonly inputs: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly connections: Readonly<Record<string, ConnectionPlan>>;
  /** The connectors that the connections use, by id; a connection that lays streams, limits or errors over its connector has its own, `<connector>/<connection>`. */
  readonly connectors: Readonly<Record<string, ConnectorPlan>>;
  /** The entities that the flows write or watch, by id. */
  readonly entities: Readonly<Record<string, EntityPlan>>;
  readonly flows: Readonly<Record<string, FlowPlan>>;
  /** Flows from a change of our own data to an effect outside; names are unique across both maps. Absent in plans of older versions. */
  readonly change_flows?: Readonly<Record<string, ChangeFlowPlan>>;
  readonly reports: Readonly<Record<string, readonly string[]>>;
  readonly policy: JsonObject;
  readonly limits: Readonly<Record<string, number>>;
  /**
   * By JSON pointer into the effective tree, which says everything in the manifests' own words: `/flows/learners/from/every`,
   * `/connectors/crm/streams/contacts/list/post`. `originOfPointer` finds the origin of a pointer into this plan.
   */
  readonly origins: Readonly<Record<string, Origin>>;
}

export interface ConnectionPlan {
  /** Key of the plan's `connectors`. */
  readonly connector: string;
  readonly enabled: boolean;
  /** Stamped on the records of this connection; over the tenant's labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Defaults of the tree; what was entered when connecting wins, except where locked. */
  readonly config: JsonObject;
  readonly locks: readonly string[];
}

export interface ConfigField {
  readonly title: string;
  readonly type?: string;
  readonly enum?: readonly Json[];
  readonly default?: Json;
  readonly secret?: boolean;
  readonly scope?: "app";
  readonly optional?: boolean;
  readonly format?: string;
  /** Regular expression that an entered text must match. */
  readonly pattern?: string;
  readonly help?: string;
  readonly description?: string;
  readonly example?: Json;
  /** Over the other config values: the field is asked for only when true. */
  readonly when?: Expression;
}

export interface ConnectorPlan {
  readonly id: string;
  readonly title: string;
  readonly category?: string;
  readonly config: Readonly<Record<string, ConfigField>>;
  /** Absent for a connector that is only pushed to. */
  readonly http?: HttpPlan;
  readonly check?: CheckPlan;
  readonly streams: Readonly<Record<string, StreamPlan>>;
  /** Absent in plans of older versions, as `webhooks` and `queues`. */
  readonly actions?: Readonly<Record<string, ActionPlan>>;
  readonly webhooks?: Readonly<Record<string, WebhookPlan>>;
  readonly queues?: Readonly<Record<string, QueuePlan>>;
}

export interface HttpPlan {
  readonly base_url: string;
  /** Host patterns a credential may be sent to (`*.example.com`); always filled: without `hosts`, the literal hosts of base_url, login and token URLs. */
  readonly hosts: readonly string[];
  readonly headers: Readonly<Record<string, Value>>;
  readonly query: Readonly<Record<string, Value>>;
  readonly auth?: AuthPlan;
  readonly limits: Readonly<Record<string, LimitPlan>>;
  /** In order of precedence: a stream's own rules come before these. */
  readonly errors: Readonly<Record<string, ErrorRulePlan>>;
  readonly timeouts: Partial<TimeoutsPlan>;
  /** Decompressed bytes one answer may have. */
  readonly max_body_bytes?: number;
}

/** Seconds. `total` covers one try of one request, and always wins. */
export interface TimeoutsPlan { readonly connect: number; readonly headers: number; readonly idle: number; readonly total: number }

/** A component as written: its `type` picks the file in engine/components/<kind>/, the rest is that component's spec, defaults filled. */
export interface ComponentPlan { readonly type: string; readonly [option: string]: Json }

/** One authenticator, or with `by` one of several named ones, picked by an expression over the variables. */
export interface AuthPlan {
  readonly by?: Expression;
  readonly named: Readonly<Record<string, ComponentPlan>>;
}

export interface LimitPlan {
  readonly per: "account" | "app" | "connection";
  readonly max?: number;
  readonly every_seconds?: number;
  readonly at_once?: number;
  /** Glob over the request's path: `*` is any run of characters. Absent: every request. */
  readonly path?: string;
  readonly from_headers?: { readonly limit?: string; readonly remaining: string; readonly reset: string };
}

export interface ErrorRulePlan {
  /** Over `status headers body` and the variables. */
  readonly when: Expression;
  readonly do: "retry" | "fail" | "skip_stream" | "ignore" | "wait";
  readonly until?: Expression;
  readonly say?: Value;
}

export interface RequestPlan {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Template, path-escaped; an absent value in it is an error. A full URL is allowed where hosts allow it. */
  readonly path: string;
  readonly base_url?: string;
  /** A map of values, or one `=` expression that gives the map. */
  readonly query?: Value;
  readonly headers?: Value;
  readonly body?: { readonly encoding: "json" | "form" | "text"; readonly value: Value };
  /** `none`, or the name of one of the connector's authenticators; absent: the connector's default. */
  readonly auth?: string;
  readonly as?: ComponentPlan;
  /** When true of the answer, it holds no records and that is fine. */
  readonly empty?: Expression;
  readonly errors: Readonly<Record<string, ErrorRulePlan>>;
}

export interface CheckPlan {
  readonly by?: Expression;
  readonly named: Readonly<Record<string, { readonly request: RequestPlan; readonly each?: Expression; readonly account?: Expression; readonly label?: Expression }>>;
}

/** `list`, or `changes` once there is a checkpoint. */
export interface DoorPlan {
  readonly request: RequestPlan;
  /** Over the body; `$` when absent in the manifest. */
  readonly records: Expression;
  readonly pagination?: ComponentPlan;
}

export interface StreamPlan {
  /** The values the fragment was used with: the variable `with`. */
  readonly with: JsonObject;
  /** One expression, or several for a composite key. Over the record. */
  readonly key: readonly Expression[];
  /** Orders versions of one record; default: the cursor's field. */
  readonly version?: Expression;
  readonly list?: DoorPlan;
  readonly changes?: DoorPlan;
  readonly one?: { readonly request: RequestPlan; readonly records?: Expression; readonly gone?: Expression };
  readonly cursor?: ComponentPlan;
  /** Path under which the provider keeps selectable fields (`properties`): `select` lists what is below it. */
  readonly select?: string;
  /** Path in the record → how to read it (`integer`, `number`, `boolean`, `ms_date`, `datetime(pattern, zone)`). */
  readonly types: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, ErrorRulePlan>>;
  /** JSON Schema of the record, where the connector ships one. */
  readonly schema?: JsonObject;
}

export interface EntityPlan {
  /** The merged JSON Schema: catalogue, workspace. `custom` is an object of the tenant's own fields. */
  readonly schema: JsonObject;
  /** Fields that join contributions into one row: any of them suffices. Empty: every contribution is its own row. */
  readonly match: readonly string[];
  /** Connections in order of precedence, field by field; or `newest` by row. */
  readonly prefer: readonly string[] | "newest";
  /** Names of the tenant's `custom.*` fields that any of its mappings fill. */
  readonly custom: readonly string[];
  /** Most live rows that the contract covers, and as `limits` calls them; absent: as many as come. */
  readonly limit?: { readonly name: string; readonly most: number };
}

export interface FlowPlan {
  readonly name: string;
  readonly title?: string;
  readonly enabled: boolean;
  readonly connection: string;
  /** Key of the plan's `connectors`. */
  readonly connector: string;
  readonly stream: string;
  readonly schedule?: { readonly every_seconds: number } | { readonly cron: string; readonly time_zone: string };
  /** A full re-read at most this often, which finds deletions. */
  readonly sweep_seconds?: number;
  readonly map?: MappingPlan;
  readonly to: { readonly entity: string };
  /** The record's fields (below the stream's `select`) that mapping, where, key and cursor read: sorted, unique. Empty: any may be read, so none may be left out. */
  readonly select: readonly string[];
  /** Stamped on what this flow stores: tenant's, then connection's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly caps: { readonly pages?: number; readonly records?: number; readonly seconds?: number };
  /** Share (0–1) and number of quarantined records beyond which the run fails; both must be passed for the share, either for the number. */
  readonly quarantine: { readonly share: number; readonly count: number };
}

export interface MappingPlan {
  readonly id?: string;
  /** Over the record: true keeps it. */
  readonly where?: Expression;
  /** Target field (dotted: `custom.division`) → how it is made. */
  readonly fields: Readonly<Record<string, FieldPlan>>;
  /** Target fields that are texts made from a file beside the mapping: its name, and what it said when the plan was made. */
  readonly templates?: Readonly<Record<string, { readonly file: string; readonly text: string }>>;
}

export type FieldPlan =
  | { readonly expression: Expression }
  | { readonly constant: number | boolean }
  /** A reference to a row of another entity by its origin's key. */
  | { readonly ref: string; readonly key: Expression };

// ── feeds ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a pushed and a polled feed have in common: how a request is split, identified and routed, and what its items mean. */
export interface FeedPlan {
  readonly title?: string;
  /** `app`: one address for all customers; each item finds its connection by `account`. */
  readonly scope?: "app";
  /** The values a fragment was used with: the variable `with`. */
  readonly with: JsonObject;
  /** Splits a request into items; absent: the body is the one item. Over `body headers request` and the variables. */
  readonly each?: Expression;
  /** Over the item. Empty, or one of them absent: the item has no id, and is thin. */
  readonly id: readonly Expression[];
  readonly at?: Expression;
  readonly account?: Expression;
  readonly echo?: Expression;
  readonly events: Readonly<Record<string, FeedEventPlan>>;
}

/** What an item means. All events whose `when` holds apply. */
export interface FeedEventPlan {
  readonly when?: Expression;
  readonly stream: string;
  /** Absent: the stream's own key, over `record`. */
  readonly key?: readonly Expression[];
  /** The record itself. Absent: it is read by the stream's `one`. */
  readonly record?: Expression;
  readonly deleted?: boolean | Expression;
}

export interface WebhookPlan extends FeedPlan {
  /** One verifier, or with `by` one of several. Its options are templates where its schema says so. */
  readonly verify: { readonly by?: Expression; readonly named: Readonly<Record<string, ComponentPlan>> };
  /** In order; the first whose `when` holds answers, and an item is looked for only where it does not say `handshake`. None: 200, empty. */
  readonly replies: readonly ReplyPlan[];
  /** Requests that register, renew and remove the address at the provider. */
  readonly subscribe: Readonly<Record<string, PollPlan>>;
  /** How its bodies are written, whatever a request says; absent: JSON. */
  readonly encoding?: "form";
  /** Bytes a request's body may have; absent: 1 MiB. At most 10 MiB. */
  readonly max_body_bytes?: number;
}

export interface ReplyPlan {
  readonly name?: string;
  readonly when?: Expression;
  /** The request only asks whether somebody is there: it carries no items. */
  readonly handshake?: true;
  /** The provider does not sign it: a handshake that is answered before anything is proven. */
  readonly unsigned?: true;
  readonly status: number;
  readonly headers?: Value;
  readonly text?: Value;
  readonly json?: Value;
}

export interface QueuePlan extends FeedPlan {
  readonly request: RequestPlan;
  readonly pagination?: ComponentPlan;
  readonly cursor?: ComponentPlan;
  /** Run once the items are committed: acknowledgements. */
  readonly after: Readonly<Record<string, PollPlan>>;
  readonly at_once?: number;
  readonly every_seconds: number;
}

/** A request around another one: before it, after it, or repeated `until` something holds. */
export interface PollPlan {
  readonly request: RequestPlan;
  readonly until?: Expression;
  readonly every_seconds?: number;
  readonly within_seconds?: number;
}

// ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ActionPlan {
  readonly title?: string;
  /** Field → its JSON Schema. */
  readonly input: Readonly<Record<string, JsonObject>>;
  readonly with: JsonObject;
  readonly request: RequestPlan;
  readonly before: Readonly<Record<string, PollPlan>>;
  readonly after: Readonly<Record<string, PollPlan>>;
  /** The stream whose record it makes, changes or deletes: what `save` picks it by. */
  readonly effect?: { readonly does: "creates" | "updates" | "deletes" | "upserts"; readonly stream: string };
  /** Most inputs of one request (`inputs`). Absent: one (`input`). */
  readonly batch?: number;
  /** The result of each input, over the answer: in order, or as `match` says. */
  readonly results?: Expression;
  /** What names a result's input, over the result and over the input; equal as text. `input` absent: its place, from 0. */
  readonly match?: { readonly result: Expression; readonly input?: Expression };
  readonly refused?: Expression;
  readonly say?: Value;
  readonly returns?: { readonly key?: readonly Expression[]; readonly version?: Expression };
  readonly once: OncePlan;
  readonly irreversible: boolean;
  /** Whether any part of it names `current`: the record is then read by the stream's `one` first. */
  readonly reads_current: boolean;
}

/** How a second try is harmless. `never`: it is not. */
export type OncePlan =
  | { readonly is: "repeatable" }
  | { readonly is: "never" }
  | {
    readonly is: "guarded";
    /** The idempotency key, sent by the request itself as `delivery.key` unless written otherwise. */
    readonly key?: Expression;
    readonly valid_for_seconds?: number;
    /** Looks for what the first try made; trusted `settle_seconds` after it. */
    readonly find?: { readonly request: RequestPlan; readonly key: readonly Expression[]; readonly records?: Expression };
    readonly settle_seconds?: number;
    /** True of the answer with which the provider refuses a duplicate; `existing`: the key of what is there already. */
    readonly unique?: Expression;
    readonly existing?: Expression;
  };

/** `from: { change … }` → `to: { action | save | webhook }`. */
export interface ChangeFlowPlan {
  readonly name: string;
  readonly title?: string;
  readonly enabled: boolean;
  readonly entity: string;
  /** Over the row after the change; fires when true, and not before. */
  readonly becomes?: Expression;
  /** Over `before` and `after`; a plain filter. */
  readonly when?: Expression;
  readonly map?: MappingPlan;
  /** Value name → what is made once per delivery. */
  readonly mint: Readonly<Record<string, { readonly token: string; readonly about?: Value; readonly valid_seconds?: number }>>;
  /** The role whose person must approve each delivery. */
  readonly hold_for?: string;
  readonly to: ChangeTarget;
  readonly labels: Readonly<Record<string, string>>;
}

export type ChangeTarget =
  | { readonly action: string; readonly connection: string; /** Key of the plan's `connectors`. */ readonly connector: string }
  | { readonly save: string; readonly connection: string; readonly connector: string }
  /** An endpoint of the tenant, or the operator's of that name. */
  | { readonly webhook: string };
