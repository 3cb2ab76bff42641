/** Performs actions of a small connector: against a provider double, or a server of the test's own. */
import type { Buckets, Transport } from "../../engine/components/kinds.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import type { ActionPlan, ConnectorPlan, HttpPlan, StreamPlan } from "../../engine/plan/types.ts";
import { createMemoryBuckets } from "../../engine/run/memory-buckets.ts";
import { createMemoryTokens } from "../../engine/run/memory-tokens.ts";
import type { OnePorts, SeenExchange } from "../../engine/run/one-request.ts";
import type { ActionRequest } from "../../engine/run/perform-action.ts";
import type { LogLine } from "../../engine/run/ports.ts";
import { testClock, type TestClock } from "./clock.ts";

export interface ActionBench { readonly ports: OnePorts; readonly clock: TestClock; readonly seen: SeenExchange[]; readonly log: LogLine[]; readonly buckets: Buckets }

export function actionBench(transport: Transport, start?: string): ActionBench {
  const clock = testClock(start);
  const seen: SeenExchange[] = [];
  const log: LogLine[] = [];
  const buckets = createMemoryBuckets(() => clock.now());
  return { clock, seen, log, buckets, ports: { transport, buckets, clock, token: createMemoryTokens(), log: (line) => { log.push(line); }, seen: (exchange) => { seen.push(exchange); } } };
}

export const actionPlan = (parts: Partial<ActionPlan> = {}): ActionPlan => ({
  input: { text: { type: "string" } }, with: {}, before: {}, after: {}, once: { is: "never" }, irreversible: false, reads_current: false,
  request: { method: "POST", path: "/notes", body: { encoding: "json", value: { body: "=input.text" } }, errors: {} }, ...parts,
});

export const SECRET = "s3cr3t-t0ken";

export function connectorOf(action: Partial<ActionPlan>, http: Partial<HttpPlan> = {}, streams: Readonly<Record<string, StreamPlan>> = {}): ConnectorPlan {
  return {
    id: "crm", title: "CRM", config: { token: { title: "Token", secret: true } }, streams, actions: { act: actionPlan(action) },
    http: { base_url: "https://api.example.com/v1", hosts: ["api.example.com"], headers: {}, query: {}, limits: {}, errors: {}, timeouts: {}, auth: { named: { default: { type: "bearer", token: "{{config.token}}" } } }, ...http },
  };
}

export const actionRequest = (connector: ConnectorPlan, parts: Partial<ActionRequest> = {}, input: JsonObject = { text: "hello" }): ActionRequest => ({
  tenant: { id: "acme", title: "Acme" }, connection: "crm", connector, values: { config: { token: SECRET } }, signal: new AbortController().signal,
  action: "act", inputs: [input], delivery: { id: "d-1", key: "k-1", attempt: 1 }, ...parts,
});
