/** Asks the queues that are due, stores what they give, and has it acknowledged once it is on disk. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json } from "../manifest/types.ts";
import type { FeedItem } from "../run/feed.ts";
import { pollQueue } from "../run/poll-queue.ts";
import { announceEvents, buckets, claimQueue, currentRevision, finishQueue, readConnectionValues, storeArrivals, tokenStore, withTenant, type ArrivedItem, type QueueName } from "../store/index.ts";
import type { ReadingContext } from "./read-events.ts";

/** Longer than a poll is let go on. */
const LEASE_SECONDS = 330;
const DEADLINE_MILLISECONDS = 300_000;
const LONGEST_PAUSE_SECONDS = 3600;

/** @returns false when another worker has it. */
export async function askQueue(context: ReadingContext, name: QueueName, signal: AbortSignal): Promise<boolean> {
  const { db, keyring, plans, references, transport, clock, owner, probe } = context;
  const claimed = await claimQueue(db, name, owner, LEASE_SECONDS);
  if (claimed === undefined) return false;
  const { tenant, connection, queue } = name;
  const later = (failures: number): number => Math.min(LONGEST_PAUSE_SECONDS, claimed.every_seconds * 2 ** Math.min(failures, 12));
  try {
    const revision = await currentRevision(db, tenant);
    const plan = revision === undefined ? undefined : await plans.read(tenant, revision);
    const planned = plan?.connections[connection];
    const connector = planned && plan?.connectors[planned.connector];
    if (plan === undefined || planned === undefined || connector === undefined) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant });
    const values = await readConnectionValues(db, keyring, tenant, connection, connector, planned, references);
    const polled = await pollQueue(
      { transport, clock, buckets: buckets(db), token: tokenStore(db, keyring, tenant, connection), log: () => undefined },
      { tenant: plan.tenant, connection, connector, plan: planned, values, signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MILLISECONDS)]), variables: { inputs: plan.inputs } }, queue, {
        ...(claimed.cursor?.from === undefined ? {} : { from: claimed.cursor.from }),
        ...(probe === undefined ? {} : { probe }),
        async commit({ method, url, headers, body }, items) {
          const bytes = Buffer.from(JSON.stringify(body) ?? "null");
          await withTenant(db, tenant, (tx) => storeArrivals(tx, keyring, [{ connector: connector.id, connection, feed: queue, door: "queue", bytes: bytes.length, request: { method, url, headers, body: bytes }, items: items.map(arrived) }]));
          await announceEvents(db);
        },
      });
    if (polled.is === "done") await finishQueue(db, name, claimed.epoch, { afterSeconds: claimed.every_seconds, ...(polled.from === undefined ? {} : { cursor: { from: polled.from } }) });
    else await finishQueue(db, name, claimed.epoch, { afterSeconds: signal.aborted ? 0 : Math.max(later(claimed.failures), polled.is === "retry" ? (polled.after ?? 0) / 1000 : 0), error: { message: polled.reason } });
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    await finishQueue(db, name, claimed.epoch, { afterSeconds: later(claimed.failures), error: { code: thrown.code, message: thrown.message } });
  }
  return true;
}

function arrived({ problem, item, ...rest }: FeedItem): ArrivedItem {
  return { ...rest, ...(item === undefined ? {} : { item: item as Json }), ...(problem === undefined ? {} : { end: { status: "failed" as const, code: problem.code, reason: problem.message } }) };
}
