/** Looks at main now and then, and takes in what came from outside. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { readConfiguration } from "../../engine/store/index.ts";
import { headOf } from "./repository.ts";
import { syncMain, type Synced } from "./sync.ts";
import type { Review } from "./workspace.ts";

const EVERY_MILLISECONDS = 15_000;

/**
 * @param told of what was taken in, and once of what was refused or failed
 * @returns ends it, after the look under way.
 */
export function watchMain(review: Review, told: (what: Synced | Error) => void, everyMilliseconds = EVERY_MILLISECONDS): () => Promise<void> {
  let failed = "";
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    try {
      // Almost always nothing has happened: no lock, no tree.
      const [head, { commit, alarm }] = [await headOf(review.workspace.repository), await readConfiguration(review.db)];
      if (head !== commit && alarm?.commit !== head) {
        const synced = await syncMain(review);
        if (synced.status === "applied" || (synced.status === "refused" && synced.isNew)) told(synced);
      }
      failed = "";
    } catch (thrown) {
      const error = thrown instanceof PlugboardError ? thrown : thrown as Error;
      if (error.message !== failed) told(error);
      failed = error.message;
    }
  };
  const timer = setInterval(() => { looking = looking.then(look); }, everyMilliseconds);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
