import { expect, test } from "vitest";
import { migrate, migrationStatus, openDatabase } from "../../../engine/store/index.ts";
import { asAdmin, createDatabase, dropDatabase } from "../../support/postgres.ts";

test("four migrations at once on one empty database apply every file once", async () => {
  const url = await createDatabase();
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate({ url })));
  const { applied, pending } = await migrationStatus(url);
  expect(pending).toEqual([]);
  expect(results.flatMap((result) => result.applied).sort()).toEqual([...applied]);
  expect((await migrate({ url })).applied).toEqual([]);
  const db = await openDatabase({ url });
  await db.pool.query("select version from pgboss.version");
  await db.close();
  await dropDatabase(url);
});

test("databases of one cluster can be migrated at once", async () => {
  const urls = await Promise.all([createDatabase(), createDatabase()]);
  await Promise.all(urls.map((url) => migrate({ url })));
  for (const url of urls) {
    expect((await migrationStatus(url)).pending).toEqual([]);
    await dropDatabase(url);
  }
});

test("a migration that was changed after it was applied is refused", async () => {
  const url = await createDatabase();
  await migrate({ url });
  await asAdmin(url, "update migrations set checksum = 'other' where file like '000002%'");
  await expect(migrate({ url })).rejects.toMatchObject({ code: "STORE_MIGRATION_CHANGED", params: { file: expect.stringMatching(/^000002_/) } });
  await asAdmin(url, "delete from migrations where file like '000002%'; insert into migrations values ('999999_future.sql', 'x')");
  await expect(migrate({ url })).rejects.toMatchObject({ code: "STORE_AHEAD" });
  await dropDatabase(url);
});

test("a database that was never migrated is named as such", async () => {
  const url = await createDatabase();
  expect((await migrationStatus(url)).applied).toEqual([]);
  await dropDatabase(url);
});

test("a user who may not create roles or schemas learns what is missing", async () => {
  const url = await createDatabase();
  const name = `weak_${new URL(url).pathname.slice(-6)}`;
  await asAdmin(url, `create role ${name} login password 'x'`);
  const weak = new URL(url);
  weak.username = name;
  weak.password = "x";
  await expect(migrate({ url: weak.href })).rejects.toMatchObject({ code: "STORE_PRIVILEGES" });
  await asAdmin(url, `alter role ${name} createrole; grant plugboard_owner, plugboard_app, plugboard_scheduler to ${name}; grant create on database ${new URL(url).pathname.slice(1)} to ${name}`);
  expect((await migrate({ url: weak.href })).applied.length).toBeGreaterThan(3);
  const db = await openDatabase({ url: weak.href });
  await db.pool.query("select * from tenants");
  await db.close();
  await dropDatabase(url);
  await asAdmin(weak.href.replace(/.*@/, url.slice(0, url.indexOf("@") + 1)).replace(/\/[^/]*$/, "/postgres"), `drop role ${name}`);
});

test("an unreachable server is named without its password", async () => {
  const failure = await openDatabase({ url: "postgres://someone:s3cret@127.0.0.1:1/none" }).catch((error: unknown) => error as Error);
  expect(failure).toMatchObject({ code: "STORE_UNREACHABLE", params: { address: "127.0.0.1:1/none" } });
  expect(String((failure as Error).message)).not.toContain("s3cret");
});
