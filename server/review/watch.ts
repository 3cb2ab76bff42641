/** Looks at main now and then, and at the forge where one is configured, and takes in what came from outside. */
import { readConfiguration } from "../../engine/store/index.ts";
import { headOf } from "./repository.ts";
import { lookAtForge, syncMain, type Synced } from "./sync.ts";
import type { Review } from "./workspace.ts";

const EVERY_MILLISECONDS = 15_000;
/** Pull requests at a forge cost its API requests; its main alone does not. */
const PULL_REQUESTS_EVERY = 4;

/**
 * @param told of what was taken in, and once of what was refused or failed
 * @returns ends it, after the look under way.
 */
export function watchMain(review: Review, told: (what: Synced | Error) => void, everyMilliseconds = EVERY_MILLISECONDS): () => Promise<void> {
  const failed = { main: "", forge: "" };
  let looking: Promise<void> = Promise.resolve();
  let looks = 0;
  /** Not the second time in a row. */
  const tell = (where: keyof typeof failed, thrown: unknown): void => {
    const error = thrown as Error;
    if (error.message !== failed[where]) told(error);
    failed[where] = error.message;
  };
  const look = async (): Promise<void> => {
    try {
      await lookAtForge(review, looks++ % PULL_REQUESTS_EVERY === 0);
      failed.forge = "";
    } catch (thrown) {
      tell("forge", thrown);                                // what is here goes on
    }
    try {
      // Almost always nothing has happened: no lock, no tree.
      const [head, { commit, alarm }] = [await headOf(review.workspace.repository), await readConfiguration(review.db)];
      if (head !== commit && alarm?.commit !== head) {
        const synced = await syncMain(review);
        if (synced.status === "applied" || (synced.status === "refused" && synced.isNew)) told(synced);
      }
      failed.main = "";
    } catch (thrown) {
      tell("main", thrown);
    }
  };
  const timer = setInterval(() => { looking = looking.then(look); }, everyMilliseconds);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
