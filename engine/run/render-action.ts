/** A dry write: the exact request that an action would send, secrets masked. Nothing is sent, not even to sign in. */
import type { Buckets, TokenPort } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { ConnectorPlan } from "../plan/types.ts";
import type { SeenExchange } from "./one-request.ts";
import { prepare, type ActionRequest } from "./perform-action.ts";

export interface RenderedAction {
  /** Absent when it cannot be built; `problem` says why. */
  readonly request?: { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>>; /** JSON where it is JSON. */ readonly body?: Json };
  readonly problem?: string;
  /** What would be asked first and is not known here, and what would follow. */
  readonly notes: readonly string[];
}

/** Stands for every secret: no real one is needed, and none is shown. */
const MASK = "masked-secret";

/** @throws PlugboardError RUN_REQUEST for an action that the connector does not have. */
export async function renderAction(asked: Omit<ActionRequest, "signal">, now: number): Promise<RenderedAction> {
  let seen: SeenExchange["request"] | undefined;
  const refused = new PlugboardError("RUN_REQUEST", { where: `actions.${asked.action}`, detail: "it asks the provider before it can sign in", suggestion: "" });
  const request: ActionRequest = { ...asked, signal: new AbortController().signal, values: { ...asked.values, config: masked(asked.connector, asked.values.config) } };
  const { plan, action, prepared, requests } = await prepare({
    transport: { send: async () => { throw refused; }, close: async () => {} }, buckets: unlimited, clock: { now: () => now, sleep: async () => {} }, token: () => token, log: () => {},
    seen: (exchange) => { seen = exchange.request; },
  }, request);
  const notes = [
    ...action.before.map(({ name }) => `before.${name} is asked first; what it answers is not known here`),
    ...(plan.reads_current && request.current === undefined ? ["the record as it is (current) is read first; it is not known here"] : []),
    ...action.after.map(({ name }) => `after.${name} follows`),
  ];
  if ("refused" in prepared) return { problem: prepared.refused, notes };
  const sent = await requests.send(action.call, prepared.variables);
  if (seen === undefined) return { problem: sent.is === "failed" ? sent.error.message : refused.message, notes };
  const { body, ...head } = seen as SeenExchange["request"];
  return { request: { ...head, ...(body === undefined ? {} : { body: parsed(body) }) }, notes };
}

/** Signed in, as far as an authenticator can tell. */
const token: TokenPort = {
  read: async () => ({ value: MASK }), write: async () => {}, clear: async () => {},
  consent: { read: async () => ({ access: MASK, version: 1 }), renew: async () => ({ access: MASK, version: 2 }) },
};

/** Every secret field has a value, so that a preview needs no connection that works. */
function masked(connector: ConnectorPlan, config: JsonObject): JsonObject {
  return { ...config, ...Object.fromEntries(Object.entries(connector.config).flatMap(([name, { secret }]) => (secret === true ? [[name, MASK] as const] : []))) };
}

const unlimited: Buckets = { take: async () => 0, enter: async () => "place", leave: async () => {}, block: async () => {} };

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
