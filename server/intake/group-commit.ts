/**
 * Commits what arrives at the same time together: one transaction and one wait for the disk for all of it, and every request is
 * still answered after its own commit. What comes during a commit goes with the next; nothing waits for company.
 */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { withTenantId } from "../../engine/store/database.ts";
import { announceEvents, storeArrivals, type Arrival, type Database, type Keyring, type Stored } from "../../engine/store/index.ts";

export interface Commits {
  /** Resolves when it is on disk. @throws PlugboardError STORE_UNREACHABLE, STORE_BUSY: it may or may not be; sent again, it is once. */
  add(tenant: string, tenantId: string, arrival: Arrival): Promise<Stored>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** Of one commit. */
const MOST_REQUESTS = 200;
const MOST_BYTES = 8 << 20;
/** What waits in this process; beyond it the database is too slow for what comes, and senders are told to come again. */
const MOST_WAITING_BYTES = 64 << 20;
/** Commits at once, over all tenants: the pool is the API's too. */
const AT_ONCE = 4;
/** Of one tenant: while one waits for the disk, the next is written. */
const AT_ONCE_OF_TENANT = 2;
const TRIES = 3;

interface Waiting { readonly arrival: Arrival; resolve(stored: Stored): void; reject(thrown: unknown): void }
interface Line { readonly tenant: string; readonly tenantId: string; readonly waiting: Waiting[]; busy: number; queued: boolean }

export function createCommits(db: Database, keyring: Keyring): Commits {
  const lines = new Map<string, Line>();
  const ready: Line[] = [];
  let bytes = 0;
  let running = 0;
  let looking: NodeJS.Immediate | undefined;
  let telling: Promise<void> | undefined;
  let untold = false;

  /** Workers look by themselves, too: nobody waits for this, and what comes meanwhile is told once. */
  const tell = (): void => {
    untold = true;
    telling ??= (async () => {
      while (untold) {
        untold = false;
        await announceEvents(db).catch(() => undefined);
      }
      telling = undefined;
    })();
  };
  let idle = Promise.withResolvers<void>();
  idle.resolve();

  const look = (): void => {
    while (running < AT_ONCE && ready.length > 0) {
      const line = ready.shift()!;
      line.queued = false;
      line.busy += 1;
      if (running++ === 0) idle = Promise.withResolvers();
      void flush(line, take(line)).finally(() => {
        line.busy -= 1;
        running -= 1;
        if (line.waiting.length === 0 && line.busy === 0) lines.delete(line.tenantId);
        queue(line);
        if (running === 0 && ready.length === 0) idle.resolve();
        look();
      });
      queue(line);
    }
  };

  const queue = (line: Line): void => {
    if (line.queued || line.waiting.length === 0 || line.busy >= AT_ONCE_OF_TENANT) return;
    line.queued = true;
    ready.push(line);
  };

  const take = (line: Line): Waiting[] => {
    let size = 0;
    let count = 0;
    while (count < line.waiting.length && count < MOST_REQUESTS && (count === 0 || size < MOST_BYTES)) size += line.waiting[count++]!.arrival.bytes;
    return line.waiting.splice(0, count);
  };

  const flush = async (line: Line, batch: readonly Waiting[]): Promise<void> => {
    try {
      const stored = await store(line, batch.map(({ arrival }) => arrival));
      batch.forEach((each, index) => each.resolve(stored[index]!));
      if (stored.some(({ items }) => items > 0)) tell();
    } catch (thrown) {
      for (const each of batch) each.reject(thrown);
    } finally {
      for (const { arrival } of batch) bytes -= arrival.bytes;
    }
  };

  /** Two processes may have met the same ids in different orders. */
  const store = async ({ tenant, tenantId }: Line, arrivals: readonly Arrival[]): Promise<Stored[]> => {
    for (let tries = 1; ; tries++) {
      try {
        return await withTenantId(db, tenant, tenantId, (tx) => storeArrivals(tx, keyring, arrivals));
      } catch (thrown) {
        if (!(thrown instanceof PlugboardError) || thrown.code !== "STORE_BUSY" || tries >= TRIES) throw thrown;
      }
    }
  };

  return {
    add(tenant, tenantId, arrival) {
      if (bytes + arrival.bytes > MOST_WAITING_BYTES) return Promise.reject(new PlugboardError("STORE_BUSY", { detail: "more arrives than it can take" }));
      bytes += arrival.bytes;
      let line = lines.get(tenantId);
      if (line === undefined) lines.set(tenantId, line = { tenant, tenantId, waiting: [], busy: 0, queued: false });
      const { promise, resolve, reject } = Promise.withResolvers<Stored>();
      line.waiting.push({ arrival, resolve, reject });
      queue(line);
      // What the same turn of the event loop brings goes with it.
      if (ready.length > 0) looking ??= setImmediate(() => { looking = undefined; look(); });
      return promise;
    },
    async close() {
      await idle.promise;
      await telling;
    },
  };
}
