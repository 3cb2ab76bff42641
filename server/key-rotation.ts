/**
 * New data keys while everything runs, one organisation after the other: begun by a person in Studio, told as it goes. What is
 * done stands in the database, so a server that stops loses nothing; beginning again goes on where it stopped.
 */
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import { rotateDataKey, type Database, type Keyring } from "../engine/store/index.ts";

export interface RotationUnderWay {
  readonly by: string;
  /** ISO instants. */
  readonly started_at: string;
  readonly ended_at?: string;
  /** Organisations that it is for, in their order, and how many of them have their new key. */
  readonly tenants: readonly string[];
  readonly finished: number;
  /** The one under way, with the sealed values done and to be done. */
  readonly now?: { readonly tenant: string; readonly done: number; readonly total: number };
  /** It ended early: the old key of this organisation is kept. */
  readonly error?: { readonly tenant: string; readonly code: string; readonly message: string; readonly hint?: string };
}

export interface KeyRotation {
  /** False: one is under way in this process. */
  begin(tenants: readonly string[], by: string): boolean;
  /** The latest of this process. */
  readonly latest: RotationUnderWay | undefined;
  /** Ends after the batch under way. */
  stop(): Promise<void>;
}

export function createKeyRotation(db: Database, keyring: Keyring, onError: (error: unknown) => void): KeyRotation {
  const stopped = new AbortController();
  let latest: RotationUnderWay | undefined;
  let running: Promise<void> = Promise.resolve();

  async function work(): Promise<void> {
    for (const tenant of latest!.tenants) {
      const { now: _, ...before } = latest!;
      latest = { ...before, now: { tenant, done: 0, total: 0 } };
      try {
        await rotateDataKey(db, keyring, tenant, { signal: stopped.signal, onProgress: ({ done, total }) => { latest = { ...latest!, now: { tenant, done, total } }; } });
      } catch (thrown) {
        if (stopped.signal.aborted) return;
        const known = thrown instanceof PlugboardError ? { code: thrown.code, message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) } : { code: "SERVER_INTERNAL", message: "It stopped. The server's log says why; begin it again to go on." };
        if (!(thrown instanceof PlugboardError)) onError(thrown);
        latest = { ...before, error: { tenant, ...known }, ended_at: new Date().toISOString() };
        return;
      }
      latest = { ...before, finished: before.finished + 1 };
    }
    latest = { ...latest!, ended_at: new Date().toISOString() };
  }

  return {
    begin(tenants, by) {
      if (latest !== undefined && latest.ended_at === undefined) return false;
      latest = { by, started_at: new Date().toISOString(), tenants, finished: 0 };
      running = work();
      return true;
    },
    get latest() { return latest; },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
