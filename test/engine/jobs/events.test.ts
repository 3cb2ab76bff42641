import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { triggerRun } from "../../../engine/jobs/index.ts";
import { getEvent, getRun, listQuarantine, listRecords, listRuns, PLATFORM, pruneEvents, releaseHeld, replayEvents, setConnection, suspendTenant } from "../../../engine/store/index.ts";
import { asAdmin } from "../../support/postgres.ts";
import { intakeRig, SECRET, type IntakeRig } from "../../server/intake/rig.ts";

let it: IntakeRig;
let number = 0;
let tenant: string;
let people: string;
beforeAll(async () => {
  it = await intakeRig({ intake: { flood: { perSecond: 1e6, burst: 1e6 } } });
  await it.worker();
});
afterAll(() => it.close());
/** A tenant of its own for each test: events of one do not meet those of another. */
beforeEach(async () => {
  tenant = `t${++number}`;
  await it.apply([tenant]);
  people = await it.address(tenant, { feed: "people" });
  it.provider.people.clear();
  it.provider.reads.length = 0;
  it.provider.instead = undefined;
});

const send = async (url: string, ...events: object[]): Promise<void> => expect((await it.send(url, { events })).statusCode).toBe(200);
const person = (id: string, key: number, v: number, name: string, more: object = {}): object => ({ id, type: "person", person: { id: key, v, name, ...more } });
const live = async (): Promise<Record<string, string>> => Object.fromEntries((await listRecords(it.database.db, tenant, "person", { limit: 1000 })).items.map((row) => [(row["links"] as { crm: string }).crm, String(row["name"])]));

describe("records", () => {
  test("become rows in the order in which they came, older versions lose, and the counters balance", async () => {
    await send(people, person("a", 1, 1, "Ada"), person("b", 2, 5, "new"), person("c", 2, 4, "old"), person("d", 1, 2, "Ada L."));
    await send(people, person("e", 1, 1, "late"));
    const events = await it.settled(tenant, 5);
    expect(events.map(({ status, effects }) => [status, effects[0]!.does])).toEqual(Array.from({ length: 5 }, () => ["processed", "stored"]));
    expect(await live()).toEqual({ 1: "Ada L.", 2: "new" });
    const { items: runs } = await listRuns(it.database.db, tenant);
    expect(runs).toMatchObject(runs.map(() => ({ trigger: "webhook", status: "succeeded", flow: "people" })));
    const sum = (name: "read" | "created" | "updated" | "superseded") => runs.reduce((all, { counters }) => all + counters[name], 0);
    expect([sum("read"), sum("created"), sum("updated"), sum("superseded")]).toEqual([5, 2, 1, 2]);
  });

  test("end and come back, and go on when what would have ended them is older", async () => {
    await send(people, person("a", 1, 1, "Ada"), { id: "b", type: "gone", person: { id: 1 } }, person("c", 2, 1, "Bob"), person("d", 2, 2, "Bob", { active: false }), person("e", 2, 3, "Bob is back"));
    await it.settled(tenant, 5);
    expect(await live()).toEqual({ 2: "Bob is back" });
    // What would have ended it was said before the present state.
    await send(people, person("f", 2, 2, "Bob", { active: false }));
    await it.settled(tenant, 6);
    expect(await live()).toEqual({ 2: "Bob is back" });
  });

  test("do not come back with what was said before their end, also where the end comes first", async () => {
    await it.apply([tenant], { stream: { cursor: { type: "datetime", field: "t" } } });
    const at = (id: string, key: number, second: number): object => ({ id, type: "person", person: { id: key, t: `2026-01-01T00:00:0${second}Z`, name: `at ${second}` } });
    const gone = (id: string, key: number, second: number): object => ({ id, type: "gone", at: `2026-01-01T00:00:0${second}Z`, person: { id: key } });
    await send(people, at("a", 1, 1), gone("b", 1, 3), at("c", 1, 2), gone("d", 2, 3), at("e", 2, 2), gone("f", 3, 3), at("g", 3, 4), gone("h", 3, 2));
    await it.settled(tenant, 8);
    expect(await live()).toEqual({ 3: "at 4" });
  });

  test("that cannot be mapped are quarantined with their raw record, and the event is processed", async () => {
    await send(people, { id: "a", type: "person", person: { id: 1, v: 1 } }, person("b", 2, 1, "Bob"));
    expect((await it.settled(tenant, 2)).map(({ status, effects }) => [status, effects[0]!.does])).toEqual([["processed", "quarantined"], ["processed", "stored"]]);
    expect((await listQuarantine(it.database.db, tenant)).items).toMatchObject([{ key: "1", flow: "people", code: "MAPPING_INVALID" }]);
    expect((await listRuns(it.database.db, tenant)).items).toMatchObject([{ status: "succeeded_with_quarantine", counters: { read: 2, created: 1, quarantined: 1 } }]);
    await send(people, person("c", 1, 2, "Ada"));
    await it.settled(tenant, 3);
    expect((await listQuarantine(it.database.db, tenant, { status: "open" })).items).toEqual([]);
  });
});

test("a flow that only events feed tries its quarantined records again, and reads nothing", async () => {
  await it.apply([tenant], { stream: { version: "v", list: undefined } as never, flows: { people: { map: { fields: { name: { expression: "nickname" } } } } } });
  await send(people, person("a", 1, 1, "Ada"));
  expect(await it.settled(tenant)).toMatchObject([{ effects: [{ does: "quarantined" }] }]);
  await it.apply([tenant], { stream: { version: "v", list: undefined } as never });
  const created = await triggerRun(it.jobs.queue, it.database.db, tenant, { flow: "people", connection: "crm", trigger: "api" });
  await expect.poll(() => getRun(it.database.db, tenant, created!.run!.id), { timeout: 10_000 }).toMatchObject({ status: "succeeded", counters: { read: 1, created: 1, requests: 0 } });
  expect(await live()).toEqual({ 1: "Ada" });
  expect((await it.api("GET", `/api/integrations/crm/status?tenant=${tenant}`)).json().last_event_at).toMatch(/Z$/);
});

test("a poll tells how many records changed without an event, of each connection", async () => {
  const stands = async () => { const { without_event, flows } = (await it.api("GET", `/api/integrations/crm/status?tenant=${tenant}`)).json(); return [without_event, flows[0].pushed, flows[0].without_event]; };
  const listed = (...items: object[]): void => { it.provider.instead = (path, response) => path.startsWith("/people") && (response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items })), true); };
  const poll = async (): Promise<void> => {
    const created = await triggerRun(it.jobs.queue, it.database.db, tenant, { flow: "people", connection: "crm", trigger: "api" });
    await expect.poll(() => getRun(it.database.db, tenant, created!.run!.id), { timeout: 20_000 }).toMatchObject({ status: "succeeded" });
  };
  listed({ id: 1, v: 1, name: "Ada" }, { id: 2, v: 1, name: "Bob" });
  await poll();
  expect(await stands()).toEqual([null, true, null]);
  await send(people, person("a", 1, 2, "Ada L."));
  await it.settled(tenant, 1);
  expect(await stands()).toEqual([null, true, null]);          // a first load is no poll
  listed({ id: 1, v: 2, name: "Ada L." }, { id: 2, v: 2, name: "Bobby" }, { id: 3, v: 1, name: "Cid" });
  await poll();
  expect(await stands()).toEqual([2, true, 2]);                // Bobby and Cid; of Ada L. an event came
  await poll();
  expect(await stands()).toEqual([0, true, 0]);
});

describe("events that are not stored", () => {
  test("say why: no flow, no meaning, an echo of ours, an expression that fails", async () => {
    await send(people, { id: "a", type: "other", person: { id: 1 } }, { id: "b", type: "unheard of" }, { id: "c", source: "us", type: "person", person: { id: 1 } }, { id: "d", type: "touched", person: {} });
    expect((await it.settled(tenant, 4)).map(({ status, code }) => [status, code])).toEqual([["ignored", undefined], ["ignored", undefined], ["echo", undefined], ["failed", "EVENT_NO_KEY"]]);
    expect((await it.events(tenant)).every(({ reason }) => (reason ?? "").length > 10)).toBe(true);
    expect(it.provider.reads).toEqual([]);
  });

  test("all that hold apply: one item is stored, and ignored where no flow reads", async () => {
    await it.apply([tenant], { webhooks: { people: { ...(await import("../../server/intake/rig.ts")).webhooks["people"]!, events: { one: { stream: "people", record: "person" }, two: { stream: "others", record: "person" } } } } });
    await send(people, person("a", 1, 1, "Ada"));
    expect(await it.settled(tenant)).toMatchObject([{ status: "processed", events: ["one", "two"], effects: [{ stream: "people", does: "stored" }, { stream: "others", does: "ignored" }] }]);
  });

  test("of a disabled connection or a suspended tenant are kept, and go on afterwards", async () => {
    await it.apply([tenant], { connection: { enabled: false } });
    await send(people, person("a", 1, 1, "Ada"));
    expect(await it.settled(tenant)).toMatchObject([{ status: "held", code: "AUTH_NOT_CONNECTED" }]);
    await it.apply([tenant]);
    await suspendTenant(it.database.db, tenant, "test");
    expect(await releaseHeld(it.database.db, tenant, "crm")).toBe(1);
    expect(await it.settled(tenant)).toMatchObject([{ status: "held", code: "TENANT_SUSPENDED" }]);
    expect(await live()).toEqual({});
  });

  test("and come first when the connection is open again, before what arrives in that moment", async () => {
    await it.apply([tenant], { connection: { enabled: false } });
    for (const name of ["one", "two", "three"]) await send(people, person(name, 1, 1, name));
    expect((await it.settled(tenant, 3)).map(({ status }) => status)).toEqual(["held", "held", "held"]);
    await it.apply([tenant]);
    await send(people, person("four", 1, 1, "four"));
    await expect.poll(async () => (await it.events(tenant)).filter(({ status }) => status === "processed").length, { timeout: 20_000 }).toBe(4);
    expect(await live()).toEqual({ 1: "four" });
  });

  test("that were nobody's find their connection when they are asked for again", async () => {
    await setConnection(it.database.db, it.keyring, PLATFORM, "crm", { connector: "crm", config: {}, secrets: { key: SECRET } });
    const app = await it.address(PLATFORM, { feed: "app" });
    const account = `late ${tenant}`;
    expect((await it.send(app, [{ subscription: tenant, event: 1, account, person: { id: 1, v: 1, name: "Ada" } }])).statusCode).toBe(200);
    const [event] = (await it.events(PLATFORM)).filter((each) => each.account === account);
    expect(event).toMatchObject({ status: "unrouted" });
    await setConnection(it.database.db, it.keyring, tenant, "crm", { connector: "crm", config: {}, account: { id: account } });
    expect(await replayEvents(it.database.db, PLATFORM, { ids: [event!.id] })).toBe(1);
    await it.settled(tenant);
    expect(await live()).toEqual({ 1: "Ada" });
    expect(await getEvent(it.database.db, PLATFORM, event!.id)).toMatchObject({ status: "processed", attempts: 1 });
  });
});

describe("reads", () => {
  test("of one key are shared by all that ask before they begin; one that comes meanwhile causes another", async () => {
    const hints = await it.address(tenant, { feed: "hints" });
    const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    it.provider.people.set("7", { id: 7, v: 1, name: "before" });
    it.provider.instead = async () => { reached.resolve(); await gate.promise; return false; };
    const hint = async (): Promise<void> => expect((await it.send(hints, { person: 7 })).statusCode).toBe(200);
    await hint();
    await reached.promise;
    for (let n = 0; n < 20; n++) await hint();
    await expect.poll(async () => (await it.events(tenant)).filter(({ status }) => status === "reading").length, { timeout: 5000 }).toBe(21);
    it.provider.people.set("7", { id: 7, v: 2, name: "after" });
    it.provider.instead = undefined;
    gate.resolve();
    const events = await it.settled(tenant, 21);
    expect(events.every(({ status, event_id }) => status === "processed" && event_id === undefined)).toBe(true);
    expect(it.provider.reads).toEqual(["7", "7"]);
    expect(await live()).toEqual({ 7: "after" });
  });

  test("of a record that is gone end its row; a provider that is unwell is asked again; what is never there fails and says so", async () => {
    it.provider.people.set("1", { id: 1, v: 1, name: "Ada" });
    await send(people, { id: "a", type: "touched", person: { id: 1 } });
    await it.settled(tenant);
    expect(await live()).toEqual({ 1: "Ada" });
    it.provider.people.delete("1");
    await send(people, { id: "b", type: "touched", person: { id: 1 } });
    await it.settled(tenant, 2);
    expect(await live()).toEqual({});
    it.provider.instead = (_, response) => { response.writeHead(503).end(); return true; };
    await send(people, { id: "c", type: "touched", person: { id: 3 } });
    await expect.poll(() => asAdmin(it.database.url, "select attempts, reason is not null as told from pending_reads where key = '3'"), { timeout: 5000 }).toEqual([{ attempts: 1, told: true }]);
    it.provider.people.set("3", { id: 3, v: 1, name: "Cy" });
    it.provider.instead = undefined;
    await asAdmin(it.database.url, "update pending_reads set due_at = now()");
    await it.settled(tenant, 3);
    expect(await live()).toEqual({ 3: "Cy" });
    it.provider.instead = (_, response) => { response.writeHead(400).end("{}"); return true; };
    await send(people, { id: "d", type: "touched", person: { id: 4 } });
    expect((await it.settled(tenant, 4)).at(-1)).toMatchObject({ status: "failed", code: "RUN_HTTP_STATUS" });
  });
});

describe("again", () => {
  test("the same event, another attempt: by id, by filter, over HTTP; nothing is stored twice", async () => {
    await send(people, person("a", 1, 1, "Ada"), { id: "b", type: "other", person: { id: 1 } }, { id: "c", type: "touched", person: {} });
    const [a] = await it.settled(tenant, 3);
    expect((await it.api("POST", `/api/events/${a!.id}/replay?tenant=${tenant}`)).json()).toEqual({ replayed: 1 });
    await expect.poll(() => getEvent(it.database.db, tenant, a!.id), { timeout: 5000 }).toMatchObject({ id: a!.id, status: "processed", attempts: 2, replayed: true });
    expect((await it.api("POST", `/api/events/replay?tenant=${tenant}`, {})).statusCode).toBe(400);
    expect((await it.api("POST", `/api/events/replay?tenant=${tenant}&dry_run=true`, { status: "failed" })).json()).toEqual({ would_replay: 1 });
    expect((await it.api("POST", `/api/events/replay?tenant=${tenant}`, { status: "failed" })).json()).toEqual({ replayed: 1 });
    expect((await it.settled(tenant, 3)).at(-1)).toMatchObject({ status: "failed", attempts: 2 });
    const list = (await it.api("GET", `/api/events?tenant=${tenant}&event=person`)).json();
    expect(list.data.map(({ id }: { id: string }) => id)).toEqual([a!.id]);
    expect((await it.api("GET", `/api/events/${a!.id}?tenant=${tenant}`)).json()).toMatchObject({ event_id: "a", request: { method: "POST", path: "/webhooks/crm/…", headers: { "x-signature": "•••" } } });
    expect((await it.api("GET", `/api/events/${a!.id}?tenant=${PLATFORM}`)).statusCode).toBe(404);
    expect(await live()).toEqual({ 1: "Ada" });
  });

  test("what was processed long ago is deleted, what failed stays", async () => {
    await send(people, person("a", 1, 1, "Ada"), { id: "b", type: "touched", person: {} });
    await it.settled(tenant, 2);
    const [now, then] = [Date.now().toString(16).padStart(12, "0"), (Date.now() - 31 * 86_400_000).toString(16).padStart(12, "0")];
    for (const table of ["events", "inbound_requests"]) {
      await asAdmin(it.database.url, `update ${table} set id = overlay(id::text placing '${then.slice(0, 8)}-${then.slice(8)}' from 1)::uuid where tenant_id = (select id from tenants where slug = '${tenant}') and id::text > '${now.slice(0, 4)}'`);
    }
    await asAdmin(it.database.url, `update events set request_id = overlay(request_id::text placing '${then.slice(0, 8)}-${then.slice(8)}' from 1)::uuid where tenant_id = (select id from tenants where slug = '${tenant}')`);
    expect(await pruneEvents(it.database.db, tenant, 30)).toEqual({ events: 1, requests: 0 });
    expect((await it.events(tenant)).map(({ event_id }) => event_id)).toEqual(["b"]);
  });
});

describe("a worker that is killed", () => {
  const children: ChildProcess[] = [];
  afterAll(() => { for (const child of children) child.kill("SIGKILL"); });
  const start = (point: string | undefined): ChildProcess => {
    const child = fork(fileURLToPath(new URL("event-process.ts", import.meta.url)), { env: { ...process.env, EVENT_DATABASE: killed.database.url, EVENT_KEK: kek, ...(point === undefined ? {} : { EVENT_POINT: point }) }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    children.push(child);
    return child;
  };
  const at = (child: ChildProcess): Promise<void> => new Promise((resolve, reject) => { child.on("message", () => resolve()); child.on("exit", (code) => reject(new Error(`it ended with ${code}`))); });
  let killed: IntakeRig;
  let kek: string;
  beforeAll(async () => {
    killed = await intakeRig();
    kek = killed.kek;
  });
  afterAll(() => killed.close());

  test.each(["events_written", "after_commit", "read_claimed", "read_written"])("at '%s' has lost nothing and done nothing twice", async (point) => {
    const name = `k_${point}`;
    await killed.apply([name]);
    killed.provider.people.set("9", { id: 9, v: 1, name: "read" });
    const url = await killed.address(name, { feed: "people" });
    expect((await killed.send(url, { events: [person("a", 1, 1, "Ada"), person("b", 2, 1, "Bob"), { id: "c", type: "touched", person: { id: 9 } }] })).statusCode).toBe(200);
    const first = start(point);
    await at(first);
    first.kill("SIGKILL");
    await asAdmin(killed.database.url, "update pending_reads set lease_until = now() where lease_until is not null");       // as time would
    const second = start(undefined);
    const events = await killed.settled(name, 3);
    second.kill("SIGKILL");
    expect(events.map(({ status, attempts }) => [status, attempts])).toEqual([["processed", 1], ["processed", 1], ["processed", 1]]);
    const { items } = await listRecords(killed.database.db, name, "person", { limit: 10 });
    expect(items.map((row) => row["name"]).toSorted()).toEqual(["Ada", "Bob", "read"]);
    const runs = (await listRuns(killed.database.db, name)).items;
    expect(runs.reduce((all, { counters }) => all + counters.read, 0)).toBe(3);
    expect(runs.reduce((all, { counters }) => all + counters.created, 0)).toBe(3);
  });
});
