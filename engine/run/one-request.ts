/**
 * Single requests at a connection, outside of runs: an action, the lookup for what it did, the read of one record. The same
 * builder, authenticators, limits, hosts guard and time-outs as a run; one try, because whoever asks knows whether another is
 * harmless; and for each request that failed, whether anything of it can have reached the provider.
 */
import { retryAfterSeconds } from "../components/shared/retry-after.ts";
import type { Answer, OutgoingRequest, RawAnswer, Transport, Variables } from "../components/kinds.ts";
import { catalog } from "../errors/catalog.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { ConnectionPlan, ConnectorPlan, HttpPlan } from "../plan/types.ts";
import type { CheckPorts } from "./check-connection.ts";
import { createExchange, type Call } from "./exchange.ts";
import { createPause, type Pause } from "./pause.ts";
import type { ConnectionValues, LogLine } from "./ports.ts";
import { createRedactor, type Redactor } from "./redact.ts";
import { StreamSkipped, Waiting } from "./stops.ts";
import { effectiveConfig, secretsOf, withoutSecrets } from "./variables.ts";

/** Characters of a body that are kept of an exchange. */
const SHOWN_CHARACTERS = 20_000;

/** A request and its answer, for people: secrets masked, bodies cut. */
export interface SeenExchange {
  /** ISO instant. */
  readonly at: string;
  readonly milliseconds: number;
  readonly request: { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string };
  /** Absent: there was none; `error` says why. */
  readonly answer?: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body?: string };
  readonly error?: string;
}

/** `seen` is told of every request that was sent, sign-in requests left out. */
export type OnePorts = CheckPorts & { readonly seen?: (exchange: SeenExchange) => void };

/** Where single requests go. */
export interface ConnectionAt {
  readonly tenant: { readonly id: string; readonly title: string };
  /** Name of the connection. */
  readonly connection: string;
  readonly connector: ConnectorPlan;
  /** Of the plan: its defaults and locks. */
  readonly plan?: Pick<ConnectionPlan, "config" | "locks">;
  readonly values: ConnectionValues;
  /** Beside config, account, tenant and connection: inputs, labels, mint, run. */
  readonly variables?: Variables;
  readonly signal: AbortSignal;
}

/** What one try of one request came to. */
export type Sent =
  | { readonly is: "answered"; readonly answer: Answer; /** `empty:` holds of it. */ readonly empty: boolean; /** Said by an error rule `do: ignore`. */ readonly ignored?: string }
  | Failure;

export interface Failure {
  readonly is: "failed";
  /** Without secrets. */
  readonly error: PlugboardError;
  /** Something of the request may have reached the provider. */
  readonly left: boolean;
  /** Of its answer, where one came. */
  readonly status?: number;
  /** The provider, an error rule or a limit asks to come back: milliseconds from now. */
  readonly after?: number;
  /** An error rule decided `retry` or `wait`. */
  readonly again: boolean;
}

export interface OneRequest {
  readonly http: HttpPlan;
  readonly redactor: Redactor;
  readonly pause: Pause;
  readonly variables: Variables;
  log(line: LogLine): void;
  /** Those variables as expressions over answers see them. */
  visible(variables: Variables): Variables;
  /** Throws only what is a bug. */
  send(call: Call, variables: Variables): Promise<Sent>;
}

/** @throws PlugboardError RUN_REQUEST for a connector that sends nothing. */
export function requestsAt(at: ConnectionAt, ports: OnePorts, purpose: string): OneRequest {
  const { connector, connection, signal, tenant, values } = at;
  const { http } = connector;
  if (http === undefined) throw new PlugboardError("RUN_REQUEST", { where: `connection ${connection}`, detail: "its connector sends no requests", suggestion: "Say http in the connector." });
  const { clock } = ports;
  const config = effectiveConfig(connector, at.plan, values.config);
  const redactor = createRedactor(secretsOf(connector, config));
  const variables: Variables = {
    inputs: {}, run: { id: purpose, started_at: new Date(clock.now()).toISOString(), mode: "full" }, ...at.variables,
    config, account: values.account, tenant, connection: { id: connection }, with: {}, now: clock.now(),
  };
  const pause = createPause({ clock, signal, show: () => {} });
  const log = (line: LogLine): void => { ports.log({ ...line, message: redactor.text(line.message) }); };

  /** The request that is asked for, once it is built: sign-in requests beside it are none of its outcome. */
  let main: OutgoingRequest | undefined;
  let state: { left: boolean; raw?: RawAnswer; after?: number; again: boolean } = { left: false, again: false };
  const transport: Transport = {
    async send(request, options) {
      if (request !== main) return ports.transport.send(request, options);
      state = { left: true, again: false };
      const begun = clock.now();
      try {
        const raw = await ports.transport.send(request, options);
        state.raw = raw;
        const seconds = retryAfterSeconds(raw.headers["retry-after"], clock.now());
        if (seconds !== undefined) state.after = seconds * 1000;
        return raw;
      } catch (thrown) {
        if (thrown instanceof PlugboardError && (thrown.params["unsent"] === true || thrown.code === "RUN_EGRESS" || thrown.code === "RUN_REQUEST")) state.left = false;
        throw thrown;
      } finally {
        ports.seen?.(shown(request, state.raw, begun, clock.now(), redactor));
      }
    },
    close: () => ports.transport.close(),
  };
  const exchange = createExchange({
    connector, http, config, ports: { ...ports, transport }, signal, redactor, pause, tries: 1, spent: { requests: 0, retries: 0, bytes: 0 },
    owner: { connector: connector.id, tenant: tenant.id, connection, account: values.account?.id },
    log, probe: () => {},
  });

  return {
    http, redactor, pause, variables, log,
    visible: (all) => withoutSecrets(connector, all),
    async send(call, all) {
      main = undefined;
      state = { left: false, again: false };
      try {
        const { answer, empty, ignored } = await exchange.send(watched(call), all);
        return { is: "answered", answer, empty, ...(ignored === undefined ? {} : { ignored: redactor.text(ignored) }) };
      } catch (thrown) {
        const { left, raw, again, after } = state;
        const label = (main as OutgoingRequest | undefined)?.label ?? call.request.where;
        const failed = (error: PlugboardError, wait = after): Failure => ({ is: "failed", error: redactor.error(error), left, again, ...(raw === undefined ? {} : { status: raw.status }), ...(wait === undefined ? {} : { after: wait }) });
        if (thrown instanceof Waiting) return failed(new PlugboardError("RUN_WAITING", { until: new Date(thrown.until).toISOString(), say: thrown.reason }), Math.max(0, thrown.until - clock.now()));
        if (thrown instanceof StreamSkipped) return failed(new PlugboardError("RUN_RULE", { say: thrown.reason, rule: "skip_stream", status: raw?.status ?? 0, request: label }));
        if (signal.aborted) return failed(new PlugboardError("RUN_NETWORK", { request: label, detail: "the worker was told to stop", suggestion: "" }));
        if (thrown instanceof PlugboardError) return failed(thrown, thrown.code === "RUN_WAITING" ? Math.max(0, Date.parse(String(thrown.params["until"])) - clock.now()) : after);
        if (!left) throw thrown;
        // A bug of ours must not make anybody send it again.
        return failed(new PlugboardError("RUN_NETWORK", { request: label, detail: (thrown as Error).message, suggestion: "" }));
      }
    },
  };

  function watched(call: Call): Call {
    return {
      ...call,
      request: { where: call.request.where, build: async (all, accept) => (main = await call.request.build(all, accept)) },
      rules: call.rules.map((each) => ({ ...each, rule: { decide: async (...given) => {
        const decision = await each.rule.decide(...given);
        state.again = decision.do === "retry" || decision.do === "wait";
        return decision;
      } } })),
    };
  }
}

/** What a failed request means to whoever only reads: come back, sign in again, or never. */
export function whatToDo({ error, after }: Failure): { readonly is: "retry"; readonly reason: string; readonly after?: number } | { readonly is: "auth"; readonly reason: string } | { readonly is: "failed"; readonly reason: string; readonly error: PlugboardError } {
  if (isAuth(error)) return { is: "auth", reason: error.message };
  const passes = catalog[error.code].retry === "backoff" && !(error.code === "RUN_HTTP_STATUS" && !passing(Number(error.params["status"])));
  return passes ? { is: "retry", reason: error.message, ...(after === undefined ? {} : { after }) } : { is: "failed", reason: error.message, error };
}

/** The credential is missing or refused; trying again does not mend it. A token request that failed may pass. */
export const isAuth = ({ code }: PlugboardError): boolean => code.startsWith("AUTH_") && code !== "AUTH_HOST_NOT_ALLOWED" && catalog[code].retry !== "backoff";

/** 408 and 425: the provider says itself that it did nothing (RFC 9110 §15.5.9, RFC 8470 §5.2). */
export const passing = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

function shown(request: OutgoingRequest, raw: RawAnswer | undefined, begun: number, ended: number, redactor: Redactor): SeenExchange {
  const body = bodyText(request.body, redactor);
  const answered = raw && bodyText(raw.bytes, redactor);
  return {
    at: new Date(begun).toISOString(), milliseconds: Math.round(ended - begun), request: { ...showRequest(request, redactor), ...(body === undefined ? {} : { body }) },
    ...(raw === undefined ? { error: "no answer" } : { answer: { status: raw.status, headers: redactor.data(raw.headers), ...(answered === undefined ? {} : { body: answered }) } }),
  };
}

const showRequest = (request: OutgoingRequest, redactor: Redactor): { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>> } =>
  ({ method: request.method, url: redactor.text(request.url.href), headers: redactor.data(Object.fromEntries(request.headers)) });

function bodyText(body: string | Uint8Array | undefined, redactor: Redactor): string | undefined {
  if (body === undefined || body.length === 0) return undefined;
  const text = redactor.text(typeof body === "string" ? body : new TextDecoder().decode(body));
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
