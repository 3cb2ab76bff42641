import { createServer, connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createKeyring, listEvents, openDatabase } from "../../../engine/store/index.ts";
import { openJobs, type Jobs } from "../../../engine/jobs/index.ts";
import { createServer as createPlugboard } from "../../../server/api/server.ts";
import { intakeRig, type IntakeRig } from "./rig.ts";

let it: IntakeRig;
let away: { url: string; down(): void; up(): void; close(): void };
let jobs: Jobs;
let people: string;
beforeAll(async () => {
  it = await intakeRig();
  await it.apply(["acme"]);
  people = await it.address("acme", { feed: "people" });
  away = await switchable(it.database.url);
  const db = await openDatabase({ url: away.url, max: 4, onError: () => undefined });
  jobs = await openJobs({ db, works: false, onError: () => undefined });
  await it.server.close();
  it.server = await createPlugboard({ db, jobs, keyring: await createKeyring({ value: it.kek }), logLevel: "silent" });
});
afterAll(async () => {
  await it.close();
  await jobs.close();
  await jobs.db.close();
  away.close();
});

test("while the database is away nothing is answered with 2xx; afterwards the same event is stored once", async () => {
  const send = (id: string) => it.send(people, { events: [{ id, type: "person", person: { id: 1, v: 1, name: "Ada" } }] });
  expect((await send("before")).statusCode).toBe(200);
  away.down();
  for (let n = 0; n < 3; n++) {
    const answer = await send("during");
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "5"]);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "STORE_UNREACHABLE" } });
  }
  expect((await it.send("/webhooks/crm/nobody", {})).statusCode).toBe(503);
  away.up();
  await expect.poll(async () => (await send("during")).statusCode, { timeout: 10_000 }).toBe(200);
  await send("during");
  expect((await listEvents(it.database.db, "acme")).items.map(({ event_id }) => event_id).toSorted()).toEqual(["before", "during"]);
});

/** PostgreSQL behind a door that can be shut. */
async function switchable(url: string): Promise<typeof away> {
  const target = new URL(url);
  let open = true;
  const sockets = new Set<Socket>();
  const door = createServer((from) => {
    if (!open) return void from.destroy();
    const to = connect(Number(target.port || 5432), target.hostname);
    for (const [one, other] of [[from, to], [to, from]] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => undefined).on("close", () => { sockets.delete(one); other.destroy(); });
    }
  });
  await new Promise<void>((resolve) => { door.listen(0, "127.0.0.1", resolve); });
  const through = new URL(url);
  through.host = `127.0.0.1:${(door.address() as { port: number }).port}`;
  return { url: through.href, down() { open = false; for (const socket of sockets) socket.destroy(); }, up() { open = true; }, close() { door.close(); for (const socket of sockets) socket.destroy(); } };
}
