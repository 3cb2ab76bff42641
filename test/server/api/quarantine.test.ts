import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listQuarantine, readRunLog } from "../../../engine/store/index.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import { createServer } from "../../../server/api/server.ts";
import { rig, type Rig } from "../../engine/jobs/rig.ts";

let it: Rig;
let server: FastifyInstance;
const keys: Record<string, string> = {};
const wrong = { map: { fields: { name: { expression: "id" } } }, quarantine: { share: 1, count: 1000 } };

beforeAll(async () => {
  it = await rig();
  await it.apply(["acme", "bolt"], { people: wrong });
  server = await createServer({ db: it.database.db, jobs: it.jobs, keyring: it.keyring, logLevel: "silent" });
  for (const tenant of ["acme", "bolt"]) keys[tenant] = await issueKey(it.database.db, { name: tenant, scopes: ["*"], tenant });
  keys["reader"] = await issueKey(it.database.db, { name: "reader", scopes: ["quarantine:read", "sync:run"], tenant: "acme" });
  keys["replayer"] = await issueKey(it.database.db, { name: "replayer", scopes: ["quarantine:replay"], tenant: "acme" });
  await it.worker();
  for (const tenant of ["acme", "bolt"]) await it.ended(tenant, await it.trigger(tenant));
});
afterAll(async () => {
  await server.close();
  await it.close();
});

const post = (key: string, url: string, body?: unknown) => server.inject({
  method: "POST", url, headers: { authorization: `Bearer ${keys[key]}`, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
});
const open = async (tenant: string) => (await listQuarantine(it.database.db, tenant, { status: "open" })).items;
const replayLine = async (id: string) => (await readRunLog(it.database.db, "acme", id)).items.find(({ event }) => event === "replay")?.message;

test("one record is tried again by a run of its flow, as whoever asked", async () => {
  const [first] = await open("acme");
  const answer = await post("replayer", `/api/quarantine/${first!.id}/replay`);
  expect([answer.statusCode, answer.json()]).toEqual([202, { id: expect.any(String), flow: "people", status: "queued", coalesced: false }]);
  const run = await it.ended("acme", answer.json().id);
  expect(run).toMatchObject({ trigger: "replay", requested_by: "replayer" });
  expect(await replayLine(run.id)).toBe("Replayed 1 of quarantine: 0 stored, 1 still refused.");
});

test("all of a scope are tried again, by a run for each flow", async () => {
  const answer = await post("acme", "/api/quarantine/replay", { flow: "people", connection: "crm", code: "MAPPING_INVALID" });
  expect([answer.statusCode, answer.json()]).toEqual([202, { runs: [{ id: expect.any(String), flow: "people", status: "queued", coalesced: false, records: 6 }], kept: [] }]);
  expect(await replayLine((await it.ended("acme", answer.json().runs[0].id)).id)).toBe("Replayed 6 of quarantine: 0 stored, 6 still refused.");
  expect((await post("acme", "/api/quarantine/replay", { code: "MAPPING_LIMIT" })).json()).toEqual({ runs: [], kept: [] });
});

test.each([
  ["an unknown flow", { flow: "peopel" }, 400], ["an unknown connection", { connection: "crn" }, 400], ["an unknown member", { key: "1" }, 400],
])("%s is refused", async (_, body, status) => expect((await post("acme", "/api/quarantine/replay", body)).statusCode).toBe(status));

test("reading the quarantine and starting syncs are not the permission to replay it", async () => {
  const [first] = await open("acme");
  for (const url of ["/api/quarantine/replay", `/api/quarantine/${first!.id}/replay`]) expect((await post("reader", url)).json().error.code).toBe("SERVER_FORBIDDEN");
});

test("a tenant replays its own only: another's record does not exist for it, and nothing of it is tried", async () => {
  const [theirs] = await open("bolt");
  const before = await open("bolt");
  for (const url of [`/api/quarantine/${theirs!.id}/replay`, `/api/quarantine/${randomUUID()}/replay`]) expect([(await post("acme", url)).statusCode, (await post("acme", url)).json().error.code]).toEqual([404, "SERVER_NOT_FOUND"]);
  expect((await post("acme", "/api/quarantine/replay?tenant=bolt", {})).statusCode).toBe(404);
  const { runs } = (await post("acme", "/api/quarantine/replay")).json();
  await it.ended("acme", runs[0].id);
  expect((await open("bolt")).map(({ id, seen, run }) => ({ id, seen, run }))).toEqual(before.map(({ id, seen, run }) => ({ id, seen, run })));
});

test("what is resolved is not tried again", async () => {
  const [first] = await open("acme");
  await it.apply(["acme", "bolt"], { people: { ...wrong, map: { fields: { name: { expression: "name" } } } } });
  await it.ended("acme", await it.trigger("acme"));
  expect(await open("acme")).toEqual([]);
  const answer = await post("acme", `/api/quarantine/${first!.id}/replay`);
  expect([answer.statusCode, answer.json().error.code]).toEqual([409, "SERVER_TOO_LATE"]);
});
