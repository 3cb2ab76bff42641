/**
 * Turns ticks into runs. Any number of processes may look: whoever moves the schedule to its next tick (compare and swap in
 * the tenant's transaction) makes the run in that same transaction, so a tick makes one run or none. A tick that finds its
 * flow still queued, running or waiting makes none: the flow catches up at the next one. Neither does one whose connection was
 * never entered or was taken away: that is noted beside the schedule.
 */
import { dueSchedules, fireSchedule, nextDue, obstacleOf, type Database, type DueSchedule } from "../store/index.ts";
import type { RunQueue } from "./queue.ts";
import { nextTick } from "./schedule.ts";
import { queueRun } from "./trigger.ts";

export interface SchedulerOptions {
  readonly db: Database;
  readonly queue: RunQueue;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  /** Longest time between two looks: a schedule that another process applied is noticed by then. @default 5000 */
  readonly pollMilliseconds?: number;
  onError(cause: Error): void;
}

export interface Scheduler {
  /** Looks now. Resolves with the runs this look made. */
  look(): Promise<number>;
  stop(): Promise<void>;
}

const BATCH = 100;
/** Ticks fired at once, each in its tenant's transaction: what one takes is mostly the way to the database and back. */
const AT_ONCE = 4;
const LEAST_MILLISECONDS = 50;

export function startScheduler(options: SchedulerOptions): Scheduler {
  const now = options.now ?? Date.now;
  const poll = options.pollMilliseconds ?? 5000;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let looking: Promise<number> = Promise.resolve(0);

  const look = async (): Promise<number> => {
    let made = 0;
    for (let due: DueSchedule[] = []; !stopped; ) {
      due = await dueSchedules(options.db, BATCH);
      let moved = 0;
      const left = due[Symbol.iterator]();
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        for (const schedule of left) {
          if (stopped) break;
          const fired = await fire(schedule).catch((thrown: unknown) => { options.onError(thrown as Error); return undefined; });
          if (fired !== undefined) moved++;
          if (fired === true) made++;
        }
      }));
      if (due.length < BATCH || moved === 0) break;
    }
    return made;
  };

  /** True: a run was made. False: only the schedule moved. Undefined: another process was first. */
  const fire = async (schedule: DueSchedule): Promise<boolean | undefined> => {
    const name = `${schedule.tenant}/${schedule.flow}`;
    const next = nextTick(schedule.schedule, name, now(), schedule.due ?? schedule.slot);
    let made = false;
    const moved = await fireSchedule(options.db, schedule, schedule.due, next === undefined ? undefined : { due: next }, schedule.due === undefined ? undefined : async (tx) => {
      if ((await obstacleOf(tx, schedule.flow)) !== undefined) return;
      made = (await queueRun(options.queue, tx, { flow: schedule.flow, connection: schedule.connection, trigger: "schedule", slot: schedule.due! }))?.coalesced === false;
    });
    return moved ? made : undefined;
  };

  const again = async (): Promise<void> => {
    let wait = poll;
    try {
      await (looking = look());
      const due = await nextDue(options.db);
      if (due !== undefined) wait = Math.min(poll, Math.max(LEAST_MILLISECONDS, due - now()));
    } catch (thrown) {
      options.onError(thrown as Error);
    }
    if (!stopped) timer = setTimeout(() => void again(), wait);
  };
  void again();

  return {
    look: () => (looking = looking.catch(() => 0).then(look)),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking.catch(() => 0);
    },
  };
}
