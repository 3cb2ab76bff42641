/** Proves that a connection works, and finds which account at the provider it reaches. */
import type { Variables } from "../components/kinds.ts";
import { holds } from "../components/shared/answer-variables.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { CheckPlan, ConnectionPlan, ConnectorPlan, HttpPlan } from "../plan/types.ts";
import { compileAt } from "./build-context.ts";
import { compileCall, createExchange } from "./exchange.ts";
import { createPause } from "./pause.ts";
import type { ConnectionValues, RunPorts } from "./ports.ts";
import { keyPart, showValue } from "./record-key.ts";
import { createRedactor } from "./redact.ts";
import { StreamSkipped, Waiting } from "./stops.ts";
import { effectiveConfig, secretsOf, withoutSecrets } from "./variables.ts";

export interface CheckRequest {
  readonly tenant: { readonly id: string; readonly title: string };
  /** Name of the connection. */
  readonly connection: string;
  readonly connector: ConnectorPlan;
  /** Of the plan; absent for a connection that no plan knows yet. */
  readonly plan?: Pick<ConnectionPlan, "config" | "locks">;
  readonly values: ConnectionValues;
  readonly signal: AbortSignal;
  /** Tries of one request, where a person waits. @default as a run */
  readonly tries?: number;
}

export interface Account { readonly id: string; readonly label?: string }

export interface CheckResult {
  /** Accounts that the credential reaches: none for a connector without `account:`, several where consent covers several. */
  readonly accounts: readonly Account[];
  /** The connection's account: the one it had, or the only one there is. */
  readonly account?: Account;
  readonly requests: number;
}

export type CheckPorts = Pick<RunPorts, "transport" | "buckets" | "clock" | "token" | "log">;

/**
 * Runs the connector's `check`. A connector without one has nothing to prove.
 * @throws PlugboardError AUTH_ (credential, other account than before), RUN_ (everything a request can come to); without secrets.
 */
export async function checkConnection(request: CheckRequest, ports: CheckPorts): Promise<CheckResult> {
  const { connector, values } = request;
  const { check, http } = connector;
  if (check === undefined || http === undefined) return { accounts: [], requests: 0, ...(values.account === undefined ? {} : { account: values.account }) };
  const config = effectiveConfig(connector, request.plan, values.config);
  const redactor = createRedactor(secretsOf(connector, config), request.tenant.id);
  const variables: Variables = {
    config, account: values.account, callback: values.callback, tenant: request.tenant, inputs: {}, connection: { id: request.connection }, with: {}, now: ports.clock.now(),
    run: { id: "check", started_at: new Date(ports.clock.now()).toISOString(), mode: "full" },
  };
  const spent = { requests: 0, retries: 0, bytes: 0 };
  try {
    const accounts = await accountsOf(request, check, http, variables, ports, spent, redactor);
    const account = chosen(accounts, values.account, request.connection);
    return { accounts, requests: spent.requests, ...(account === undefined ? {} : { account }) };
  } catch (thrown) {
    if (thrown instanceof PlugboardError) throw redactor.error(thrown);
    if (thrown instanceof Waiting) throw new PlugboardError("RUN_WAITING", { until: new Date(thrown.until).toISOString(), say: redactor.text(thrown.reason) });
    if (thrown instanceof StreamSkipped) throw new PlugboardError("RUN_STREAM_SKIPPED", { stream: "check", say: redactor.text(thrown.reason) });
    throw thrown;
  }
}

async function accountsOf(
  { connector, connection, tenant, values, signal, tries }: CheckRequest, check: CheckPlan, http: HttpPlan, variables: Variables, ports: CheckPorts,
  spent: { requests: number; retries: number; bytes: number }, redactor: ReturnType<typeof createRedactor>,
): Promise<Account[]> {
  const visible = withoutSecrets(connector, variables);
  const name = check.by === undefined ? Object.keys(check.named)[0] : String(await compileAt(check.by, "check.by").evaluate(visible, visible));
  const chosenCheck = name === undefined ? undefined : check.named[name];
  if (chosenCheck === undefined) throw new PlugboardError("RUN_REQUEST", { where: "check", detail: `there is no check '${name}'`, suggestion: `It has: ${Object.keys(check.named).join(", ")}.` });
  const exchange = createExchange({
    connector, http, config: variables["config"] as never, ports, signal, redactor, spent, ...(tries === undefined ? {} : { tries }),
    owner: { connector: connector.id, tenant: tenant.id, connection, account: values.account?.id },
    pause: createPause({ clock: ports.clock, signal, show: () => {} }),
    log: (line) => { ports.log({ ...line, message: redactor.text(line.message) }); },
    probe: () => {},
  });
  const account = chosenCheck.account === undefined ? undefined : compileAt(chosenCheck.account, "check.account");
  // An account that the callback named is known before the request, which may need it for its address.
  const called = account !== undefined && account.variables.includes("callback") ? keyPart(await account.evaluate({}, visible)) : undefined;
  const { answer } = await exchange.send(compileCall(chosenCheck.request, connector, http, "check"), called === undefined ? variables : { ...variables, account: { id: called } });
  if (account === undefined) return [];

  const bindings = { ...visible, status: answer.status, headers: answer.headers };
  const items = chosenCheck.each === undefined ? [answer.body] : await compileAt(chosenCheck.each, "check.each").evaluate(answer.body, bindings);
  const label = chosenCheck.label === undefined ? undefined : compileAt(chosenCheck.label, "check.label");
  const accounts: Account[] = [];
  for (const item of Array.isArray(items) ? items : items === undefined ? [] : [items]) {
    const value = await account.evaluate(item, bindings);
    const id = keyPart(value);
    if (id === undefined) throw new PlugboardError("RUN_SHAPE", { expression: `account: ${account.text}`, actual: showValue(value), request: "check", suggestion: "" });
    const text = await label?.evaluate(item, bindings);
    accounts.push({ id, ...(holds(text) ? { label: String(text) } : {}) });
  }
  return accounts;
}

/** A connection that reached another account before is not silently pointed elsewhere: two key spaces would mix. */
function chosen(accounts: readonly Account[], before: Account | undefined, connection: string): Account | undefined {
  if (before === undefined) return accounts.length === 1 ? accounts[0] : undefined;
  const same = accounts.find(({ id }) => id === before.id);
  if (same !== undefined || accounts.length === 0) return same ?? before;
  throw new PlugboardError("AUTH_ACCOUNT_CHANGED", { connection, actual: accounts.map(({ id }) => id).join(", "), expected: before.id });
}
