import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createListener, type Listener } from "../../../engine/jobs/listener.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
let listener: Listener;
beforeAll(async () => { database = await testDatabase(); });
afterEach(() => listener.close());
afterAll(() => database.close());

const until = async (holds: () => boolean): Promise<void> => {
  for (const end = Date.now() + 10_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 5))) if (Date.now() > end) throw new Error("waited in vain");
};

test("hears what is notified, and again after its connection was killed", async () => {
  const heard: string[] = [];
  let [connected, lost] = [0, 0];
  listener = createListener({
    connection: { connectionString: database.url }, channels: { plugboard_test: (payload) => heard.push(payload) },
    onConnected: () => connected++, onLost: () => lost++,
  });
  await listener.ready;
  await database.db.pool.query("select pg_notify('plugboard_test', 'one')");
  await until(() => heard.length === 1);
  await asAdmin(database.url, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'plugboard listen' and datname = current_database()");
  await until(() => connected === 2);
  await database.db.pool.query("select pg_notify('plugboard_test', 'two')");
  await until(() => heard.length === 2);
  expect([heard, connected, lost]).toEqual([["one", "two"], 2, 1]);
});

test("comes up when the database does", async () => {
  const { hostname, port } = new URL(database.url);
  let lost = 0;
  const connection = { host: hostname, port: 1, database: new URL(database.url).pathname.slice(1), user: new URL(database.url).username, password: new URL(database.url).password };
  listener = createListener({ connection, channels: { plugboard_test: () => undefined }, onConnected: () => undefined, onLost: () => { if (++lost === 2) connection.port = Number(port); } });
  await listener.ready;
  expect(lost).toBeGreaterThanOrEqual(2);
});
