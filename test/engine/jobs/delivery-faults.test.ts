import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addDelivery } from "../../../engine/store/index.ts";
import type { DeliveryPoint } from "../../../engine/jobs/outbox.ts";
import { deliveryRig, posting, type DeliveryRig } from "./delivery-rig.ts";

let it: DeliveryRig;
beforeAll(async () => { it = await deliveryRig(); });
beforeEach(() => it.apply({ flows: { out: { to: { action: "note", connection: "crm", connector: "crm" } } } }));
afterEach(() => it.reset());
afterAll(() => it.close());

const ann = (name = "Ann") => [{ key: "1", data: { name } }];
const waitFor = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 10_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) if (Date.now() > end) throw new Error("waited in vain");
};
/** A worker that never comes back from a step, as one that was killed there; and one that does when it is let go. */
const stopAt = (point: DeliveryPoint) => {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let armed = true;
  return { reached: reached.promise, go: () => gate.resolve(), probe: async (at: DeliveryPoint) => { if (at === point && armed) { armed = false; reached.resolve(); await gate.promise; } } };
};
const loseLeases = () => it.admin("update deliveries set lease_until = now() - interval '1 second', due_at = now() where status = 'sending'");

describe("a worker that is lost", () => {
  test("between the change and the outbox loses nothing: both are there, or the change still is", async () => {
    const dying = { add: (async () => { throw new Error("killed"); }) as typeof addDelivery };
    it.deliverer(dying);
    await it.page(ann());
    await waitFor(() => it.errors.length > 0);
    expect([await it.admin("select 1 as one from row_changes"), await it.deliveries()]).toEqual([[{ one: 1 }], []]);
    it.deliverer();
    expect(await it.settled(1)).toMatchObject([{ status: "delivered" }]);
    expect(it.received).toHaveLength(1);
  });

  test.each([["claimed", 1, 1], ["attempt_begun", 1, 2], ["after_send", 2, 2], ["before_mark", 2, 2]] as const)("at %s costs at most a second try, under the same key", async (point, requests, attempts) => {
    const lost = stopAt(point);
    it.deliverer({ probe: lost.probe, leaseSeconds: 1 });
    await it.page(ann());
    await lost.reached;
    await loseLeases();
    it.deliverer();
    const [one] = await it.settled(1);
    expect([one!.status, one!.attempts, it.received.length]).toEqual(["delivered", attempts, requests]);
    expect(new Set(it.received.map(({ headers }) => headers["idempotency-key"]))).toEqual(new Set([one!.key]));
    // By its own clock, too, time has passed: a worker whose lease is young need not ask.
    await new Promise((resolve) => setTimeout(resolve, 300));
    lost.go();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([(await it.deliveries()).map(({ status, attempts: tries }) => [status, tries]), it.received.length]).toEqual([[["delivered", attempts]], requests]);
  });

  test.each([["claimed", "delivered"], ["after_send", "unknown"]] as const)("at %s leaves what cannot be undone %s: what was begun is never sent again by itself", async (point, status) => {
    await it.apply({ flows: { out: { to: { action: "note", connection: "crm", connector: "crm" } } }, actions: { note: posting("/notes", { once: { is: "never" }, irreversible: true }) } });
    const lost = stopAt(point);
    it.deliverer({ probe: lost.probe });
    await it.page(ann());
    await lost.reached;
    await loseLeases();
    it.deliverer();
    try {
      expect([(await it.settled(1))[0]!.status, it.received.length]).toEqual([status, 1]);
    } finally {
      lost.go();
    }
  });

  test("and wakes up again after another took over sends nothing more", async () => {
    const zombie = stopAt("claimed");
    it.deliverer({ probe: zombie.probe });
    await it.page(ann());
    await zombie.reached;
    await loseLeases();
    const other = stopAt("before_mark");
    it.deliverer({ probe: other.probe });
    await other.reached;                                     // it has sent, and not yet said so
    zombie.go();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(it.received).toHaveLength(1);
    other.go();
    await it.settled(1);
  });
});

test("two workers send each delivery once, and those of a row in the order of its changes", async () => {
  it.deliverer({ slots: 4 });
  it.deliverer({ slots: 4 });
  it.answer = async () => { await new Promise((resolve) => setTimeout(resolve, Math.random() * 10)); return {}; };
  for (let round = 0; round < 6; round++) await it.page(Array.from({ length: 8 }, (_, key) => ({ key: String(key), data: { name: `${key}-${round}` } })));
  await it.settled(48);
  const names = it.received.map(({ body }) => String(body["name"]));
  expect(new Set(names).size).toBe(48);
  expect(names).toHaveLength(48);
  for (let key = 0; key < 8; key++) expect(names.filter((name) => name.startsWith(`${key}-`))).toEqual(Array.from({ length: 6 }, (_, round) => `${key}-${round}`));
  expect(it.errors).toEqual([]);
});

test("a change is made a delivery of a flow once, whoever tries again", async () => {
  await it.page(ann());
  const [change] = await it.admin<object>("select * from row_changes");
  it.deliverer();
  await it.settled(1);
  await it.admin(`insert into row_changes overriding system value select * from jsonb_populate_record(null::row_changes, $1)`, [JSON.stringify(change)]);
  await waitFor(async () => (await it.admin("select 1 from row_changes")).length === 0);
  expect([await it.deliveries(), it.received].map(({ length }) => length)).toEqual([1, 1]);
});
