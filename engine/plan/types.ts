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
  /** The entities that the flows write, by id. */
  readonly entities: Readonly<Record<string, EntityPlan>>;
  readonly flows: Readonly<Record<string, FlowPlan>>;
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
}

export type FieldPlan =
  | { readonly expression: Expression }
  | { readonly constant: number | boolean }
  /** A reference to a row of another entity by its origin's key. */
  | { readonly ref: string; readonly key: Expression };
