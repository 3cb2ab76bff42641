import { afterAll, beforeAll, expect, test } from "vitest";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../../engine/jobs/index.ts";
import { suspendTenant } from "../../../engine/store/index.ts";
import { deliveryRig, type DeliveryRig } from "./delivery-rig.ts";

let it: DeliveryRig;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  it = await deliveryRig();
  await it.apply({ flows: { out: { to: { action: "note", connection: "crm", connector: "crm" } } } }, ["acme", "bolt"]);
  const onError = (cause: Error): void => void it.errors.push(cause);
  const jobs = await openJobs({ db: it.database.db, works: true, onError });
  const transport = createTransport({ allowPrivate: true });
  // It looks by itself once a minute: what a test sees sooner came by notification.
  const worker = startWorker({ jobs, keyring: it.keyring, transport, schedules: false, onError, deliveries: { pollMilliseconds: 60_000 } });
  closing.push(() => worker.stop(5000), () => transport.close(), () => jobs.close());
});
afterAll(async () => {
  for (const close of closing) await close();
  await it.close();
});

test("a worker hears of a change when its page is committed, and delivers it at once", async () => {
  await it.page([{ key: "1", data: { name: "Ann" } }]);
  await it.settled(1);
  const took: number[] = [];
  for (let i = 2; i <= 12; i++) {
    const begun = performance.now();
    await it.page([{ key: String(i), data: { name: `n${i}` } }]);
    await it.settled(i);
    took.push(it.received.at(-1)!.at - begun);
  }
  took.sort((a, b) => a - b);
  console.log(`page committed to action called: p50 ${took[5]!.toFixed(0)} ms, max ${took.at(-1)!.toFixed(0)} ms`);
  expect(it.errors).toEqual([]);
});

test("nothing leaves for a suspended tenant, and the others go on", async () => {
  expect(await suspendTenant(it.database.db, "acme", "me", "unpaid")).toBe(true);
  await it.admin(`insert into row_changes (tenant_id, entity, row_id, after, links, cause, at) select tenant_id, entity, id, data, links, 'event', now() from entity_rows limit 1`);
  const before = it.received.length;
  await it.page([{ key: "1", data: { name: "Bolt" } }], { tenant: "bolt" });
  await it.settled(1, "out", "bolt");
  expect(it.received.slice(before).map(({ body }) => body["name"])).toEqual(["Bolt"]);
});
