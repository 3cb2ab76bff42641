/**
 * One worker process of the rig: claims the run it is told to, works on it with the real engine and the real store, and dies
 * or stops where it is told to. Its clock waits 50 times faster: what a provider asks us to wait is not what is tried here.
 */
import { createTransport } from "../../engine/components/transport/http.ts";
import { createMemoryBuckets } from "../../engine/run/memory-buckets.ts";
import type { ProbePoint, RunStore } from "../../engine/run/ports.ts";
import { runFlow } from "../../engine/run/run-flow.ts";
import { readConnectionValues } from "../../engine/store/connections.ts";
import { openDatabase, withTenant } from "../../engine/store/database.ts";
import { createKeyring } from "../../engine/store/keyring.ts";
import { readPlan } from "../../engine/store/revisions.ts";
import { runStore } from "../../engine/store/run-store.ts";
import { claimRun, finishRun } from "../../engine/store/runs.ts";
import { tokenStore } from "../../engine/store/tokens.ts";
import type { WorkerSettings } from "./engine.ts";
import { CONNECTION, FLOW, TENANT } from "./fixture.ts";
import { mutate } from "./mutants.ts";
import type { Order, Word } from "./worker-process.ts";

const HASTE = 50;
const LEASE_SECONDS = 30;

const settings = JSON.parse(process.env.FAULTS_WORKER!) as WorkerSettings;
const db = await openDatabase({ url: settings.databaseUrl, applicationName: settings.name, max: 3 });
const keyring = await createKeyring({ value: settings.key });
const transport = createTransport({ allowPrivate: [settings.providerHost] });

process.on("disconnect", () => process.exit(1));           // the rig is gone
const order = await new Promise<Order>((resolve) => {
  process.once("message", resolve as (message: unknown) => void);
  void say({ type: "ready" });
});
await say({ type: "ended", ...await work(order) });
process.exit(0);

async function work({ run: id, blow, mutant }: Order): Promise<{ status: string; mode?: string; error?: string | undefined }> {
  const passed = new Map<ProbePoint, number>();
  const probe = async (point: ProbePoint): Promise<void> => {
    const nth = (passed.get(point) ?? 0) + 1;
    passed.set(point, nth);
    if (point === "after_commit") void say({ type: "page" });
    if (blow === undefined || blow.point !== point || blow.nth !== nth) return;
    if (blow.what === "kill") process.kill(process.pid, "SIGKILL");
    await say({ type: "stopping" });
    process.kill(process.pid, "SIGSTOP");
  };

  const run = await claimRun(db, { tenant: TENANT, run: id, owner: settings.name, leaseSeconds: LEASE_SECONDS });
  if (run === undefined) return { status: "not claimed" };
  await probe("claimed");
  const plan = await readPlan(db, TENANT, run.revision);
  const flow = plan.flows[FLOW]!;
  const real = runStore(db, keyring, {
    tenant: TENANT, flow: { tenant: TENANT, connection: CONNECTION, flow: FLOW }, stream: flow.stream, entity: flow.to.entity, entityPlan: plan.entities[flow.to.entity]!, labels: flow.labels,
    run: run.id, revision: run.revision, owner: settings.name, leaseSeconds: LEASE_SECONDS, probe,
  });
  const store: RunStore = mutant === undefined ? real : mutate(real, mutant, epochInForce);
  const result = await runFlow({
    run: run.id, attempt: run.attempt, plan, flow: FLOW, ...(run.requested_mode === undefined ? {} : { mode: run.requested_mode }), signal: new AbortController().signal, probe,
    connection: await readConnectionValues(db, keyring, TENANT, CONNECTION, plan.connectors[flow.connector]!, plan.connections[CONNECTION]),
  }, {
    store, transport, buckets: createMemoryBuckets(Date.now), token: tokenStore(db, keyring, TENANT, CONNECTION), log: () => undefined, progress: () => undefined,
    clock: { now: Date.now, sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / HASTE)) },
  });
  if (result.error?.code === "RUN_FENCED") return { status: "fenced" };
  await finishRun(db, { tenant: TENANT, run: run.id, attempt: run.attempt, ...result });
  return { status: result.status, mode: result.mode, error: result.error && `${result.error.code} ${result.error.message}` };
}

function epochInForce(): Promise<number> {
  return withTenant(db, TENANT, async (tx) => {
    const [row] = await tx.run<{ epoch: number }>({ text: "select epoch::int from checkpoints where tenant_id = $1 and flow = $2", values: [tx.tenantId, FLOW] });
    return row!.epoch;
  });
}

/** Resolves when the rig can have heard it: what comes next may be a signal. */
function say(word: Word): Promise<void> {
  return new Promise((resolve) => process.send!(word, () => resolve()));
}
