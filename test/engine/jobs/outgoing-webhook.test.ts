import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { listOutgoingEndpoints, putOutgoingEndpoint, replayDelivered, rotateEndpointSecret, switchOutgoingEndpoint } from "../../../engine/store/index.ts";
import { deliveryRig, type DeliveryRig, type Received } from "./delivery-rig.ts";

let it: DeliveryRig;
beforeAll(async () => { it = await deliveryRig(); });
afterEach(() => it.reset());
afterAll(() => it.close());

const flow = { flows: { out: { to: { webhook: "product" }, map: { fields: { name: { expression: "name" } } } } } } as const;
const ann = (data = {}) => [{ key: "1", data: { name: "Ann", ...data } }];
const verified = ({ text, headers }: Received, secret: string) => new Webhook(secret).verify(text, headers as Record<string, string>);
const waitFor = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 10_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) if (Date.now() > end) throw new Error("waited in vain");
};

describe("an outgoing webhook", () => {
  test("is signed as Standard Webhooks says, under one id over all attempts", async () => {
    await it.apply(flow);
    const { secret } = await putOutgoingEndpoint(it.database.db, it.keyring, "acme", "product", `${it.url}/hooks`);
    let tries = 0;
    it.answer = () => (++tries < 3 ? { status: tries === 1 ? 500 : 302, headers: tries === 2 ? { location: "https://elsewhere.example" } : {} } : { status: 204 });
    it.deliverer();
    await it.page(ann());
    await waitFor(async () => { await it.hurry(); return (await it.deliveries())[0]?.status === "delivered"; });
    const [one] = await it.deliveries();
    expect(one).toMatchObject({ attempts: 3, kind: "webhook", target: "product", operation: "contact.created" });
    expect(it.received.map((request) => verified(request, secret!))).toEqual(Array.from({ length: 3 }, () => ({ type: "contact.created", timestamp: one!.changed_at, tenant: "acme", flow: "out", data: { name: "Ann" } })));
    expect(new Set(it.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([one!.id]));
    expect(new Set(it.received.map(({ text }) => text)).size).toBe(1);
    expect(JSON.stringify(await it.admin("select * from endpoint_secrets"))).not.toContain(secret!.slice(6));
  });

  test("is signed with both secrets while one is rotated out, and with the new one alone afterwards", async () => {
    await it.apply(flow);
    const { secret: old } = await putOutgoingEndpoint(it.database.db, it.keyring, "acme", "product", `${it.url}/hooks`);
    const { secret } = (await rotateEndpointSecret(it.database.db, it.keyring, "acme", "product"))!;
    it.deliverer();
    await it.page(ann());
    await it.settled(1);
    for (const each of [old!, secret]) expect(verified(it.received[0]!, each)).toMatchObject({ flow: "out" });
    await it.admin("update endpoint_secrets set expires_at = now() where expires_at is not null");
    await it.page(ann({ name: "Anna" }));
    await it.settled(2);
    expect(verified(it.received[1]!, secret)).toMatchObject({ type: "contact.updated", data: { name: "Anna" } });
    expect(() => verified(it.received[1]!, old!)).toThrow();
    expect((await listOutgoingEndpoints(it.database.db, "acme"))[0]!.secrets).toHaveLength(1);
  });

  test("waits as long as Retry-After says, in seconds or until a date, also where the schedule is shorter", async () => {
    await it.apply(flow);
    await putOutgoingEndpoint(it.database.db, it.keyring, "acme", "product", `${it.url}/hooks`);
    it.answer = ({ body }) => ({ status: 503, headers: { "retry-after": (body["data"] as { name: string }).name === "Ann" ? "120" : new Date(Date.now() + 3_600_000).toUTCString() } });
    it.deliverer();
    await it.page([...ann(), { key: "2", data: { name: "Bob" } }]);
    await waitFor(async () => (await it.deliveries()).filter(({ code }) => code === "DELIVERY_RETRY").length === 2);
    const waits = (await it.deliveries()).map(({ due_at, last_sent_at }) => (Date.parse(due_at!) - Date.parse(last_sent_at!)) / 1000);
    expect([waits[0]! >= 119 && waits[0]! < 160, waits[1]! >= 3590 && waits[1]! < 4400], String(waits)).toEqual([true, true]);
  });

  test("that is answered with 410 disables its endpoint; the others wait until it is enabled again", async () => {
    await it.apply(flow);
    await putOutgoingEndpoint(it.database.db, it.keyring, "acme", "product", `${it.url}/hooks`);
    it.answer = () => ({ status: 410 });
    it.deliverer();
    await it.page(ann());
    expect((await it.settled(1))[0]).toMatchObject({ status: "failed", code: "DELIVERY_ENDPOINT" });
    expect(await listOutgoingEndpoints(it.database.db, "acme")).toMatchObject([{ enabled: false, disabled_reason: expect.stringContaining("410") }]);
    await it.page(ann({ name: "Anna" }));
    await waitFor(async () => (await it.deliveries())[1]?.code === "DELIVERY_WAITS");
    expect(it.received).toHaveLength(1);
    it.answer = () => ({});
    await switchOutgoingEndpoint(it.database.db, "acme", "product", true);
    await it.hurry();
    await it.settled(2);
    await replayDelivered(it.database.db, "acme", { status: ["failed"] });
    await waitFor(async () => (await it.deliveries()).every(({ status }) => status === "delivered"));
  });

  test("goes to the operator's endpoint where the tenant has none of that name", async () => {
    await it.apply(flow);
    const { secret } = await putOutgoingEndpoint(it.database.db, it.keyring, "platform", "product", `${it.url}/platform`);
    it.deliverer();
    await it.page(ann());
    await it.settled(1);
    expect(it.received[0]!.url).toBe("/platform");
    expect(verified(it.received[0]!, secret!)).toMatchObject({ tenant: "acme" });
  });

  test("never reaches an address that is not public, unless the workspace allows it", async () => {
    await it.apply(flow);
    await putOutgoingEndpoint(it.database.db, it.keyring, "acme", "product", "http://169.254.169.254/latest");
    const { createTransport } = await import("../../../engine/components/transport/http.ts");
    const transport = createTransport();
    it.deliverer({ transport });
    await it.page(ann());
    expect((await it.settled(1))[0]).toMatchObject({ status: "failed", code: "DELIVERY_REFUSED", reason: expect.stringContaining("169.254.169.254") });
    await transport.close();
  });
});
