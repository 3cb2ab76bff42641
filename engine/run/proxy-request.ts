/**
 * One request that somebody else composed, sent with a connection's credential: the same transport, egress guard, hosts,
 * limits, time-outs and caps as a run, one try, and nothing of the credential in what comes back.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Answer, OutgoingRequest, Variables } from "../components/kinds.ts";
import { encodePairs } from "../components/shared/percent.ts";
import type { ConnectionPlan, ConnectorPlan, RequestPlan } from "../plan/types.ts";
import type { CheckPorts } from "./check-connection.ts";
import { compileCall, createExchange, type Call } from "./exchange.ts";
import { createPause } from "./pause.ts";
import type { ConnectionValues } from "./ports.ts";
import { createRedactor } from "./redact.ts";
import { StreamSkipped, Waiting } from "./stops.ts";
import { effectiveConfig, secretsOf } from "./variables.ts";

export interface ProxyRequest {
  readonly tenant: { readonly id: string; readonly title: string };
  /** Name of the connection. */
  readonly connection: string;
  readonly connector: ConnectorPlan;
  readonly plan?: Pick<ConnectionPlan, "config" | "locks">;
  readonly values: ConnectionValues;
  readonly method: string;
  /** Below base_url, percent-encoded, without query: `crm/v3/objects/contacts`. Never a template. */
  readonly path: string;
  /** As it stands in the address, without `?`. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

export interface ProxyAnswer {
  readonly status: number;
  /** Only those that may pass; clean of secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** `GET /v1/people`, clean of secrets. */
  readonly label: string;
}

/** What a caller needs to read an answer; cookies and everything about the connection itself stay here. */
const PASSES = /^(content-type|content-language|content-disposition|etag|last-modified|location|link|retry-after|preference-applied|x-total-count|x-total-pages|(x-)?rate-?limit(-[a-z-]+)?)$/;

/** @throws PlugboardError AUTH_ (credential, host), RUN_ (everything that keeps the provider from answering), SERVER_PROXY_PATH; without secrets. */
export async function proxyRequest(asked: ProxyRequest, ports: CheckPorts): Promise<ProxyAnswer> {
  const { connector, connection, values, signal } = asked;
  const { http } = connector;
  if (http === undefined) throw new PlugboardError("RUN_REQUEST", { where: `connection ${connection}`, detail: "its connector sends no requests", suggestion: "" });
  const config = effectiveConfig(connector, asked.plan, values.config);
  const redactor = createRedactor(secretsOf(connector, config), asked.tenant.id);
  const variables: Variables = {
    config, account: values.account, tenant: asked.tenant, inputs: {}, connection: { id: connection }, with: {}, now: ports.clock.now(),
    run: { id: "proxy", started_at: new Date(ports.clock.now()).toISOString(), mode: "full" },
  };
  let last: Answer | undefined;
  const exchange = createExchange({
    connector, http, config, ports, signal, redactor, tries: 1, spent: { requests: 0, retries: 0, bytes: 0 },
    owner: { connector: connector.id, tenant: asked.tenant.id, connection, account: values.account?.id },
    pause: createPause({ clock: ports.clock, signal, show: () => {} }),
    log: (line) => { ports.log({ ...line, message: redactor.text(line.message) }); },
    probe: () => {},
  });
  let label = `${asked.method} /`;
  try {
    const call = callOf(asked, (built) => { label = redactor.text(built.label); }, (answer) => { last = answer; });
    last = (await exchange.send(call, variables)).answer;
  } catch (thrown) {
    // The provider did answer: what it said is the caller's to read.
    if (!(thrown instanceof PlugboardError && last !== undefined && (thrown.code === "AUTH_REFUSED" || thrown.code === "RUN_RATE_LIMITED"))) throw clean(thrown, redactor, ports.clock.now());
  }
  const { status, headers, body } = last!;
  return {
    status, label, bytes: cleanBytes(body instanceof Uint8Array ? body : new Uint8Array(), redactor),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => PASSES.test(name)).map(([name, value]) => [name, redactor.text(value)])),
  };
}

/** The connector's own address, headers and query under what was asked; every answer counts, only 401 and 429 are looked at. */
function callOf(asked: ProxyRequest, built: (request: OutgoingRequest) => void, seen: (answer: Answer) => void): Call {
  const { connector } = asked;
  const plan: RequestPlan = { method: "GET", path: "/", errors: {} };
  const base = compileCall(plan, connector, connector.http!, "proxy");
  return {
    ...base, rules: [],
    decoder: { accept: asked.headers["accept"] ?? "*/*", decode: (bytes) => bytes },
    request: {
      where: "proxy",
      async build(variables, accept) {
        const frame = await base.request.build(variables, accept);
        const url = below(frame.url, asked.path);
        url.search = joinedQuery(frame.url.searchParams, asked.query);
        for (const [name, value] of Object.entries(asked.headers)) if (!frame.headers.has(name)) frame.headers.set(name, value);
        const request: OutgoingRequest = { method: asked.method, url, headers: frame.headers, body: asked.body, label: `${asked.method} ${url.pathname}` };
        built(request);
        return request;
      },
    },
    empty: {
      text: "status != 401 and status != 429", reads: [["status"]], variables: [],
      evaluate(root: unknown) {
        const { status, headers, body } = root as Answer;
        seen({ status, headers, body, bytes: 0, url: "" });
        return status !== 401 && status !== 429;
      },
    },
  };
}

/** An address that leaves base_url could reach what belongs to another customer of the same provider. */
function below(base: URL, path: string): URL {
  const refuse = (): never => { throw new PlugboardError("SERVER_PROXY_PATH", { path: path.slice(0, 200) }); };
  for (let text = path, round = 0; round < 3; round++) {
    if (text.split(/[/\\]/).some((segment) => segment === "." || segment === "..")) refuse();
    try {
      text = decodeURIComponent(text);
    } catch {
      break;
    }
  }
  const root = base.pathname.replace(/\/+$/, "");
  const url = new URL(base);
  url.pathname = `${root}/${path.replace(/^\/+/, "")}`;
  if (url.origin !== base.origin || !url.pathname.startsWith(`${root}/`)) refuse();
  return url;
}

/** What the connector always sends cannot be said differently. */
function joinedQuery(own: URLSearchParams, asked: string): string {
  const others = asked.split("&").filter((pair) => pair !== "" && !own.has(nameOf(pair)));
  return [encodePairs(Object.fromEntries(own)), ...others].filter((part) => part !== "").join("&");
}

const nameOf = (pair: string): string => new URLSearchParams(pair).keys().next().value ?? "";

/** Text stays text; in bytes that are no text a secret is still found, as long as it is ASCII. */
function cleanBytes(bytes: Uint8Array, redactor: ReturnType<typeof createRedactor>): Uint8Array {
  const given = Buffer.from(bytes);
  const encoding = given.length > 0 && Buffer.from(given.toString("utf8"), "utf8").equals(given) ? "utf8" : "latin1";
  const text = given.toString(encoding);
  const cleaned = redactor.text(text);
  return cleaned === text ? given : Buffer.from(cleaned, encoding);
}

function clean(thrown: unknown, redactor: ReturnType<typeof createRedactor>, now: number): unknown {
  if (thrown instanceof PlugboardError) return redactor.error(thrown);
  if (thrown instanceof Waiting) return new PlugboardError("RUN_WAITING", { until: new Date(thrown.until).toISOString(), say: redactor.text(thrown.reason) }, { retryAfterSeconds: Math.max(1, (thrown.until - now) / 1000) });
  if (thrown instanceof StreamSkipped) return new PlugboardError("RUN_STREAM_SKIPPED", { stream: "proxy", say: redactor.text(thrown.reason) });
  return thrown;
}
