/**
 * What each kind of component is. A component is one file, `<kind>/<type>.ts`, with one schema and one test; its comments
 * here are its contract. Components never import each other; shared arithmetic lives in ./shared. A component is compiled
 * once, when a run starts (`build`, may throw with a location), and interprets no configuration afterwards.
 *
 *   page token   what fetches the next page; JSON, because a checkpoint keeps it
 *   variables    what a request may name: config, account, tenant, inputs, page, cursor, partition, key, select, with, run
 */
import type { CompiledExpression, CompiledTemplate, TemplateSink } from "../expression/index.ts";
import type { ComponentPlan, ErrorRulePlan, LimitPlan, Value } from "../plan/types.ts";
import type { Json, JsonObject } from "../manifest/types.ts";

export type Variables = Readonly<Record<string, unknown>>;

/** An expression's value, or a promise of it where its engine needs one: `await` takes both. */
export type Eventual<T> = T | Promise<T>;

/** What a component may use while it is built. Problems point into the manifest. */
export interface BuildContext {
  /** Where in the manifest the component stands, for messages: `streams.contacts.pagination`. */
  readonly where: string;
  compile(expression: string, field: string): CompiledExpression;
  template(text: string, sink: TemplateSink, field: string): CompiledTemplate;
  /** Compiles a YAML value; rendering gives the tree (or a promise of it) with absent members left out, `undefined` for an absent whole. */
  value(value: Value, sink: TemplateSink, field: string): (variables: Variables) => unknown;
}

/** A request, ready to send: everything rendered, the credential not yet applied. */
export interface OutgoingRequest {
  readonly method: string;
  url: URL;
  headers: Headers;
  body: string | Uint8Array | undefined;
  /** Short form for messages, without query and secrets: `POST /crm/v3/objects/contacts/search`. */
  readonly label: string;
}

/** An answer, decompressed and decoded. `body` is undefined when there was none. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Bytes after decompression. */
  readonly bytes: number;
  /** The address that answered, after redirects. */
  readonly url: string;
}

// ── auth ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface AuthContext {
  readonly variables: Variables;
  /**
   * Sends a login or token request through the same guard, limits and time-outs as every other request.
   * @param limits `tries` where sending it again is not harmless; `seconds` for all of them together.
   */
  send(request: OutgoingRequest, limits?: { readonly tries: number; readonly seconds: number }): Promise<Answer>;
  /** The connection's short-lived token, encrypted at rest and shared by all workers. */
  readonly token: TokenPort;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The error AUTH_MISSING_CREDENTIAL for a template that gave nothing, naming the config field among `reads` that is empty. */
  missing(reads: readonly (readonly string[])[]): Error;
  /** From now on this value never appears in a log line or an error. */
  secret(value: string): void;
}

/** `expires_at`: milliseconds since the epoch; absent when the provider does not say. */
export interface Token { readonly value: string; readonly expires_at?: number }

export interface TokenPort {
  read(): Promise<Token | undefined>;
  write(token: Token): Promise<void>;
  clear(): Promise<void>;
  /** What a person's consent gave; absent where nothing keeps one (a run without a database). */
  readonly consent?: ConsentPort;
}

/** What a consent gave. `version` grows with every renewal. */
export interface Consent extends Renewed { readonly version: number }
/** `expires_at`: of the access token, milliseconds since the epoch. Without `refresh` it cannot be renewed. */
export interface Renewed { readonly access: string; readonly expires_at?: number; readonly refresh?: string }

export interface ConsentPort {
  /** @throws PlugboardError AUTH_RECONNECT when the provider took it back. */
  read(): Promise<Consent | undefined>;
  /**
   * Renews the consent that has `version`, unless that happened already. `ask` is called by one worker at a time, with what is
   * stored now; everybody else waits and reads what it got. What it gives is stored before it is returned. `refused`: the
   * provider took the consent back, which counts only if nobody renewed it meanwhile.
   * @throws PlugboardError AUTH_RECONNECT; what `ask` throws, and then the next one may try.
   */
  renew(version: number, ask: (consent: Consent) => Promise<Renewed | "refused">): Promise<Consent>;
}

/** Puts the credential on a request. Never logs; never stores but through `token`. */
export interface Auth {
  apply(request: OutgoingRequest, context: AuthContext): Promise<void>;
  /** After a 401: forget what was applied. False: nothing fresher can be had, the credential itself is refused. */
  refresh?(context: AuthContext): Promise<boolean>;
  /** Of those for which a person signs in at the provider. */
  readonly signIn?: SignIn;
}

export interface SignIn {
  /** Where the person's browser is sent. `challenge`: of PKCE (S256), left out where the manifest says so. */
  authorizeUrl(context: AuthContext, asked: { readonly state: string; readonly redirectUri: string; readonly challenge: string }): Promise<URL>;
  /** @throws PlugboardError AUTH_TOKEN_REQUEST with what the provider said. */
  exchange(context: AuthContext, given: { readonly code: string; readonly redirectUri: string; readonly verifier: string }): Promise<Renewed>;
  /** Tells the provider that the consent ends; false where the manifest names no address for it. @throws PlugboardError */
  revoke(context: AuthContext, consent: Renewed): Promise<boolean>;
}

// ── pagination ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** JSON, kept in the checkpoint: a resumed run continues with it. */
export type PageToken = JsonObject;

export interface PageSeen {
  readonly token: PageToken;
  readonly answer: Answer;
  /** The page's records as decoded, before `where`. */
  readonly records: readonly unknown[];
  /** Everything the request saw, for `until` expressions. */
  readonly variables: Variables;
}

/** Decides what fetches the next page. Never sends anything. */
export interface Pagination {
  /** Token of the first page. */
  first(): PageToken;
  /** The variable `page`: `number offset token after size url`. A `url` is the whole next request: path, query and all. */
  page(token: PageToken): JsonObject & { readonly url?: string };
  /** Token of the page after this one; `undefined` ends the stream. */
  next(page: PageSeen): Promise<PageToken | undefined>;
}

// ── decoder ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Decoder {
  /** `Accept` header when the manifest sets none. */
  readonly accept: string;
  /** @throws PlugboardError RUN_NOT_DECODABLE naming the byte offset. */
  decode(bytes: Uint8Array, headers: Readonly<Record<string, string>>): unknown;
}

// ── cursor ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `[from, to)`, as ISO instants. `from` is absent on a first run without `start`. */
export interface Window { readonly from?: string; readonly to: string }

/** Orders a stream for incremental reading. Compares parsed instants, never text. */
export interface Cursor {
  readonly ordered: boolean;
  /** The record's instant; `undefined` when it has none. `milliseconds` since the epoch with fraction, `version` as decimal seconds with every digit. */
  valueOf(record: unknown, variables: Variables): Eventual<{ readonly milliseconds: number; readonly version: string } | undefined>;
  /** The window of the next run. `from`: where the last complete window ended. Clamps a `from` in the future to `to`. */
  window(from: string | undefined, nowMilliseconds: number, variables: Variables): Eventual<Window>;
  /** The variable `cursor`: `from` and `to` printed as the provider wants them. */
  print(window: Window): JsonObject;
}

// ── error_rule ──────────────────────────────────────────────────────────────────────────────────────────────────────

export type Decision =
  | { readonly do: "retry"; readonly after_seconds?: number; readonly reason: string }
  | { readonly do: "wait"; readonly until: number; readonly reason: string }
  | { readonly do: "fail"; readonly reason: string }
  | { readonly do: "skip_stream"; readonly reason: string }
  /** The answer counts as a page without records; a sweep is no longer complete. */
  | { readonly do: "ignore"; readonly reason: string };

/** What one `do:` of an error rule decides about an answer for which its `when` held. */
export interface ErrorRule {
  decide(answer: Answer, variables: Variables, nowMilliseconds: number): Eventual<Decision>;
}

// ── limiter ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A bucket's shared state lives in PostgreSQL behind this port, so that all workers keep one limit. */
export interface Buckets {
  /** Takes `1` from the bucket, or says in how many milliseconds to ask again. */
  take(bucket: string, limit: { readonly max: number; readonly every_seconds: number }): Promise<number>;
  /** Takes one of `at_once` places for at most `seconds`; `undefined` when all are taken. */
  enter(bucket: string, atOnce: number, seconds: number): Promise<string | undefined>;
  leave(bucket: string, place: string): Promise<void>;
  /** Nobody takes from the bucket before `until` (milliseconds since the epoch). */
  block(bucket: string, until: number): Promise<void>;
}

/** Says when, never sleeps. */
export interface Limiter {
  applies(request: OutgoingRequest): boolean;
  /** Milliseconds to wait before asking again; 0 grants. */
  take(bucket: string, buckets: Buckets): Promise<number>;
  /** Limits of places only: a place to be left once the answer is read, `undefined` when all are taken. Held at most `seconds`. */
  enter?(bucket: string, buckets: Buckets, seconds: number): Promise<string | undefined>;
  /** Learns from the answer's headers. */
  observe(answer: Answer, bucket: string, buckets: Buckets, nowMilliseconds: number): Promise<void>;
}

// ── transport ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SendOptions {
  readonly signal: AbortSignal;
  /** Seconds. */
  readonly timeouts: { readonly connect: number; readonly headers: number; readonly idle: number; readonly total: number };
  /** Decompressed bytes beyond which the answer is refused. */
  readonly maxBodyBytes: number;
}

export interface RawAnswer { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly bytes: Uint8Array; readonly url: string }

/** Caps, deadlines and the egress guard; no retry. A credential never crosses to another origin. */
export interface Transport {
  /** @throws PlugboardError; RUN_NETWORK and RUN_TIMEOUT with the parameter `unsent: true` where nothing of the request can have left. */
  send(request: OutgoingRequest, options: SendOptions): Promise<RawAnswer>;
  close(): Promise<void>;
}

// ── verifier ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A request that came in, as bytes: nothing of it was parsed yet. */
export interface IncomingRequest {
  readonly method: string;
  /** As the sender addressed it: scheme, host, path and query. */
  readonly url: string;
  /** Lower-case names; a header sent twice is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type Verdict =
  /**
   * `timestamp`: milliseconds since the epoch, as signed. `body`: the payload, where it is not the body itself (a token's claims).
   * `variables`: what the feed's expressions may name besides, because the verifier says `claims: <name>`.
   */
  | { readonly accepted: true; readonly timestamp?: number; readonly id?: string; readonly body?: unknown; readonly variables?: Variables }
  /** For logs and the events page; the sender is told nothing but 401. */
  | { readonly accepted: false; readonly reason: string };

/** Proves where a request comes from, on its raw bytes, in constant time, trying every secret that is current. Sends nothing. */
export interface Verifier {
  /** Never throws. `variables`: one set for each set of config values that is current; two while a secret is rotated. */
  verify(request: IncomingRequest, variables: readonly Variables[], nowMilliseconds: number): Promise<Verdict>;
}

// ── definitions ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ComponentDefinition<Kind extends string, Built> {
  readonly kind: Kind;
  readonly type: string;
  build(spec: ComponentPlan, context: BuildContext): Built;
}

const define = <Kind extends string, Built>(kind: Kind) =>
  <Spec>(type: string, build: (spec: Spec, context: BuildContext) => Built): ComponentDefinition<Kind, Built> =>
    ({ kind, type, build: (spec, context) => build(spec as unknown as Spec, context) });

export const defineAuth = define<"auth", Auth>("auth");
export const definePagination = define<"pagination", Pagination>("pagination");
export const defineDecoder = define<"decoder", Decoder>("decoder");
export const defineVerifier = define<"verifier", Verifier>("verifier");
export const defineCursor = define<"cursor", Cursor>("cursor");

export interface ErrorRuleDefinition { readonly kind: "error_rule"; readonly type: ErrorRulePlan["do"]; build(spec: ErrorRulePlan, context: BuildContext): ErrorRule }
export const defineErrorRule = (type: ErrorRulePlan["do"], build: ErrorRuleDefinition["build"]): ErrorRuleDefinition => ({ kind: "error_rule", type, build });

export interface LimiterDefinition { readonly kind: "limiter"; readonly type: string; build(spec: LimitPlan, context: BuildContext): Limiter }
export const defineLimiter = (type: string, build: LimiterDefinition["build"]): LimiterDefinition => ({ kind: "limiter", type, build });

export type { Json };
