/**
 * Order per row under the interleavings that a storm meets once in a thousand runs: leases that end while their worker sleeps,
 * claims that are given back late, one that is replayed or held while a newer one is sent.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import pg from "pg";
import { PlanCache } from "../../../engine/jobs/execute-run.ts";
import { type DeliveryPoint, fillOutbox } from "../../../engine/jobs/outbox.ts";
import { beginAttempts, claimDue, type ClaimedDelivery, decideHeld, keepClaims, markOutcome, putOff, releaseClaims, replayDelivered, withTenant } from "../../../engine/store/index.ts";
import { claimDeliveries } from "../../../engine/store/sql/deliveries.ts";
import { type Random, seeded } from "../../../server/demo/data/random.ts";
import { deliveryRig, type DeliveryRig } from "./delivery-rig.ts";

let it: DeliveryRig;
beforeAll(async () => { it = await deliveryRig(); });
afterEach(() => it.reset());
afterAll(() => it.close());

const note = { to: { action: "note", connection: "crm", connector: "crm" } } as const;
const save = { to: { save: "contacts", connection: "shop", connector: "shop" } } as const;
const LEASE_SECONDS = 60;
const ann = (name = "Ann", more = {}) => [{ key: "1", data: { name, ...more } }];
const fill = async (): Promise<void> => {
  const plans = new PlanCache(it.database.db);
  while ((await fillOutbox({ db: it.database.db, keyring: it.keyring, plans }, "acme"))!.changes > 0);
};
const claim = (owner: string, limit = 10) => claimDue(it.database.db, it.keyring, "acme", { owner, leaseSeconds: LEASE_SECONDS, limit });
const begin = async (worker: string, delivery: ClaimedDelivery): Promise<boolean> => (await withTenant(it.database.db, "acme", (tx) => beginAttempts(tx, [{ delivery }], { worker, leaseSeconds: LEASE_SECONDS })))[0] !== undefined;
const lapse = (id?: string) => it.admin("update deliveries set lease_until = now() - interval '1 second', due_at = now() where status = 'sending' and ($1::uuid is null or id = $1)", [id ?? null]);
const waitFor = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 10_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) if (Date.now() > end) throw new Error("waited in vain");
};
/** Stops a deliverer the first time it comes to a point. */
const stopAt = (point: DeliveryPoint) => {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let armed = true;
  return { reached: reached.promise, go: () => gate.resolve(), probe: async (at: DeliveryPoint) => { if (at === point && armed) { armed = false; reached.resolve(); await gate.promise; } } };
};

test("what a worker lost and claimed anew is not given back with the claim that it lost", async () => {
  await it.apply({ flows: { out: note } });
  await it.page(ann());
  await fill();
  const lost = await claim("w");
  await lapse();
  const anew = await claim("w");
  expect([lost.length, anew.length, await begin("w", anew[0]!)]).toEqual([1, 1, true]);
  await releaseClaims(it.database.db, "acme", lost);
  expect([await keepClaims(it.database.db, anew, LEASE_SECONDS), await claim("other")]).toEqual([true, []]);
});

test("what a worker lost while it slept it neither begins, keeps, marks nor gives back, whoever has it", async () => {
  await it.apply({ flows: { out: note } });
  await it.page(ann());
  await fill();
  const [slept] = await claim("sleeper");
  await lapse();
  const [taken] = await claim("other");
  expect([await begin("sleeper", slept!), await keepClaims(it.database.db, [slept!], LEASE_SECONDS), await withTenant(it.database.db, "acme", (tx) => markOutcome(tx, it.keyring, slept!, { status: "delivered" }))]).toEqual([false, false, false]);
  await releaseClaims(it.database.db, "acme", [slept!]);
  expect(await begin("other", taken!)).toBe(true);
});

test("a look at what stands before one goes by an index, also when the planner has seen nothing but one row's", async () => {
  await it.apply({ flows: { out: note } });
  await it.admin(`insert into deliveries (tenant_id, id, flow, entity, row_id, change_seq, cause, changed_at, kind, target, operation, status, key, payload, revision, due_at)
    select id, gen_random_uuid(), 'out', 'contact', '00000000-0000-4000-8000-000000000001', n, 'poll', now(), 'action', 'crm', 'note', 'queued', n::text, '\\x00', 'r', now() from tenants, generate_series(1, 3000) as n where slug = 'acme'`);
  await it.admin("analyze deliveries");
  const [{ id }] = await it.admin<{ id: string }>("select id from tenants where slug = 'acme'") as [{ id: string }];
  const claims = claimDeliveries(id, "w", LEASE_SECONDS, 16);
  const planned = (await it.admin<{ "QUERY PLAN": string }>(`explain ${claims.text}`, claims.values)).map((line) => line["QUERY PLAN"]);
  expect(planned.filter((line) => line.includes("on deliveries e"))).toEqual([expect.stringContaining("deliveries_in_the_way")]);
  expect(planned.filter((line) => line.includes("on deliveries b"))).toEqual([expect.stringContaining("deliveries_of_batch")]);
});

test("what puts many off waits for nobody's rows, so that no two wait for each other", async () => {
  await it.apply({ flows: { out: note } });
  for (const name of ["a", "b"]) await it.page(["1", "2", "3"].map((key) => ({ key, data: { name: `${name}${key}` } })));
  await fill();
  const [first, second] = await it.admin<{ id: string }>("select id from deliveries order by seq");
  const other = new pg.Client({ connectionString: it.database.url, options: "-c search_path=plugboard" });
  await other.connect();
  await other.query("begin");
  // As one that is being put off, or called, by somebody else at this moment: one that is first of its row, and one behind.
  await other.query("select from deliveries where id = any($1) or row_id = (select row_id from deliveries where id = $2) for update", [[first!.id], second!.id]);
  try {
    await withTenant(it.database.db, "acme", async (tx) => {
      await tx.query("set local lock_timeout = '2s'");
      await putOff(tx, "action", "crm", 600, "it fails");
    });
    expect(await it.admin("select 1 from deliveries where code = 'DELIVERY_WAITS'")).toHaveLength(3);
    // Looking for what stands behind another one does not wait either.
    expect((await Promise.race([claim("w"), new Promise<"waited">((resolve) => setTimeout(resolve, 5000, "waited"))]))).toEqual([]);
  } finally {
    await other.query("rollback");
    await other.end();
  }
});

interface Sent { readonly row: string; readonly place: number; readonly delivery: ClaimedDelivery; lost: boolean }

/** Three workers, one statement at a time, in the order that the seed gives. @returns what was sent against the order. */
async function interleave(random: Random, steps: number): Promise<string[]> {
  const { db } = it.database;
  const workers = ["a", "b", "c"].map((name) => ({ name, ahead: [] as ClaimedDelivery[], begun: [] as ClaimedDelivery[], sent: [] as Sent[], late: [] as ClaimedDelivery[] }));
  const [wrong, furthest] = [[] as string[], new Map<string, number>()];
  const flying = () => workers.flatMap(({ sent }) => sent);
  const known = () => workers.flatMap(({ ahead, begun, sent, late }) => [...ahead, ...begun, ...late, ...sent.map(({ delivery }) => delivery)]);
  const send = (worker: typeof workers[number], delivery: ClaimedDelivery): void => {
    const { row, place } = delivery;
    if (place < (furthest.get(row) ?? 0)) wrong.push(`${place} of ${row} after ${furthest.get(row)}`);
    // One whose lease ended while its answer was under way may come twice; one that is held by nobody else may not.
    for (const other of flying()) if (other.row === row && !other.lost) wrong.push(`${place} of ${row} while ${other.place} is under way`);
    furthest.set(row, Math.max(place, furthest.get(row) ?? 0));
    worker.sent.push({ row, place, delivery, lost: false });
  };
  const does = {
    claim: async (worker: typeof workers[number]) => { worker.ahead.push(...await claim(worker.name, 2)); },
    begin: async (worker: typeof workers[number]) => { const next = worker.ahead.shift(); if (next !== undefined && await begin(worker.name, next)) worker.begun.push(next); },
    send: async (worker: typeof workers[number]) => { const next = worker.begun.shift(); if (next !== undefined && await keepClaims(db, [next], LEASE_SECONDS)) send(worker, next); },
    mark: async (worker: typeof workers[number]) => {
      const done = worker.sent.shift();
      if (done !== undefined) await withTenant(db, "acme", (tx) => markOutcome(tx, it.keyring, done.delivery, random.chance(0.6) ? { status: "delivered" } : { status: "queued", inSeconds: 0, unsure: true }));
    },
    // Decided now, done later, as a pool without a free connection does.
    tooLate: async (worker: typeof workers[number]) => { worker.late.push(...worker.ahead.splice(0)); },
    giveBack: async (worker: typeof workers[number]) => { const late = worker.late.shift(); if (late !== undefined) await releaseClaims(db, "acme", [late]); },
    lapse: async () => {
      const one = random.pick(known().length === 0 ? [undefined] : known());
      if (one === undefined) return;
      await lapse(one.id);
      for (const each of flying()) if (each.delivery.id === one.id) each.lost = true;
    },
  };
  const order = ["claim", "claim", "begin", "begin", "send", "send", "mark", "tooLate", "giveBack", "lapse", "lapse"] as const;
  for (let step = 0; step < steps; step++) await does[random.pick(order)](random.pick(workers));
  return wrong;
}

test.each([5, 6, 7])("three workers, their statements in any order, send a row's deliveries in its order and one at a time (seed %i)", async (seed) => {
  await it.apply({ flows: { out: note } });
  for (let round = 0; round < 6; round++) await it.page(["1", "2", "3"].map((key) => ({ key, data: { name: `${key}-${round}` } })));
  await fill();
  expect(await interleave(seeded(seed), 260)).toEqual([]);
});

describe("an older delivery that is sent late", () => {
  test("is not replayed while a newer save of its row is being sent; claimed all the same, it gives way", async () => {
    await it.apply({ flows: { out: save } });
    it.answer = ({ body }) => (body["name"] === "Ann" ? { status: 400 } : { body: { id: "s-1" } });
    const newer = stopAt("before_mark");
    const first = it.deliverer();
    await it.page(ann());
    const [old] = await it.settled(1);
    expect(old!.status).toBe("failed");
    await first.stop(1000);
    it.deliverer({ probe: newer.probe });
    await it.page(ann("Anna"));
    await newer.reached;
    expect(await replayDelivered(it.database.db, "acme", { ids: [old!.id] })).toEqual([]);
    // As a replay that committed between the claim's look and its own does.
    await it.admin("update deliveries set status = 'queued', due_at = now(), finished_at = null, chosen = null where id = $1", [old!.id]);
    it.deliverer();
    await waitFor(async () => (await it.deliveries())[0]!.status === "superseded").finally(newer.go);
    await it.settled(2);
    const [given, second] = await it.deliveries();
    expect([given!.superseded_by, second!.status, it.received.map(({ body }) => body["name"])]).toEqual([second!.id, "delivered", ["Ann", "Anna"]]);
  });

  test("because it waited for a reference gives way to a newer one that waits for the same person", async () => {
    await it.apply({ flows: { out: { ...note, hold_for: "recruiter", map: { fields: { name: { expression: "name" }, employer: { expression: "company.name" } } } } } });
    it.deliverer();
    await it.page(ann("Ann", { company: "77" }));
    await waitFor(async () => (await it.deliveries())[0]?.status === "waiting");
    await it.page(ann("Anna"));
    await waitFor(async () => (await it.deliveries())[1]?.status === "held");
    await it.admin(`insert into entity_rows (tenant_id, entity, id, data, labels, links, created_at, updated_at) select id, 'company', gen_random_uuid(), '{"name": "Acme"}', '{}', '{"crm": "77"}', now(), now() from tenants where slug = 'acme'`);
    await it.admin(`insert into contributions (tenant_id, connection, stream, entity, key, row_id, data, labels, data_hash, record_hash, run_id, created_at, updated_at)
      select tenant_id, 'crm', 'companies', 'company', '77', id, data, '{}', 'x', 'x', id, now(), now() from entity_rows where entity = 'company'`);
    await it.hurry();
    await waitFor(async () => (await it.deliveries())[0]!.status !== "waiting" && (await it.deliveries())[0]!.status !== "sending" && (await it.deliveries())[0]!.status !== "queued");
    const [old, newer] = await it.deliveries();
    expect([old!.status, old!.superseded_by, newer!.status]).toEqual(["superseded", newer!.id, "held"]);
    expect(await decideHeld(it.database.db, "acme", newer!.id, true, "rita")).toBe(true);
    await waitFor(() => it.received.length > 0);
    expect(it.received.map(({ body }) => body["name"])).toEqual(["Anna"]);
  });
});
