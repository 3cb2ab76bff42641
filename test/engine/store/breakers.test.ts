import { afterAll, beforeAll, expect, test } from "vitest";
import { askBreaker, noteFailure, noteSuccess } from "../../../engine/store/breakers.ts";
import { withTenant } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
  await asAdmin(at.url, "insert into tenants (slug, title) values ('acme', 'Acme')");
});
afterAll(() => at.close());

const ask = (target: string) => withTenant(at.db, "acme", (tx) => askBreaker(tx, target));
const fail = async (target: string) => { for (let count = 0; count < 5; count++) await withTenant(at.db, "acme", (tx) => noteFailure(tx, target, "down")); };
const reopen = (target: string) => asAdmin(at.url, "update breakers set opened_until = now() - interval '1 second', probing_until = null where target = $1", [target]);

test("a target that failed again and again is left alone, then tried by one", async () => {
  expect(await ask("a")).toEqual({ is: "closed" });
  await fail("a");
  expect(await ask("a")).toMatchObject({ is: "open", reason: "down" });
  await reopen("a");
  expect((await Promise.all([ask("a"), ask("a"), ask("a")])).map(({ is }) => is).toSorted()).toEqual(["open", "open", "probe"]);
  await withTenant(at.db, "acme", (tx) => noteSuccess(tx, "a"));
  expect(await ask("a")).toEqual({ is: "closed" });
});

test("who asks waits for nobody that is noting how the target did: each holds what the other needs", async () => {
  await fail("b");
  await reopen("b");
  await withTenant(at.db, "acme", async (tx) => {
    await noteSuccess(tx, "b");
    // While the row is locked; were it waited for, this would not come back.
    expect(await ask("b")).toMatchObject({ is: "open", wait: 0.1 });
  });
  expect(await ask("b")).toEqual({ is: "closed" });
});

test("each failure of the one that tries leaves it alone twice as long as before, at most a quarter of an hour", async () => {
  await fail("c");
  const waits: number[] = [];
  for (let round = 0; round < 7; round++) waits.push(Math.round((await withTenant(at.db, "acme", (tx) => noteFailure(tx, "c", "down")))!));
  expect(waits).toEqual([60, 120, 240, 480, 900, 900, 900]);
});
