/**
 * Two engines that are wrong on purpose. A rig that passes them proves nothing about the right one, so it is run on them too.
 * They wrap the real store: the product has no switch for being wrong.
 */
import type { PageCommit, RunStore } from "../../engine/run/ports.ts";

export const MUTANTS = ["checkpoint-first", "no-fence"] as const;
export type Mutant = (typeof MUTANTS)[number];

/** `epochInForce` reads the epoch of the checkpoint's row, whoever holds it. */
export function mutate(store: RunStore, mutant: Mutant, epochInForce: () => Promise<number>): RunStore {
  return mutant === "checkpoint-first" ? checkpointFirst(store) : noFence(store, epochInForce);
}

/** The checkpoint is committed, then the data: a death in between loses the page. */
function checkpointFirst(store: RunStore): RunStore {
  return {
    ...bound(store),
    async commitPage(page, epoch) {
      const { sweep: _, replayed: __, ...rest } = page;
      const onlyCheckpoint: PageCommit = { ...rest, records: [], dropped: [], gone: [], quarantined: [], filtered: 0, requests: 0, retries: 0, bytes: 0 };
      await store.commitPage(onlyCheckpoint, epoch);
      return store.commitPage(page, epoch);
    },
  };
}

/** Whatever epoch is in force is taken for one's own: a worker that was taken over writes as if nothing had happened. */
function noFence(store: RunStore, epochInForce: () => Promise<number>): RunStore {
  return {
    ...bound(store),
    commitPage: async (page) => store.commitPage(page, await epochInForce()),
    completePass: async (checkpoint, sweep) => store.completePass(checkpoint, sweep, await epochInForce()),
    heartbeat: async () => store.heartbeat(await epochInForce()),
  };
}

/** Methods keep their `this`, whether the store is an object literal or a class. */
const bound = (store: RunStore): RunStore => ({
  begin: () => store.begin(),
  commitPage: (page, epoch) => store.commitPage(page, epoch),
  quarantineToReplay: (asked) => store.quarantineToReplay(asked),
  completePass: (checkpoint, sweep, epoch) => store.completePass(checkpoint, sweep, epoch),
  heartbeat: (epoch) => store.heartbeat(epoch),
  cancelRequested: () => store.cancelRequested(),
});
