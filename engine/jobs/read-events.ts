/**
 * Reads a record that events named without carrying it, and stores what it is now. One worker at a time per record; the request
 * is made outside of any transaction, and what it gave is committed only under the epoch it was begun with.
 */
import { messageOf, PlugboardError } from "../errors/plugboard-error.ts";
import type { Transport } from "../components/kinds.ts";
import type { Json } from "../manifest/types.ts";
import type { Clock } from "../run/ports.ts";
import { readOne, type OneRecord } from "../run/read-one.ts";
import { effectiveConfig, withoutSecrets } from "../run/variables.ts";
import { buckets, claimRead, currentRevision, delayRead, fenceRead, finishRead, readConnectionValues, tenantState, tokenStore, withTenant, type Claimed, type ReadName } from "../store/index.ts";
import type { ProcessingContext } from "./process-events.ts";
import { pushFlows, writePushes } from "./push-flows.ts";

export interface ReadingContext extends ProcessingContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly owner: string;
}

/** Longer than one request with its time-outs takes. */
const LEASE_SECONDS = 180;
const DEADLINE_MILLISECONDS = 150_000;
/** Pauses between tries, in seconds; after the last, the events that asked fail and can be replayed. */
const PAUSES = [2, 10, 30, 120, 600, 1800, 7200] as const;
/** An index may lag behind the event. */
const ABSENT_PAUSES = [2, 10, 30] as const;
/** While a connection is not to be used its reads wait, and are looked at now and then. */
const HELD_SECONDS = 60;

/** @returns false when another worker has it. */
export async function processRead(context: ReadingContext, read: ReadName, signal: AbortSignal): Promise<boolean> {
  const claimed = await claimRead(context.db, read, context.owner, LEASE_SECONDS);
  if (claimed === undefined) return false;
  await context.probe?.("read_claimed");
  try {
    await work(context, read, claimed, signal);
  } catch (thrown) {
    if (thrown instanceof PlugboardError && thrown.code === "RUN_FENCED") return true;
    // What could not be stored now is read again soon, not when the lease runs out.
    await delayRead(context.db, read, claimed.epoch, PAUSES[Math.min(claimed.attempts, PAUSES.length) - 1]!, (thrown as Error).message).catch(() => undefined);
    throw thrown;
  }
  return true;
}

async function work(context: ReadingContext, read: ReadName, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { db, keyring, plans, references, transport, clock, runs, probe } = context;
  const { tenant, connection, stream, key } = read;
  const hold = (reason: string): Promise<void> => delayRead(db, read, claimed.epoch, HELD_SECONDS, reason);
  if ((await tenantState(db, tenant)) === "suspended") return hold("the tenant is suspended");
  const revision = await currentRevision(db, tenant);
  const plan = revision === undefined ? undefined : await plans.read(tenant, revision);
  const planned = plan?.connections[connection];
  const connector = planned && plan?.connectors[planned.connector];
  if (revision === undefined || plan === undefined || planned === undefined || connector === undefined || !planned.enabled) return hold("the connection is disabled, or gone from the configuration");
  const flows = pushFlows(plan, connection, stream);
  if (flows.length === 0) return end(context, read, claimed, { status: "processed", reason: "Its flow was disabled before the record was read." });

  const found = await (async (): Promise<{ one: OneRecord; variables?: Readonly<Record<string, unknown>> }> => {
    try {
      const values = await readConnectionValues(db, keyring, tenant, connection, connector, planned, references);
      // Any flow may read every field; where each says which, the union of them is asked for.
      const select = flows.some((flow) => flow.plan.select.length === 0) ? [] : [...new Set(flows.flatMap((flow) => flow.plan.select))].toSorted();
      const one = await readOne({ transport, clock, buckets: buckets(db), token: tokenStore(db, keyring, tenant, connection), log: () => undefined },
        { tenant: plan.tenant, connection, connector, plan: planned, values, signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MILLISECONDS)]), variables: { inputs: plan.inputs } }, stream, key, select);
      const variables = { config: effectiveConfig(connector, planned, values.config), account: values.account, tenant: plan.tenant, inputs: plan.inputs, connection: { id: connection } };
      return { one, variables: withoutSecrets(connector, variables) };
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError)) throw thrown;
      if (thrown.code.startsWith("AUTH_") || thrown.code === "STORE_REFERENCE") return { one: { is: "auth", reason: thrown.message } };
      if (thrown.code.startsWith("STORE_")) return { one: { is: "retry", reason: thrown.message } };
      return { one: { is: "failed", reason: thrown.message, error: thrown } };
    }
  })();
  await probe?.("read_done");

  const { one, variables } = found;
  if (signal.aborted && one.is !== "record" && one.is !== "gone") return delayRead(db, read, claimed.epoch, 0, "the worker stopped");
  switch (one.is) {
    case "record": return store(one.record);
    case "gone": return store(undefined);
    // Somebody mends the credential: the events wait with the connection.
    case "auth": return hold(one.reason);
    case "absent": return again(ABSENT_PAUSES, `nothing stands under the key '${key}'`);
    case "retry": return again(PAUSES, one.reason, one.after === undefined ? undefined : one.after / 1000);
    case "failed": return end(context, read, claimed, { status: "failed", code: one.error.code, reason: one.reason });
  }

  async function again(pauses: readonly number[], reason: string, asked?: number): Promise<void> {
    const pause = pauses[claimed.attempts - 1];
    if (pause === undefined) return end(context, read, claimed, { status: "failed", code: "EVENT_READ", reason: messageOf("EVENT_READ", { attempts: claimed.attempts, detail: reason }) });
    await delayRead(db, read, claimed.epoch, Math.max(asked ?? 0, pause * (0.8 + Math.random() * 0.4)), reason);
  }

  async function store(record: Json | undefined): Promise<void> {
    await withTenant(db, tenant, async (tx) => {
      await fenceRead(tx, read, claimed.epoch);
      let requests = 1;
      for (const flow of flows) {
        const push = record === undefined ? { key, deleted: true } : { key, record, deleted: false };
        await writePushes(tx, keyring, runs, flow, [push], { revision: revision!, cause: claimed.fires ? "event" : "replay", variables: { ...variables, now: clock.now() }, as_of: claimed.as_of, requests });
        requests = 0;
      }
      await probe?.("read_written");
      await finishRead(tx, read, claimed.epoch, { status: "processed" });
    });
  }
}

const end = ({ db }: ReadingContext, read: ReadName, claimed: Claimed, how: Parameters<typeof finishRead>[3]): Promise<void> => withTenant(db, read.tenant, async (tx) => {
  await fenceRead(tx, read, claimed.epoch);
  await finishRead(tx, read, claimed.epoch, how);
});
