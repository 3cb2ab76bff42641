/**
 * Works on events: woken when some are committed, and by a slow poll in case a notification was lost. Connections are worked on
 * side by side, each by one worker at a time, the longest due first; reads that events ask for have places of their own, so that
 * a slow provider keeps nobody's events waiting.
 */
import type { PlugboardError } from "../errors/plugboard-error.ts";
import { dueQueues, dueReads, eventLanes, heldConnections, KEPT_DAYS, listTenants, nextQueue, nextRead, pruneEvents, releaseHeld, type ReadName } from "../store/index.ts";
import { askQueue } from "./poll-queues.ts";
import { isOpen, processLane } from "./process-events.ts";
import { processRead, type ReadingContext } from "./read-events.ts";

export interface EventWorkerOptions extends Omit<ReadingContext, "runs"> {
  /** Connections at once. @default 3 */
  readonly lanes?: number;
  /** Reads at once. @default 4 */
  readonly reads?: number;
  /** Queues asked at once. @default 2 */
  readonly queues?: number;
  /** @default 5000 */
  readonly pollMilliseconds?: number;
  /** Days that processed events are kept. @default 30 */
  readonly keepDays?: number;
  /** Calls back when there may be something to do. @returns unsubscribe */
  onEvent(look: () => void): () => void;
  onError(cause: Error): void;
}

export interface EventWorker {
  /** Claims nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

const LEAST_MILLISECONDS = 20;
/** How often what waits for its connection is looked at, and what is old is deleted. */
const HELD_MILLISECONDS = 30_000;
const PRUNE_MILLISECONDS = 3_600_000;
/** After a failure that is not an event's own, a lane rests. */
const REST_MILLISECONDS = 2000;

export function startEventWorker(options: EventWorkerOptions): EventWorker {
  const { db, onError, pollMilliseconds = 5000 } = options;
  const context: ReadingContext = { ...options, runs: new Map() };
  const stopping = new AbortController();
  const resting = new Map<string, number>();

  /** Repeats `pass` while it finds something, and sleeps until it is woken, something is due, or the poll's time has come. */
  const loop = (pass: () => Promise<number>): { wake: () => void; done: Promise<void> } => {
    let woken = Promise.withResolvers<void>();
    const done = (async () => {
      while (!stopping.signal.aborted) {
        woken = Promise.withResolvers();
        const wait = await pass().catch((thrown: unknown) => { onError(thrown as Error); return pollMilliseconds; });
        if (wait <= 0 || stopping.signal.aborted) continue;
        const timer = setTimeout(woken.resolve, Math.min(wait, pollMilliseconds));
        await woken.promise;
        clearTimeout(timer);
      }
    })();
    return { wake: () => woken.resolve(), done };
  };

  /** Lanes that another worker of ours is at, here: a slow one does not keep the others waiting. */
  const busy = new Map<string, Promise<void>>();
  const lanes = loop(async () => {
    const now = Date.now();
    const found = await eventLanes(db);
    let next = now + pollMilliseconds;
    for (const { tenant, connection, due } of found) {
      const name = JSON.stringify([tenant, connection]);
      const rested = resting.get(name) ?? 0;
      if (busy.has(name)) continue;
      if (Math.max(due, rested) > now) { next = Math.min(next, Math.max(due, rested)); continue; }
      while (busy.size >= (options.lanes ?? 3)) await Promise.race(busy.values());
      if (stopping.signal.aborted) break;
      busy.set(name, workLane(name, tenant, connection).finally(() => { busy.delete(name); lanes.wake(); }));
    }
    return Math.max(LEAST_MILLISECONDS, next - Date.now());
  });

  const workLane = async (name: string, tenant: string, connection: string): Promise<void> => {
    try {
      for (;;) {
        const settled = await processLane(context, tenant, connection);
        if (settled === undefined) { resting.set(name, Date.now() + 100); return; }      // another process has it
        if (settled === 0) break;
        reads.wake();
        if (stopping.signal.aborted) return;
      }
      resting.delete(name);
    } catch (thrown) {
      resting.set(name, Date.now() + REST_MILLISECONDS);
      if ((thrown as PlugboardError).code !== "PLAN_UNKNOWN_TENANT") onError(thrown as Error);
    }
  };

  const reading = new Map<string, Promise<void>>();
  const reads = loop(async () => {
    const most = options.reads ?? 4;
    for (const read of await dueReads(db)) {
      const name = JSON.stringify(read);
      if (reading.has(name)) continue;
      while (reading.size >= most) await Promise.race(reading.values());
      if (stopping.signal.aborted) break;
      reading.set(name, workRead(read).finally(() => { reading.delete(name); reads.wake(); }));
    }
    const due = await nextRead(db);
    return due === undefined ? pollMilliseconds : Math.max(LEAST_MILLISECONDS, due - Date.now());
  });
  const workRead = async (read: ReadName): Promise<void> => {
    await processRead(context, read, stopping.signal).catch((thrown: unknown) => onError(thrown as Error));
  };

  const polling = new Map<string, Promise<void>>();
  const queues = loop(async () => {
    for (const queue of await dueQueues(db)) {
      const name = JSON.stringify(queue);
      if (polling.has(name)) continue;
      while (polling.size >= (options.queues ?? 2)) await Promise.race(polling.values());
      if (stopping.signal.aborted) break;
      polling.set(name, askQueue(context, queue, stopping.signal).then(() => undefined, (thrown: unknown) => onError(thrown as Error)).finally(() => { polling.delete(name); queues.wake(); }));
    }
    const due = await nextQueue(db);
    return due === undefined ? pollMilliseconds : Math.max(LEAST_MILLISECONDS, due - Date.now());
  });

  // Not at once: a worker that just started has better things to do.
  const timers = [
    setInterval(() => void eachTenant(async (tenant) => { for (const connection of await heldConnections(db, tenant)) if (await isOpen(context, tenant, connection)) await releaseHeld(db, tenant, connection); }), HELD_MILLISECONDS),
    setInterval(() => void eachTenant(async (tenant) => { await pruneEvents(db, tenant, options.keepDays ?? KEPT_DAYS); }), PRUNE_MILLISECONDS),
  ];
  async function eachTenant(work: (tenant: string) => Promise<void>): Promise<void> {
    try {
      for (const { slug } of await listTenants(db)) if (!stopping.signal.aborted) await work(slug);
    } catch (thrown) {
      onError(thrown as Error);
    }
  }

  const forget = options.onEvent(() => { lanes.wake(); reads.wake(); });
  return {
    async stop() {
      forget();
      for (const timer of timers) clearInterval(timer);
      stopping.abort(new Error("the worker stops"));
      lanes.wake();
      reads.wake();
      queues.wake();
      await Promise.all([lanes.done, reads.done, queues.done]);
      await Promise.all([...busy.values(), ...reading.values(), ...polling.values()]);
    },
  };
}
