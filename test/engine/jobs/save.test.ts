import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { decideHeld, forgetRecords, getRecord, listBreakers, listContributions, withTenant } from "../../../engine/store/index.ts";
import { deliveryRig, type DeliveryRig } from "./delivery-rig.ts";

let it: DeliveryRig;
beforeAll(async () => { it = await deliveryRig(); });
afterEach(() => it.reset());
afterAll(() => it.close());

const save = (connection: string) => ({ to: { save: "contacts", connection, connector: connection } }) as const;
const both = { flows: { crm_out: save("crm"), shop_out: save("shop") }, inward: { crm: {}, shop: {} }, entity: { match: ["email"], prefer: "newest" as const } };
const ann = (data = {}, version?: string) => ({ key: "c-1", data: { name: "Ann", email: "ann@example.com", ...data }, ...(version === undefined ? {} : { version }) });
const asked = () => it.received.map(({ method, url, body }) => [method, url, body["name"]]);
const statuses = async (flow: string) => (await it.deliveries(flow)).map(({ status }) => status);

describe("save", () => {
  test("creates, updates and deletes as the link says, and sends nothing that the connection has", async () => {
    await it.apply({ flows: { out: save("shop") } });
    it.answer = () => ({ body: { id: "s-9", version: "1" } });
    it.deliverer();
    await it.page([ann()]);
    await it.settled(1);
    await it.page([ann({ name: "Anna" })]);
    await it.settled(2);
    await it.page([ann({ name: "Anna", phone: "1" })]);        // no field that the mapping reads
    await it.settled(3);
    await it.page([], { gone: ["c-1"] });
    await it.settled(4);
    expect(asked()).toEqual([["POST", "/shop/contacts", "Ann"], ["PATCH", "/shop/contacts/s-9", "Anna"], ["DELETE", "/shop/contacts/s-9", undefined]]);
    expect((await it.deliveries()).map(({ status, operation }) => [status, operation])).toEqual([["delivered", "create"], ["delivered", "update"], ["unchanged", "contacts"], ["delivered", "remove"]]);
    await it.page([ann({ name: "Ann is back" })]);
    await it.settled(5);
    expect(asked().at(-1)).toEqual(["POST", "/shop/contacts", "Ann is back"]);
  });

  test("two ways: what comes from one side goes to the other, and its own echo changes nothing", async () => {
    await it.apply(both);
    it.answer = () => ({ body: { id: "s-9", version: "200" } });
    it.deliverer();
    await it.page([ann({}, "100")]);
    await it.settled(1, "shop_out");
    await it.settled(1, "crm_out");
    expect(asked()).toEqual([["POST", "/shop/contacts", "Ann"]]);
    expect(await statuses("crm_out")).toEqual(["unchanged"]);

    // The shop tells of its new record, twice and late: it is the same row, and nothing moves.
    const before = await it.admin("select id, data, updated_at from entity_rows");
    for (const version of ["200", "199", "200"]) await it.page([{ key: "s-9", data: { name: "Ann", email: "ann@example.com" }, version }], { connection: "shop" });
    expect(await it.admin("select id, data, updated_at from entity_rows")).toEqual(before);
    const record = await getRecord(it.database.db, "acme", "contact", (before[0] as { id: string }).id);
    expect(record!.links).toEqual({ crm: "c-1", shop: "s-9" });
    expect(await listContributions(it.database.db, "acme", "contact", record!.id)).toHaveLength(2);

    // A real change there comes back here.
    await it.page([{ key: "s-9", data: { name: "Ann Shop", email: "ann@example.com" }, version: "300" }], { connection: "shop" });
    await it.settled(2, "crm_out");
    await it.settled(2, "shop_out");
    expect(asked()).toEqual([["POST", "/shop/contacts", "Ann"], ["PATCH", "/crm/contacts/c-1", "Ann Shop"]]);
    expect(await statuses("shop_out")).toEqual(["delivered", "unchanged"]);
    expect(it.errors).toEqual([]);
  });

  test("the echo of a record that came before its answer did is joined to the row it was made from", async () => {
    await it.apply({ ...both, entity: {} });
    const answering = Promise.withResolvers<void>();
    it.answer = async () => { await answering.promise; return { body: { id: "s-9", version: "200" } }; };
    it.deliverer();
    await it.page([ann({}, "100")]);
    for (const end = Date.now() + 5000; it.received.length === 0 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 10));
    await it.page([{ key: "s-9", data: { name: "Ann", email: "ann@example.com" }, version: "200" }], { connection: "shop" });
    answering.resolve();
    await it.settled(1, "shop_out");
    for (const end = Date.now() + 5000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) if ((await statuses("shop_out"))[0] === "delivered") break;
    expect(await it.admin("select links from entity_rows where deleted_at is null")).toEqual([{ links: { crm: "c-1", shop: "s-9" } }]);
  });

  test("holds a row that two systems keep answering, and shows it; a person lets it pass", async () => {
    await it.apply({ flows: { out: save("shop") } });
    it.answer = () => ({ body: { id: "s-9" } });
    it.deliverer({ loopLimit: 3 });
    for (let i = 1; i <= 4; i++) {
      await it.page([ann({ name: `Ann ${i}` })]);
      await it.settled(i);
    }
    const held = (await it.deliveries())[3]!;
    expect(held).toMatchObject({ status: "held", code: "DELIVERY_LOOP", attempts: 0 });
    expect(it.received).toHaveLength(3);
    // What arrived more than an hour ago does not count; another row never does.
    await it.page([{ key: "c-2", data: { name: "Bob" } }]);
    expect((await it.settled(5))[4]).toMatchObject({ status: "delivered" });
    it.received.length = 3;
    expect(await decideHeld(it.database.db, "acme", held.id, true, "me")).toBe(true);
    for (const end = Date.now() + 5000; Date.now() < end && it.received.length < 4; ) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(asked().at(-1)).toEqual(["PATCH", "/shop/contacts/s-9", "Ann 4"]);
    await it.admin("update deliveries set finished_at = finished_at - interval '61 minutes'");
    await it.page([ann({ name: "Ann 5" })]);
    await it.settled(6);
    expect(asked().at(-1)).toEqual(["PATCH", "/shop/contacts/s-9", "Ann 5"]);
  });

  test("that arrives after failures forgets them", async () => {
    await it.apply({ flows: { out: save("shop") } });
    let tries = 0;
    it.answer = () => (++tries < 3 ? { status: 503 } : { body: { id: "s-9" } });
    it.deliverer();
    await it.page([ann()]);
    for (const end = Date.now() + 10_000; (await statuses("out"))[0] !== "delivered" && Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) await it.hurry();
    expect([await statuses("out"), tries, await listBreakers(it.database.db, "acme")]).toEqual([["delivered"], 3, []]);
  });

  test("says so when the connector has no action for it", async () => {
    await it.apply({ flows: { out: save("shop") }, actions: { create: { effect: { does: "updates", stream: "others" } } } });
    it.deliverer();
    await it.page([ann()]);
    expect((await it.settled(1))[0]).toMatchObject({ status: "failed", code: "DELIVERY_NOT_SAVED", reason: expect.stringContaining("creates 'contacts'") });
  });
});

test("a connection that starts over is given everything anew: no key of its old account is used", async () => {
  await it.apply({ flows: { out: save("shop") } });
  it.answer = () => ({ body: { id: `s-${it.received.length}` } });
  it.deliverer();
  await it.page([ann()]);
  await it.settled(1);
  await withTenant(it.database.db, "acme", (tx) => forgetRecords(tx, "shop"));
  await it.page([ann({ name: "Anna" })]);
  await it.settled(2);
  expect(asked()).toEqual([["POST", "/shop/contacts", "Ann"], ["POST", "/shop/contacts", "Anna"]]);
});

test("a record that was deleted over there is made again when its row changes", async () => {
  await it.apply(both);
  it.answer = () => ({ body: { id: `s-${it.received.length}`, version: "200" } });
  it.deliverer();
  await it.page([ann({}, "100")]);
  await it.settled(1, "shop_out");
  await it.page([], { connection: "shop", gone: ["s-1"] });
  await it.page([ann({ name: "Anna" }, "300")]);
  await it.settled(2, "shop_out");
  expect(asked().map(([method, , name]) => [method, name])).toEqual([["POST", "Ann"], ["POST", "Anna"]]);
});
