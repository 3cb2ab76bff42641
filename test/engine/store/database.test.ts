import { expect, test } from "vitest";
import { testDatabase } from "../../support/postgres.ts";

test("a session that is cut in the moment in which it is handed out costs its statement, and not the process", async () => {
  const at = await testDatabase();
  const client = await at.db.pool.connect();
  // As the driver tells it, when the end of the session arrives together with the answer before: nobody listens yet.
  expect(() => client.emit("error", new Error("terminating connection due to administrator command"))).not.toThrow();
  client.release(true);
  await at.close();
});
