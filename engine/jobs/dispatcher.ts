/**
 * Fills N slots with runs. Woken by a notification, by a slot that became free, and by a slow poll in case a notification was
 * lost. It knows jobs only; what a run is and how it ends is `execute`'s business.
 */
import type { FetchedJob, RunJob, RunQueue } from "./queue.ts";

export interface DispatcherOptions {
  readonly queue: RunQueue;
  /** Runs at once in this process. @default 4 */
  readonly slots?: number;
  /**
   * Runs of one tenant at once in this process. With fewer than `slots`, a tenant with a thousand runs leaves room for the
   * others, and every further worker gives it room too.
   * @default slots - 1, at least 1
   */
  readonly perTenant?: number;
  /** @default 5000 */
  readonly pollMilliseconds?: number;
  /** Works on one run. When it throws, the run's lease runs out and the reaper gives it another attempt. */
  execute(job: RunJob, signal: AbortSignal): Promise<void>;
  onError(cause: Error): void;
}

export interface Dispatcher {
  /** Looks for jobs now. */
  wake(): void;
  /** Looks for jobs once more in so many milliseconds: something becomes due then. */
  wakeIn(milliseconds: number): void;
  readonly active: number;
  /** Claims nothing more, asks the runs to end at their next page, waits for them at most so long. True: all ended. */
  stop(graceMilliseconds: number): Promise<boolean>;
}

const TOUCH_MILLISECONDS = 10_000;

/** Why a run's signal was aborted: the process ends. The run stores its page and says `interrupted`. */
export class Shutdown extends Error {
  override readonly name = "Shutdown";
}

export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const slots = options.slots ?? 4;
  const perTenant = options.perTenant ?? Math.max(1, slots - 1);
  const active = new Map<FetchedJob, { readonly stop: AbortController; readonly done: Promise<void> }>();
  const timers = new Set<NodeJS.Timeout>();
  let stopping = false;
  let fetching: Promise<void> | undefined;
  let woken = false;

  const look = (): void => {
    woken = true;
    fetching ??= fetchAll()
      .catch(options.onError)                              // the poll tries again
      .finally(() => {
        fetching = undefined;
        if (woken && !stopping && active.size < slots) look();        // woken between the last fetch and here
      });
  };

  const fetchAll = async (): Promise<void> => {
    while (woken && !stopping && active.size < slots) {
      woken = false;
      const { room, full } = share();
      const jobs = await options.queue.fetch(room, full);
      for (const job of jobs) begin(job);
      woken ||= jobs.length > 0;
    }
  };

  /** How many jobs can be fetched at once so that no tenant gets more than its share, whoever they belong to; and who has it. */
  const share = (): { room: number; full: string[] } => {
    const counts = new Map<string, number>();
    for (const { data: { tenant } } of active.keys()) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
    const most = Math.max(0, ...[...counts.values()].filter((count) => count < perTenant));
    return { room: Math.min(slots - active.size, perTenant - most), full: [...counts].filter(([, count]) => count >= perTenant).map(([tenant]) => tenant) };
  };

  const begin = (job: FetchedJob): void => {
    const stop = new AbortController();
    if (stopping) stop.abort(new Shutdown("the worker is stopping"));
    const done = options.execute(job.data, stop.signal)
      .catch((thrown: unknown) => options.onError(thrown as Error))
      // A job that cannot be settled now is failed by pg-boss once its heartbeat is over; the run's row is what counts.
      .then(() => options.queue.settle([job]))
      .catch((thrown: unknown) => options.onError(thrown as Error))
      .finally(() => {
        active.delete(job);
        look();
      });
    active.set(job, { stop, done });
  };

  const poll = setInterval(look, options.pollMilliseconds ?? 5000);
  const touch = setInterval(() => void options.queue.touch([...active.keys()]).catch(options.onError), TOUCH_MILLISECONDS);
  look();

  return {
    wake: look,
    wakeIn(milliseconds) {
      if (stopping) return;
      const timer = setTimeout(() => { timers.delete(timer); look(); }, milliseconds);
      timers.add(timer);
    },
    get active() { return active.size; },
    async stop(graceMilliseconds) {
      stopping = true;
      clearInterval(poll);
      for (const timer of timers) clearTimeout(timer);
      for (const { stop } of active.values()) stop.abort(new Shutdown("the worker is stopping"));
      const grace = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => grace.resolve(false), graceMilliseconds);
      // A fetch under way may still bring jobs: they are put back at once, by the same way.
      const all = (async () => {
        await fetching;
        await Promise.all([...active.values()].map(({ done }) => done));
        return true;
      })();
      const ended = await Promise.race([all, grace.promise]);
      clearTimeout(timer);
      clearInterval(touch);
      return ended;
    },
  };
}
