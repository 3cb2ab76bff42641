/** What was cut short is gone on with: at the start, and every minute, by whichever process looks first. */
import type { FastifyInstance } from "fastify";
import type { Database } from "../../engine/store/index.ts";
import type { Review } from "../review/index.ts";
import { recoverOrganisations } from "./create.ts";
import { recoverErasures } from "./erase.ts";

const EVERY_MILLISECONDS = 60_000;

export function keepHouse(server: FastifyInstance, db: Database, review: Review | undefined): void {
  let looking: Promise<unknown> = Promise.resolve();
  const look = async (): Promise<void> => {
    try {
      if (review !== undefined) await recoverOrganisations(review);
      await recoverErasures(db, review);
    } catch (thrown) {
      server.log.warn({ err: thrown }, "an organisation that was cut short waits for the next look");
    }
  };
  let timer: NodeJS.Timeout | undefined;
  server.addHook("onReady", async () => {
    looking = look();
    timer = setInterval(() => { looking = looking.then(look); }, EVERY_MILLISECONDS);
    timer.unref();
  });
  server.addHook("onClose", async () => {
    clearInterval(timer);
    await looking;
  });
}
