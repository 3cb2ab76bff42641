/**
 * One request until its answer is decided: sign in, wait for the limits, send, decode, ask the rules, try again. What it gives is
 * an answer that may be read; everything else is thrown.
 */
import { backoffSeconds, MAX_TRIES } from "../components/shared/backoff.ts";
import { holds, overAnswer } from "../components/shared/answer-variables.ts";
import { showSeconds } from "../components/shared/duration.ts";
import { retryAfterSeconds } from "../components/shared/retry-after.ts";
import type { Answer, Auth, AuthContext, Decoder, ErrorRule, OutgoingRequest, Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { CompiledExpression } from "../expression/index.ts";
import type { AuthPlan, ConnectorPlan, ErrorRulePlan, HttpPlan, RequestPlan, TimeoutsPlan } from "../plan/types.ts";
import type { JsonObject } from "../manifest/types.ts";
import { buildComponent, buildDecoder, buildErrorRule, compileAt } from "./build-context.ts";
import { createGate, type Owner } from "./limits.ts";
import type { Pause } from "./pause.ts";
import type { LogLine, ProbePoint, RunPorts } from "./ports.ts";
import type { Redactor } from "./redact.ts";
import { checkHost, compileRequest, type CompiledRequest } from "./request-builder.ts";
import { StreamSkipped } from "./stops.ts";
import { missingCredential, withoutSecrets } from "./variables.ts";

/** Seconds. Reliability before patience: a provider that needs longer says so in its manifest. */
const DEFAULT_TIMEOUTS: TimeoutsPlan = { connect: 10, headers: 30, idle: 30, total: 120 };
const DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Characters of an answer shown in an error. */
const EXCERPT = 300;

export interface Call {
  readonly request: CompiledRequest;
  readonly decoder: Decoder;
  readonly auth: string | undefined;
  readonly empty: CompiledExpression | undefined;
  readonly rules: readonly CompiledRule[];
}

export interface CompiledRule { readonly name: string; readonly when: CompiledExpression; readonly rule: ErrorRule }

export interface Exchanged {
  readonly answer: Answer;
  /** Of the request, for messages. */
  readonly label: string;
  /** Said by the connector: this answer holds no records, and that is fine. */
  readonly empty: boolean;
  /** An `ignore` rule took it: a page without records, and the pass is no longer complete. */
  readonly ignored?: string;
}

export interface Exchange {
  send(call: Call, variables: Variables): Promise<Exchanged>;
  /** The authenticator that these variables pick, and what it works with; none for a connector that sends no credential. */
  authenticator(variables: Variables): Promise<{ readonly name: string; readonly auth: Auth; readonly context: AuthContext } | undefined>;
}

export interface ExchangeContext {
  readonly connector: ConnectorPlan;
  readonly http: HttpPlan;
  readonly owner: Owner;
  /** Of the connection: what the secrets stand in. */
  readonly config: JsonObject;
  readonly ports: Pick<RunPorts, "transport" | "buckets" | "clock" | "token">;
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
  readonly pause: Pause;
  readonly spent: { requests: number; retries: number; bytes: number };
  /** Tries of one request. 1 where whoever asks decides about another: what is refused for now is then theirs to know. @default MAX_TRIES */
  readonly tries?: number;
  log(line: LogLine): void;
  probe(point: ProbePoint): void | Promise<void>;
}

/** Compiles what belongs to one request: the stream's rules come before the connector's. */
export function compileCall(plan: RequestPlan, connector: ConnectorPlan, http: HttpPlan, where: string, streamRules: Readonly<Record<string, ErrorRulePlan>> = {}): Call {
  // A name written again nearer the request replaces the farther rule.
  const named = { ...plan.errors, ...without(streamRules, plan.errors), ...without(without(http.errors, streamRules), plan.errors) };
  return {
    request: compileRequest(plan, http, where, connector.id),
    decoder: buildDecoder(plan.as, where),
    auth: plan.auth,
    empty: plan.empty === undefined ? undefined : compileAt(plan.empty, `${where}.empty`),
    rules: Object.entries(named).map(([name, rule]) => ({ name, when: compileAt(String(rule.when), `${where}.errors.${name}.when`), rule: buildErrorRule(rule, `${connector.id}.errors.${name}`) })),
  };
}

const without = (rules: Readonly<Record<string, ErrorRulePlan>>, nearer: Readonly<Record<string, ErrorRulePlan>>): Record<string, ErrorRulePlan> =>
  Object.fromEntries(Object.entries(rules).filter(([name]) => nearer[name] === undefined));

/** What one try came to. */
type Tried<T> = { readonly done: T } | { readonly again: PlugboardError; readonly seconds?: number | undefined; readonly request?: OutgoingRequest; readonly shared?: boolean } | "at_once";

export function createExchange(context: ExchangeContext): Exchange {
  const { connector, http, owner, config, ports, signal, redactor, pause, spent, log, probe } = context;
  const { clock } = ports;
  const gate = createGate(http, owner, ports.buckets, pause);
  const authenticators = createAuthenticators(http.auth);
  const timeouts = { ...DEFAULT_TIMEOUTS, ...http.timeouts };
  /** Whether the provider has taken the present credential: a second 401 in a row means that it is refused. */
  let taken = true;

  function authContext(name: string, variables: Variables): AuthContext {
    return {
      variables, now: () => clock.now(), token: ports.token(name),
      secret: (value) => { redactor.learn(value); },
      missing: (reads) => missingCredential(connector, owner.connection, config, reads),
      send: (request, limits) => persist(async () => {
        const answer = await sendOnce({ ...request, url: new URL(request.url), headers: new Headers(request.headers) }, json, limits && { ...timeouts, total: Math.min(timeouts.total, limits.seconds / limits.tries) });
        return answer.status < 400 ? { done: answer } : (builtIn(answer, request) ?? { done: answer });
      }, limits?.tries),
    };
  }

  async function sendOnce(request: OutgoingRequest, decoder: Decoder, within = timeouts): Promise<Answer> {
    checkHost(request.url, http, connector.id);
    const admitted = await gate.enter(request, within.total);
    try {
      await probe("before_request");
      spent.requests += 1;
      const begun = clock.now();
      const raw = await ports.transport.send(request, { signal, timeouts: within, maxBodyBytes: http.max_body_bytes ?? DEFAULT_MAX_BODY_BYTES });
      await probe("after_response");
      spent.bytes += raw.bytes.length;
      log({ level: "debug", event: "request", message: `${request.label} → ${raw.status}, ${raw.bytes.length} bytes`, data: { status: raw.status, milliseconds: Math.round(clock.now() - begun) } });
      const answer: Answer = { status: raw.status, headers: raw.headers, bytes: raw.bytes.length, url: raw.url, body: decoded(raw, decoder, request) };
      await gate.observe(request, answer, clock.now());
      return answer;
    } finally {
      await admitted.leave();
    }
  }

  /** Tries until done. Waits between tries are ours, or the provider's; either is shared where all workers should leave it alone. */
  async function persist<T>(attempt: () => Promise<Tried<T>>, most = context.tries ?? MAX_TRIES): Promise<T> {
    for (let tries = 1; ;) {
      signal.throwIfAborted();
      const tried = await attempt().catch(again<T>);
      if (tried === "at_once") continue;
      if ("done" in tried) return tried.done;
      const seconds = tried.seconds ?? backoffSeconds(tries);
      if (tries >= most) {
        // One that is not tried again by us still tells the others to leave the provider alone.
        if (context.tries !== undefined && tried.shared === true && tried.request !== undefined) await gate.block(tried.request, clock.now() + seconds * 1000);
        throw tried.again;
      }
      if (tried.shared === true && tried.request !== undefined) await gate.block(tried.request, clock.now() + seconds * 1000);
      log({ level: "warn", event: "retry", message: `${redactor.text(tried.again.message)} (try ${tries} of ${most}) Asks again in ${showSeconds(seconds)}.`, data: { code: tried.again.code, try: tries, seconds: Math.round(seconds * 10) / 10 } });
      spent.retries += 1;
      tries += 1;
      await pause.for(seconds * 1000, String(tried.again.params["say"] ?? tried.again.message));
    }
  }

  async function decide(call: Call, request: OutgoingRequest, answer: Answer, variables: Variables, auth: Auth | undefined, authContextOf: () => AuthContext): Promise<Tried<Exchanged>> {
    const visible = withoutSecrets(connector, variables);
    const root = overAnswer(answer, visible);
    if (answer.status !== 401) taken = true;
    if (call.empty !== undefined && (await truth(call.empty, root, visible, `${call.request.where}.empty`))) return { done: { answer, label: request.label, empty: true } };
    for (const { name, when, rule } of call.rules) {
      if (!(await truth(when, root, visible, `errors.${name}`))) continue;
      const decision = await rule.decide(answer, visible, clock.now());
      const reason = redactor.text(decision.reason);
      switch (decision.do) {
        case "retry": return { again: statusError(answer, request, `: ${reason}`), seconds: decision.after_seconds, request, shared: answer.status === 429 };
        case "wait": {
          // Even a wait of nothing passes time: a rule that always holds must not spin.
          const seconds = Math.max(1, (decision.until - clock.now()) / 1000);
          return { again: new PlugboardError("RUN_WAITING", { until: new Date(decision.until).toISOString(), say: reason }), seconds, request, shared: true };
        }
        case "fail": throw new PlugboardError("RUN_RULE", { say: reason, rule: name, status: answer.status, request: request.label });
        case "skip_stream": throw new StreamSkipped(reason);
        case "ignore": return { done: { answer, label: request.label, empty: true, ignored: `${name}: ${reason}` } };
      }
    }
    if (answer.status >= 200 && answer.status < 300) return { done: { answer, label: request.label, empty: false } };
    if (answer.status === 401) {
      if (taken && auth?.refresh !== undefined && (await auth.refresh(authContextOf()))) {
        taken = false;
        return "at_once";
      }
      throw new PlugboardError("AUTH_REFUSED", { host: request.url.host, connection: owner.connection, status: answer.status, detail: excerpt(answer) });
    }
    return builtIn(answer, request) ?? fail(statusError(answer, request, `: ${excerpt(answer)}`));
  }

  /** The rules every connector has: 429 and what is known to pass. */
  function builtIn(answer: Answer, request: OutgoingRequest): Exclude<Tried<never>, { done: never }> | undefined {
    const seconds = retryAfterSeconds(answer.headers["retry-after"], clock.now());
    if (answer.status === 429) return { again: new PlugboardError("RUN_RATE_LIMITED", { host: request.url.host, status: 429, request: request.label }), seconds, request, shared: true };
    if (answer.status === 408 || answer.status === 425 || answer.status >= 500) return { again: statusError(answer, request, `: ${excerpt(answer)}`), seconds, request, shared: seconds !== undefined };
    return undefined;
  }

  /** A rule that cannot be evaluated on this answer does not hold; that is said once. */
  const complained = new Set<string>();
  async function truth(expression: CompiledExpression, root: Record<string, unknown>, variables: Variables, where: string): Promise<boolean> {
    try {
      return holds(await expression.evaluate(root, variables));
    } catch (thrown) {
      if (!complained.has(where)) log({ level: "warn", event: "rule", message: `${where} cannot be evaluated on an answer and counts as not true: ${(thrown as Error).message}` });
      complained.add(where);
      return false;
    }
  }

  function statusError(answer: Answer, request: OutgoingRequest, detail: string): PlugboardError {
    return new PlugboardError("RUN_HTTP_STATUS", { host: request.url.host, status: answer.status, request: request.label, detail, suggestion: suggestionFor(answer.status) });
  }

  function excerpt(answer: Answer): string {
    const text = typeof answer.body === "string" ? answer.body : answer.body === undefined ? "(no body)" : JSON.stringify(answer.body);
    return redactor.text(text).replace(/\s+/g, " ").slice(0, EXCERPT);
  }

  const json = buildDecoder(undefined, "http.auth");
  return {
    async authenticator(variables) {
      const name = await authenticators.pick(undefined, withoutSecrets(connector, variables));
      return name === undefined ? undefined : { name, auth: authenticators.get(name), context: authContext(name, variables) };
    },
    send: (call, variables) => persist(async () => {
      const request = await call.request.build(variables, call.decoder.accept);
      checkHost(request.url, http, connector.id);
      const name = await authenticators.pick(call.auth, withoutSecrets(connector, variables));
      const auth = name === undefined ? undefined : authenticators.get(name);
      if (name !== undefined) await auth?.apply(request, authContext(name, variables)).catch(notPlaceable);
      return decide(call, request, await sendOnce(request, call.decoder), variables, auth, () => authContext(name ?? "", variables));
    }),
  };
}

/** A credential that cannot stand where it is put, for example with a line break at its end. Its own message may repeat it. */
function notPlaceable(thrown: unknown): never {
  const known = thrown instanceof TypeError || (thrown as { problem?: unknown } | undefined)?.problem !== undefined;
  if (!known) throw thrown;
  throw new PlugboardError("RUN_REQUEST", { where: "http.auth", detail: "the credential cannot be sent as it is", suggestion: "Look for a line break, a blank or an unusual character in what was entered." }, { cause: thrown });
}

function createAuthenticators(plan: AuthPlan | undefined) {
  const built = new Map<string, Auth>();
  const by = plan?.by === undefined ? undefined : compileAt(plan.by, "http.auth.by");
  const names = Object.keys(plan?.named ?? {});
  const known = (name: string): string => {
    if (names.includes(name)) return name;
    throw new PlugboardError("RUN_REQUEST", { where: "http.auth", detail: `there is no authenticator '${name}'`, suggestion: `It has: ${names.join(", ")}.` });
  };
  return {
    async pick(wanted: string | undefined, variables: Variables): Promise<string | undefined> {
      if (wanted === "none" || plan === undefined || names.length === 0) return undefined;
      if (wanted !== undefined) return known(wanted);
      return by === undefined ? names[0] : known(String(await by.evaluate(variables, variables)));
    },
    get(name: string): Auth {
      let auth = built.get(name);
      if (auth === undefined) built.set(name, auth = buildComponent("auth", plan!.named[name]!, "http.auth"));
      return auth;
    },
  };
}

/** An error's body is shown to rules and people, whatever it is; a good answer must be what the manifest says. */
function decoded(raw: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly bytes: Uint8Array }, decoder: Decoder, request: OutgoingRequest): unknown {
  if (raw.bytes.length === 0) return undefined;
  try {
    return decoder.decode(raw.bytes, raw.headers);
  } catch (thrown) {
    if (raw.status >= 300) return new TextDecoder().decode(raw.bytes.subarray(0, 10_000));
    if (!(thrown instanceof PlugboardError)) throw thrown;
    throw new PlugboardError(thrown.code, { ...thrown.params, request: request.label }, { cause: thrown });
  }
}

/** Failures that pass: the connection, its time, a body that came in pieces. A certificate or an HTML page stays what it is. */
function again<T>(thrown: unknown): Tried<T> {
  if (!(thrown instanceof PlugboardError)) throw thrown;
  const passes = thrown.code === "RUN_NETWORK" || thrown.code === "RUN_TIMEOUT" || (thrown.code === "RUN_NOT_DECODABLE" && thrown.params["html"] !== true);
  if (!passes || thrown.params["permanent"] === true) throw thrown;
  return { again: thrown };
}

function fail(error: PlugboardError): never {
  throw error;
}

function suggestionFor(status: number): string {
  if (status === 403) return "The credential lacks a permission for this; an error rule `do: skip_stream` leaves the stream out.";
  if (status === 404) return "Check base_url and path.";
  if (status === 400 || status === 422) return "Check query and body of the request.";
  return "";
}

