/** What every process that starts, runs or watches runs shares: the queue, the board of progress, and one listening connection. */
import type pg from "pg";
import { DELIVERY_CHANNEL, EVENT_CHANNEL, QUEUE_SCHEMA, type Database } from "../store/index.ts";
import { createListener } from "./listener.ts";
import { createProgressBoard, PROGRESS_CHANNEL, type ProgressBoard } from "./progress.ts";
import { openRunQueue, RUN_CHANNEL, type RunQueue } from "./queue.ts";

export interface Jobs {
  readonly db: Database;
  readonly queue: RunQueue;
  readonly board: ProgressBoard;
  /** Calls back when there may be a job: after a notification, and after the listening connection came back. @returns unsubscribe */
  onJob(look: () => void): () => void;
  /** The same for events that were received. @returns unsubscribe */
  onEvent(look: () => void): () => void;
  /** The same for changes of rows and deliveries. @returns unsubscribe */
  onDelivery(look: () => void): () => void;
  close(): Promise<void>;
}

export interface JobsOptions {
  readonly db: Database;
  /** Whether this process works on runs, and so keeps the queue's house too. */
  readonly works: boolean;
  /** Trouble that passes by itself: a lost connection, a statement that failed and will be tried again. */
  onError(cause: Error): void;
}

export async function openJobs({ db, works, onError }: JobsOptions): Promise<Jobs> {
  const queue = await openRunQueue({ pool: db.pool, schema: QUEUE_SCHEMA, supervise: works, onError });
  const board = createProgressBoard((channel, payload) => db.pool.query("select pg_notify($1, $2)", [channel, payload]));
  const looks = new Set<() => void>();
  const lookAll = (): void => { for (const look of looks) look(); };
  const eventLooks = new Set<() => void>();
  const lookForEvents = (): void => { for (const look of eventLooks) look(); };
  const deliveryLooks = new Set<() => void>();
  const lookForDeliveries = (): void => { for (const look of deliveryLooks) look(); };
  const listener = createListener({
    // The pool's own settings, role included: whatever reaches the database from here reaches it the same way.
    connection: db.pool.options as pg.ClientConfig,
    channels: { [RUN_CHANNEL]: lookAll, [EVENT_CHANNEL]: lookForEvents, [DELIVERY_CHANNEL]: lookForDeliveries, [PROGRESS_CHANNEL]: (payload) => board.hear(payload) },
    onConnected: () => { lookAll(); lookForEvents(); lookForDeliveries(); }, onLost: onError,
  });
  return {
    db, queue, board,
    onJob(look) {
      looks.add(look);
      return () => looks.delete(look);
    },
    onEvent(look) {
      eventLooks.add(look);
      return () => eventLooks.delete(look);
    },
    onDelivery(look) {
      deliveryLooks.add(look);
      return () => deliveryLooks.delete(look);
    },
    async close() {
      board.close();
      await listener.close();
      await queue.close();
    },
  };
}
