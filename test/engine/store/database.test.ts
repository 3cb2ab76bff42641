import { expect, test } from "vitest";
import { inGlobal } from "../../../engine/store/database.ts";
import { testDatabase } from "../../support/postgres.ts";

test("a session that is cut in the moment in which it is handed out costs its statement, and not the process", async () => {
  const at = await testDatabase();
  const client = await at.db.pool.connect();
  // As the driver tells it, when the end of the session arrives together with the answer before: nobody listens yet.
  expect(() => client.emit("error", new Error("terminating connection due to administrator command"))).not.toThrow();
  client.release(true);
  await at.close();
});

test("a prepared statement that another session has costs one try, and nothing is prepared behind such a proxy again", async () => {
  const at = await testDatabase();
  const named = { name: "named", text: "select $1::int as n", values: [7] };
  const ask = () => inGlobal(at.db, (tx) => tx.run(named));
  expect(await ask()).toEqual([{ n: 7 }]);
  // What the next transaction meets whose proxy gives it another session.
  await at.db.pool.query("deallocate all");
  await expect(ask()).rejects.toMatchObject({ code: "STORE_BUSY" });
  await at.db.pool.query("deallocate all");
  expect([await ask(), await ask()]).toEqual([[{ n: 7 }], [{ n: 7 }]]);
  await at.close();
});
