import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { askForRows, cancelDelivery, decideHeld, findMinted, forgetDeliveries, listAttempts, flowLoads, changeFlowStates, listBreakers, pauseChanges, pauseConnection, readDeliveryPayload, putOutgoingEndpoint, replayDelivered, resolveUnknown, rowsNotFired, unfiredChanges, withTenant, describeConnection, setConnection } from "../../../engine/store/index.ts";
import { deliveryRig, posting, TOKEN, type DeliveryRig } from "./delivery-rig.ts";

let it: DeliveryRig;
beforeAll(async () => { it = await deliveryRig(); });
afterEach(() => it.reset());
afterAll(() => it.close());

const note = { to: { action: "note", connection: "crm", connector: "crm" } } as const;
const ann = (data = {}, version?: string) => ({ key: "1", data: { name: "Ann", email: "ann@example.com", ...data }, ...(version === undefined ? {} : { version }) });
const waitFor = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 10_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) if (Date.now() > end) throw new Error("waited in vain");
};
const statuses = async (flow = "out") => (await it.deliveries(flow)).map(({ status }) => status);

describe("a change of a row", () => {
  test("reaches an action with its mapped input, once, and its attempt is kept without the credential", async () => {
    await it.apply({ flows: { out: note } });
    it.deliverer();
    await it.page([ann()]);
    const [one] = await it.settled(1);
    expect(one).toMatchObject({ status: "delivered", kind: "action", target: "crm", operation: "note", cause: "poll", attempts: 1 });
    expect(it.received.map(({ method, url, body }) => [method, url, body])).toEqual([["POST", "/crm/notes", { name: "Ann", email: "ann@example.com" }]]);
    expect(it.received[0]!.headers).toMatchObject({ "idempotency-key": one!.key, authorization: `Bearer ${TOKEN}` });
    const [attempt] = await listAttempts(it.database.db, "acme", one!.id, it.keyring);
    expect(attempt).toMatchObject({ number: 1, outcome: "done", http_status: 200 });
    expect(JSON.stringify(attempt!.exchange)).toContain("ann@example.com");
    expect(JSON.stringify(attempt!.exchange)).not.toContain(TOKEN);
    expect(it.errors).toEqual([]);
  });

  test("fires on the edge: true after and not true before; absent before, and one on which it fails, count as not true", async () => {
    await it.apply({ flows: { out: { ...note, becomes: 'stage = "shortlisted"' }, strict: { ...note, becomes: "$length(phone) > 3" }, filtered: { ...note, when: "before.name != after.name" } } });
    it.deliverer();
    await it.page([ann({ stage: "new" })]);
    await it.page([ann({ stage: "shortlisted" })]);
    await it.page([ann({ stage: "shortlisted", phone: "12345" })]);      // stage stays: no edge. phone: absent before
    await it.page([ann({ stage: "new", phone: "12345" })]);
    await it.page([ann({ stage: "shortlisted", phone: "12345" }), { key: "2", data: { name: "Bob", stage: "shortlisted", phone: "1234" } }]);
    await it.page([{ key: "2", data: { name: "Robert", stage: "shortlisted", phone: "1234" } }]);
    expect(await it.settled(3)).toHaveLength(3);
    expect(await it.settled(2, "strict")).toHaveLength(2);
    expect(await it.settled(1, "filtered")).toHaveLength(1);
  });

  test("fires nothing from a first load, a sweep or a resync; it is counted, at next to no cost", async () => {
    await it.apply({ flows: { out: note } });
    await it.page(Array.from({ length: 5000 }, (_, i) => ({ key: String(i), data: { name: `n${i}` } })), { mode: "first_load" });
    await it.page([{ key: "1", data: { name: "swept" } }], { mode: "sweep" });
    await it.page([{ key: "2", data: { name: "again" } }, { key: "3", data: { name: "again" } }], { mode: "resync" });
    expect(await it.admin("select count(*)::int as count from row_changes")).toEqual([{ count: 0 }]);
    expect((await unfiredChanges(it.database.db, "acme", "contact")).map(({ cause, count }) => [cause, count])).toEqual([["first_load", 5000], ["resync", 2], ["sweep", 1]]);
    it.deliverer();
    await it.page([{ key: "1", data: { name: "changed" } }]);
    expect(await it.settled(1)).toHaveLength(1);
    expect(it.received).toHaveLength(1);
  });

  test("fires nothing when only the mapping changed, and does when the record did under the same version", async () => {
    await it.apply({ flows: { out: note } });
    await it.page([ann({}, "5"), { key: "2", data: { name: "Bob" }, version: "5" }]);
    await it.admin("delete from row_changes");
    // The raw record is what it was; what the mapping makes of it is not.
    await it.admin("update contributions set data = '{}', data_hash = 'x', record_hash = 'x'");
    await it.admin("update entity_rows set data = '{}'");
    await it.page([ann({}, "5"), { key: "2", data: { name: "Rob" }, version: "5" }]);
    expect(await it.admin("select after from row_changes")).toEqual([{ after: { name: "Rob" } }]);
    expect((await unfiredChanges(it.database.db, "acme", "contact")).map(({ cause, count }) => [cause, count])).toEqual([["mapping", 1]]);
  });

  test("fires nothing that happened before the flow was enabled, also when another flow noted it", async () => {
    await it.apply({ flows: { first: note, out: { ...note, enabled: false } } });
    await it.page([ann()]);
    await it.apply({ flows: { first: note, out: note } });
    it.deliverer();
    await it.settled(1, "first");
    expect(await it.deliveries()).toEqual([]);
    await it.page([ann({ name: "Anna" })]);
    expect((await it.settled(1)).map(({ status }) => status)).toEqual(["delivered"]);
  });

  test("is delivered when somebody asks for it, whatever its cause was", async () => {
    await it.apply({ flows: { out: note, other: note } });
    await it.page([ann(), { key: "2", data: { name: "Bob" } }], { mode: "first_load" });
    const rows = (await it.admin<{ id: string }>("select id from entity_rows order by data->>'name'")).map(({ id }) => id);
    expect(await withTenant(it.database.db, "acme", (tx) => askForRows(tx, "contact", "out", rows, "me"))).toBe(2);
    it.deliverer();
    expect((await it.settled(2)).map(({ cause }) => cause)).toEqual(["asked", "asked"]);
    expect(await it.deliveries("other")).toEqual([]);
  });
});

describe("what is delivered", () => {
  test("has values made once: the same on every try, kept as hashes, sealed in the outbox", async () => {
    await it.apply({ flows: { out: { ...note, mint: { link: { token: "interview", about: "=record.name", valid_seconds: 600 } }, map: { fields: { url: { expression: '"https://x/" & $link' } } } } } });
    let tries = 0;
    it.answer = () => (++tries === 1 ? { status: 503 } : {});
    it.deliverer();
    await it.page([ann()]);
    await waitFor(() => tries === 1);
    await waitFor(async () => (await statuses())[0] === "queued");
    await it.hurry();
    const [one] = await it.settled(1);
    const [first, second] = it.received.map(({ body }) => String(body["url"]));
    expect(second).toBe(first);
    const token = first!.slice("https://x/".length);
    expect(token.length).toBeGreaterThanOrEqual(43);
    expect(await findMinted(it.database.db, "acme", token)).toMatchObject({ kind: "interview", about: "Ann", delivery: one!.id });
    const everything = JSON.stringify([await it.admin("select * from deliveries"), await it.admin("select * from minted_tokens")]);
    expect(everything).not.toContain(token);
    expect((await readDeliveryPayload(it.database.db, it.keyring, "acme", one!.id))!.minted).toEqual({ link: token });
  });

  test("looks through references; one that is missing is waited for, and named when it does not come", async () => {
    await it.apply({ flows: { out: { ...note, map: { fields: { employer: { expression: "company.name" } } } } } });
    it.deliverer();
    await it.page([ann({ company: "77" }), { key: "2", data: { name: "Bob", company: "88" } }]);
    await waitFor(async () => (await statuses()).join() === "waiting,waiting");
    await it.admin(`insert into entity_rows (tenant_id, entity, id, data, labels, links, created_at, updated_at) select id, 'company', gen_random_uuid(), '{"name": "Acme"}', '{}', '{"crm": "77"}', now(), now() from tenants where slug = 'acme'`);
    await it.admin(`insert into contributions (tenant_id, connection, stream, entity, key, row_id, data, labels, data_hash, record_hash, run_id, created_at, updated_at)
      select tenant_id, 'crm', 'companies', 'company', '77', id, data, '{}', 'x', 'x', id, now(), now() from entity_rows where entity = 'company'`);
    await it.hurry();
    await it.settled(1);
    expect(it.received.map(({ body }) => body)).toEqual([{ employer: "Acme" }]);
    await it.admin("update deliveries set created_at = created_at - interval '61 minutes' where status = 'waiting'");
    await it.hurry();
    const [, other] = await it.settled(2);
    expect(other).toMatchObject({ status: "failed", code: "DELIVERY_REFERENCE", reason: expect.stringContaining("'company' refers to company '88'") });
  });

  test("that cannot be mapped is kept with its revision, and mapped anew when it is replayed", async () => {
    await it.apply({ flows: { out: { ...note, map: { fields: { name: { expression: "$number(name)" } } } } } });
    it.deliverer();
    await it.page([ann()]);
    const [broken] = await it.settled(1);
    expect(broken).toMatchObject({ status: "failed", code: "MAPPING_EVALUATION", reason: expect.stringContaining("'name'"), attempts: 0 });
    await it.apply({ flows: { out: note } });
    expect(await replayDelivered(it.database.db, "acme", { ids: [broken!.id] })).toEqual([broken!.id]);
    await waitFor(async () => (await statuses())[0] === "delivered");
    expect(it.received.map(({ body }) => body["name"])).toEqual(["Ann"]);
  });

  test("whose flow could not be decided is kept; replayed, it is sent only if the flow fires then, with its own minted value", async () => {
    const minting = { ...note, mint: { link: { token: "interview" } }, map: { fields: { url: { expression: "$link" } } } };
    await it.apply({ flows: { out: { ...minting, when: "$number(after.name) > 1" } } });
    it.deliverer();
    await it.page([ann(), { key: "2", data: { name: "Bob" } }]);
    const broken = await it.settled(2);
    expect(broken).toMatchObject([{ status: "failed", code: "MAPPING_EVALUATION", reason: expect.stringContaining("'when'") }, { status: "failed" }]);
    await it.apply({ flows: { out: { ...minting, when: 'after.name = "Ann"' } } });
    await replayDelivered(it.database.db, "acme", {});
    await waitFor(async () => (await statuses()).join() === "delivered,cancelled");
    expect(it.received.map(({ body }) => typeof body["url"])).toEqual(["string"]);
    expect(await findMinted(it.database.db, "acme", String(it.received[0]!.body["url"]))).toMatchObject({ kind: "interview", delivery: broken[0]!.id });
  });

  test("is over only when the provider is done with it: what it took is asked about, and never sent again", async () => {
    await it.apply({ flows: { out: note }, actions: { note: posting("/notes", { once: { is: "never" }, irreversible: true, returns: { key: ["body.id"] }, after: { state: { request: { method: "GET", path: "/notes/{{key}}", errors: {} }, until: "body.done", every_seconds: 1 } } }) } });
    let looks = 0;
    it.answer = ({ method }) => (method === "POST" ? { body: { id: "n-1" } } : { body: { done: ++looks === 3 } });
    it.deliverer();
    await it.page([ann()]);
    await waitFor(async () => { await it.hurry(); return (await statuses())[0] === "delivered"; });
    expect(it.received.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /crm/notes", "GET /crm/notes/n-1", "GET /crm/notes/n-1", "GET /crm/notes/n-1"]);
    expect((await it.deliveries())[0]).toMatchObject({ result_key: "n-1", attempts: 3 });
  });
});

test("a delivery whose payload was tampered with is failed, and keeps nobody", async () => {
  await it.apply({ flows: { out: { ...note, hold_for: "recruiter" } } });
  const making = it.deliverer();
  await it.page([ann(), { key: "2", data: { name: "Bob" } }]);
  const [one, other] = await it.settled(2);
  await making.stop(1000);
  await it.admin("update deliveries set payload = (select payload from deliveries where id = $1) where id = $2", [other!.id, one!.id]);
  for (const { id } of [one!, other!]) await decideHeld(it.database.db, "acme", id, true, "rita");
  it.deliverer();
  await waitFor(async () => (await statuses()).join() === "failed,delivered");
  expect((await it.deliveries())[0]).toMatchObject({ code: "STORE_DECRYPT", attempts: 0 });
  expect(it.received.map(({ body }) => body["name"])).toEqual(["Bob"]);
});

describe("a delivery that does not arrive", () => {
  test("is tried again later; only its own row waits behind it, and the gap is shown once it was given up", async () => {
    await it.apply({ flows: { out: note } });
    it.answer = ({ body }) => (body["name"] === "Ann" ? { status: 503 } : {});
    it.deliverer();
    await it.page([ann()]);
    await it.page([ann({ name: "Anna" }), { key: "2", data: { name: "Bob" } }]);
    await waitFor(async () => (await statuses()).join() === "queued,queued,delivered" && it.received.length === 2);
    expect(await it.deliveries()).toMatchObject([{ status: "queued", code: "DELIVERY_RETRY", attempts: 1 }, { status: "queued", attempts: 0, behind: expect.any(String) }, { status: "delivered" }]);
    // Nine more tries, then it is kept as exhausted, and the next of its row goes out.
    await it.admin("update deliveries set attempts = 9 where status = 'queued' and attempts = 1");
    await it.hurry();
    await waitFor(async () => (await it.deliveries()).filter(({ status }) => status === "delivered").length === 2);
    expect(await it.deliveries()).toMatchObject([{ status: "exhausted", code: "DELIVERY_EXHAUSTED", attempts: 10 }, { status: "delivered", gap: true }, { status: "delivered" }]);
    expect(it.received.map(({ body }) => body["name"]).filter((name) => name !== "Bob")).toEqual(["Ann", "Ann", "Anna"]);
  });

  test("is kept while its flow is paused, and sent in order once it is resumed; other flows go on", async () => {
    await it.apply({ flows: { out: note, other: note } });
    it.deliverer();
    expect(await pauseChanges(it.database.db, "acme", "out", "me")).toBe(true);
    expect(await pauseChanges(it.database.db, "acme", "none", "me")).toBe(false);
    for (const name of ["Ann", "Anna", "Anne"]) await it.page([ann({ name })]);
    await it.settled(3, "other");
    expect(await statuses()).toEqual(["queued", "queued", "queued"]);
    expect(await changeFlowStates(it.database.db, "acme")).toEqual(expect.arrayContaining([expect.objectContaining({ flow: "out", paused: { at: expect.any(String), by: "me" } })]));
    expect((await flowLoads(it.database.db, "acme")).find(({ flow }) => flow === "out")).toMatchObject({ waiting: 3, failed: 0 });
    // A new configuration does not resume it.
    await it.apply({ flows: { out: note, other: note } });
    it.received.length = 0;
    await pauseChanges(it.database.db, "acme", "out", undefined);
    await it.settled(3);
    expect(it.received.map(({ body }) => body["name"])).toEqual(["Ann", "Anna", "Anne"]);
  });

  test("is not looked at again by every claim where it stands behind another, and goes as soon as that one is over", async () => {
    await it.apply({ flows: { out: note } });
    it.answer = ({ body }) => (body["name"] === "n0" && it.received.length === 1 ? { status: 503 } : {});
    it.deliverer({ slots: 2 });
    await it.page([{ key: "1", data: { name: "n0" } }]);
    await waitFor(async () => (await it.deliveries())[0]?.code === "DELIVERY_RETRY");
    await it.admin("update deliveries set due_at = now() + interval '1 hour'");
    for (let i = 1; i <= 4; i++) await it.page([{ key: "1", data: { name: `n${i}` } }]);
    await waitFor(async () => (await it.admin<{ count: number }>("select count(*)::int as count from deliveries where due_at > now() + interval '5 minutes'"))[0]!.count === 5);
    await it.admin("update deliveries set due_at = now() where attempts > 0");
    await it.settled(5);
    expect(it.received.map(({ body }) => body["name"])).toEqual(["n0", "n0", "n1", "n2", "n3", "n4"]);
  });

  test("waits as long as Retry-After says, and is not sent again when it was refused", async () => {
    await it.apply({ flows: { out: note } });
    it.answer = ({ body }) => (body["name"] === "Ann" ? { status: 429, headers: { "retry-after": "120" } } : { status: 422, body: { message: "no such field" } });
    it.deliverer();
    await it.page([{ key: "2", data: { name: "Bob" } }]);
    await it.settled(1);
    await it.page([ann()]);
    await waitFor(async () => (await it.deliveries())[1]?.code === "DELIVERY_RETRY");
    const [refused, limited] = await it.deliveries();
    const wait = Date.parse(limited!.due_at!) - Date.now();
    expect([wait > 100_000, wait < 150_000, limited!.attempts]).toEqual([true, true, 1]);
    expect(refused).toMatchObject({ status: "failed", code: "DELIVERY_REFUSED", attempts: 1 });
  });

  test("leaves its target alone after five failures in a row; then one tries, and the others follow", async () => {
    await it.apply({ flows: { out: note } });
    it.answer = () => ({ status: 500 });
    it.deliverer({ slots: 1 });
    await it.page(Array.from({ length: 8 }, (_, i) => ({ key: String(i), data: { name: `n${i}` } })));
    await waitFor(async () => (await listBreakers(it.database.db, "acme"))[0]?.opened_until !== undefined);
    await waitFor(async () => (await it.admin<{ count: number }>("select count(*)::int as count from deliveries where status = 'queued' and due_at > now()"))[0]!.count === 8);
    expect(it.received).toHaveLength(5);
    it.answer = () => ({});
    // Only the time of the breaker has come, and one delivery's: it tries, and recalls the others.
    await it.admin("update breakers set opened_until = now()");
    await it.admin("update deliveries set due_at = now() where id = (select id from deliveries order by seq limit 1)");
    await waitFor(async () => (await it.deliveries()).filter(({ code }) => code === "DELIVERY_WAITS").length === 0);
    await it.hurry();
    await it.settled(8);
    expect(await listBreakers(it.database.db, "acme")).toEqual([]);
  });

  test("waits while its connection is disabled or disconnected, and is cancelled when it is gone", async () => {
    await it.apply({ flows: { out: note }, enabled: { crm: false } });
    it.deliverer();
    await it.page([ann()]);
    await waitFor(async () => (await it.deliveries())[0]?.code === "DELIVERY_WAITS");
    expect((await it.deliveries())[0]).toMatchObject({ status: "queued", attempts: 0, reason: expect.stringContaining("disabled") });
    await it.apply({ flows: { out: { to: { action: "note", connection: "shop", connector: "shop" } } }, inward: { shop: {} } });
    await it.admin(`update plans set plan = (plan::jsonb #- '{connections,crm}')::json`);
    it.deliverer();                                          // one that has not read the plan yet
    await it.hurry();
    await waitFor(async () => (await statuses())[0] === "cancelled" || (await statuses())[0] === "delivered");
    expect(it.errors).toEqual([]);
  });

  test("goes on at once when its connection is resumed, entered, or enabled in the configuration", async () => {
    await it.apply({ flows: { out: note } });
    await setConnection(it.database.db, it.keyring, "acme", "crm", { connector: "crm", config: {} });
    const waits = () => waitFor(async () => (await it.deliveries()).at(-1)?.code === "DELIVERY_WAITS");
    await pauseConnection(it.database.db, "acme", "crm", "crm", "me");
    it.deliverer();
    await it.page([ann()]);
    await waits();
    await pauseConnection(it.database.db, "acme", "crm", "crm", undefined);
    await it.settled(1);
    // One that is left alone, because its credential was no good, is tried with the new one.
    await it.admin("insert into breakers (tenant_id, target, failures, opened_until, reason) select id, 'connection:crm', 5, now() + interval '15 minutes', 'refused' from tenants where slug = 'acme'");
    await it.page([ann({ name: "Anna" })]);
    await waits();
    await setConnection(it.database.db, it.keyring, "acme", "crm", { connector: "crm", config: {} });
    await it.settled(2);
    await it.apply({ flows: { out: note }, enabled: { crm: false } });
    await it.page([ann({ name: "Anne" })]);
    await waits();
    await it.apply({ flows: { out: note } });
    expect(await it.settled(3)).toMatchObject([{ status: "delivered" }, { status: "delivered" }, { status: "delivered" }]);
  });

  test("because its credential is refused marks the connection, and goes on by itself", async () => {
    await it.apply({ flows: { out: note } });
    await setConnection(it.database.db, it.keyring, "acme", "crm", { connector: "crm", config: {} });
    it.answer = () => ({ status: 401 });
    it.deliverer();
    await it.page([ann()]);
    await waitFor(async () => (await it.deliveries())[0]?.attempts === 1 && (await statuses())[0] === "queued");
    expect(await describeConnection(it.database.db, "acme", "crm")).toMatchObject({ status: "broken" });
    it.answer = () => ({});
    await it.hurry();
    await it.settled(1);
  });
});

describe("what a receiver says", () => {
  test("is kept without the secrets in it, in any encoding, also those that its own connection does not have", async () => {
    await it.apply({ flows: { out: note, hook: { to: { webhook: "product" } } } });
    const { secret } = await putOutgoingEndpoint(it.database.db, it.keyring, "acme", "product", `${it.url}/hook`);
    const [token, signing] = [TOKEN, secret!];
    const said = [token, Buffer.from(token).toString("base64"), encodeURIComponent(signing), signing, Buffer.from(`user:${token}`).toString("base64")].join(" ");
    it.answer = ({ url }) => (url === "/hook" ? { status: 500, headers: { "x-echo": signing }, body: { said } } : { status: 422, headers: { "x-echo": token }, body: { message: said } });
    it.deliverer();
    await it.page([ann()]);
    await it.settled(1);
    await waitFor(async () => (await it.deliveries("hook"))[0]?.attempts === 1 && (await statuses("hook"))[0] === "queued");
    const kept = JSON.stringify(await Promise.all([...await it.deliveries(), ...await it.deliveries("hook")].map(async (one) => [one, await listAttempts(it.database.db, "acme", one.id, it.keyring)])));
    expect(kept).toContain("***");
    for (const canary of [token, Buffer.from(token).toString("base64").replace(/=+$/, ""), signing, encodeURIComponent(signing), Buffer.from(token).toString("hex")]) expect(kept).not.toContain(canary);
  });
});

describe("an outcome that nobody knows", () => {
  const lost = (once: ReturnType<typeof posting>["once"], irreversible = false) => ({ flows: { out: note }, actions: { note: posting("/notes", { once, irreversible }) } });
  const dropFirst = () => { let first = true; it.answer = ({ method }) => (method === "POST" && first ? ((first = false), { hangUp: true }) : {}); };
  const unsure = () => waitFor(async () => (await it.deliveries())[0]?.code === "DELIVERY_UNKNOWN");

  test("is sent again under the same key where that is harmless", async () => {
    await it.apply(lost({ is: "guarded", key: "delivery.key", valid_for_seconds: 86_400 }, true));
    dropFirst();
    it.deliverer();
    await it.page([ann()]);
    await unsure();
    expect((await it.deliveries())[0]).toMatchObject({ status: "queued" });
    await it.hurry();
    expect(await it.settled(1)).toMatchObject([{ status: "delivered", attempts: 2 }]);
    expect(new Set(it.received.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });

  test("waits for a person once the key is no longer valid, or when nothing guards an action that cannot be undone", async () => {
    await it.apply({ ...lost({ is: "never" }, true) });
    dropFirst();
    it.deliverer();
    await it.page([ann()]);
    await unsure();
    await it.hurry();
    const [one] = await it.settled(1);
    expect(one).toMatchObject({ status: "unknown", code: "DELIVERY_UNKNOWN", attempts: 1 });
    // It blocks its own row, and a person's word lets it go on.
    await it.page([ann({ name: "Anna" })]);
    await waitFor(async () => (await it.deliveries())[1]?.behind === one!.id);
    expect(it.received).toHaveLength(1);
    expect(await resolveUnknown(it.database.db, "acme", one!.id, true, "me")).toBe(true);
    expect(await resolveUnknown(it.database.db, "acme", one!.id, true, "me")).toBe(false);
    expect(await it.settled(2)).toMatchObject([{ status: "delivered", decided_by: "me", attempts: 1 }, { status: "delivered" }]);
    expect(it.received.map(({ body }) => body["name"])).toEqual(["Ann", "Anna"]);
  });

  test("is sent again once its key is no longer valid, where it surely had not arrived, or may arrive twice", async () => {
    const keyed = { is: "guarded", key: "delivery.key", valid_for_seconds: 60 } as const;
    await it.apply({ flows: { out: note, other: { to: { action: "other", connection: "crm", connector: "crm" } } }, actions: { note: posting("/notes", { once: keyed, irreversible: true }), other: posting("/other", { once: keyed }) } });
    it.answer = ({ url }) => (it.received.filter((one) => one.url === url).length > 1 ? {} : url === "/crm/notes" ? { status: 429 } : { hangUp: true });
    it.deliverer();
    await it.page([ann()]);
    await waitFor(async () => (await it.deliveries())[0]?.code === "DELIVERY_RETRY" && (await it.deliveries("other"))[0]?.code === "DELIVERY_UNKNOWN");
    await it.admin("update deliveries set first_sent_at = first_sent_at - interval '1 hour'");
    await it.hurry();
    expect([await it.settled(1), await it.settled(1, "other")]).toMatchObject([[{ status: "delivered", attempts: 2 }], [{ status: "delivered", attempts: 2 }]]);
  });

  test("is also a failure of the provider that only its key makes harmless: not sent again once that is forgotten", async () => {
    await it.apply(lost({ is: "guarded", key: "delivery.key", valid_for_seconds: 60 }, true));
    it.answer = () => ({ status: 500 });
    it.deliverer();
    await it.page([ann()]);
    await waitFor(async () => (await it.deliveries())[0]?.code === "DELIVERY_RETRY");
    await it.admin("update deliveries set first_sent_at = first_sent_at - interval '1 hour'");
    await it.hurry();
    expect(await it.settled(1)).toMatchObject([{ status: "unknown", attempts: 1 }]);
    expect(it.received).toHaveLength(1);
  });

  test("is sent again when a person found that it had not arrived", async () => {
    await it.apply({ ...lost({ is: "guarded", key: "delivery.key", valid_for_seconds: 1 }, true) });
    dropFirst();
    it.deliverer();
    await it.page([ann()]);
    await unsure();
    await it.admin("update deliveries set first_sent_at = first_sent_at - interval '1 hour'");
    await it.hurry();
    const [one] = await it.settled(1);
    expect(one!.status).toBe("unknown");
    await resolveUnknown(it.database.db, "acme", one!.id, false, "me");
    await waitFor(async () => (await statuses())[0] === "delivered");
    expect(it.received).toHaveLength(2);
  });

  test("is looked up where the action says how: found is delivered, not found is sent again", async () => {
    const find = { request: { method: "GET" as const, path: "/notes", query: { name: "=input.name" }, errors: {} }, records: "items", key: ["id"] };
    await it.apply(lost({ is: "guarded", find }, true));
    let made: object[] = [];
    it.answer = ({ method, url, body }) => {
      if (method === "GET") return { body: { items: made.filter((one) => url.includes((one as { name: string }).name)) } };
      if (body["name"] === "Ann") made = [{ id: "n-7", name: "Ann" }];
      const again = it.received.filter((one) => one.method === "POST" && one.body["name"] === body["name"]).length > 1;
      return again ? { body: { id: "n-8" } } : { hangUp: true };
    };
    it.deliverer();
    await it.page([ann(), { key: "2", data: { name: "Bob" } }]);
    await waitFor(async () => { await it.hurry(); return (await statuses()).join() === "delivered,delivered"; });
    expect(await it.settled(2)).toMatchObject([{ status: "delivered", attempts: 1, result_key: "n-7" }, { status: "delivered", attempts: 2 }]);
    expect(it.received.filter(({ method }) => method === "POST").map(({ body }) => body["name"])).toEqual(expect.arrayContaining(["Ann", "Bob", "Bob"]));
  });
});

describe("deliveries sent together", () => {
  const batch = { flows: { out: note }, actions: { note: posting("/notes", { batch: 10, request: { method: "POST", path: "/notes", headers: { "idempotency-key": "{{delivery.key}}" }, body: { encoding: "json", value: { items: "=inputs" } }, errors: {} }, results: "body.results", refused: "error", say: "=error", returns: { key: ["id"] } }) } };
  const names = (at: number) => (it.received[at]!.body["items"] as { name: string }[]).map(({ name }) => name);

  test("have each their own end: done, refused, or unknown where the answer says nothing of it", async () => {
    await it.apply(batch);
    it.answer = ({ body }) => ({ body: { results: (body["items"] as { name: string }[]).length === 1 ? [{ id: "late" }] : [{ id: "a" }, { error: "no such name" }] } });
    await it.page(["Ann", "Bob", "Cid"].map((name, i) => ({ key: String(i), data: { name } })));
    it.deliverer();
    await waitFor(async () => (await it.deliveries())[2]?.code === "DELIVERY_UNKNOWN");
    expect((await it.deliveries()).map(({ status, code, result_key }) => [status, code, result_key])).toEqual([["delivered", undefined, "a"], ["failed", "DELIVERY_REFUSED", undefined], ["queued", "DELIVERY_UNKNOWN", undefined]]);
    await it.hurry();
    expect((await it.settled(3))[2]).toMatchObject({ status: "delivered", result_key: "late" });
    expect([names(0), names(1)]).toEqual([["Ann", "Bob", "Cid"], ["Cid"]]);
  });

  test("have each their own end also where the answer comes in another order, or refuses all of them for one", async () => {
    await it.apply({ ...batch, actions: { note: { ...batch.actions.note, match: { result: "name", input: "name" } } } });
    it.answer = ({ body }) => {
      const items = body["items"] as { name: string }[];
      if (items.some(({ name }) => name === "Eve")) return { status: 400, body: { message: "no Eve" } };
      return { body: { results: items.map(({ name }) => (name === "Bob" ? { name, error: "no such name" } : { name, id: `id-${name}` })).toReversed() } };
    };
    await it.page(["Ann", "Bob", "Cid"].map((name, i) => ({ key: String(i), data: { name } })));
    it.deliverer();
    expect((await it.settled(3)).map(({ status, result_key, attempts }) => [status, result_key, attempts])).toEqual([["delivered", "id-Ann", 1], ["failed", undefined, 1], ["delivered", "id-Cid", 1]]);
    await it.page(["Dan", "Eve", "Fay"].map((name, i) => ({ key: `more-${i}`, data: { name } })));
    expect((await it.settled(6)).slice(3).map(({ status, result_key, attempts }) => [status, result_key, attempts])).toEqual([["delivered", "id-Dan", 2], ["failed", undefined, 2], ["delivered", "id-Fay", 2]]);
    expect(it.received.map((_, at) => names(at).length)).toEqual([3, 3, 1, 1, 1]);
  });

  test("stay together when they have to be sent again: the same ones, under the same key, whoever came since", async () => {
    await it.apply(batch);
    let first = true;
    it.answer = ({ body }) => (first ? ((first = false), { hangUp: true }) : { body: { results: (body["items"] as object[]).map((_, i) => ({ id: String(i) })) } });
    await it.page([{ key: "1", data: { name: "Ann" } }, { key: "2", data: { name: "Bob" } }]);
    it.deliverer({ slots: 1 });
    await waitFor(async () => it.received.length === 1 && (await statuses()).join() === "queued,queued");
    await it.admin("update deliveries set due_at = now() + interval '1 hour'");
    await it.page([{ key: "3", data: { name: "Cid" } }]);
    await waitFor(async () => (await statuses())[2] === "delivered");
    await it.hurry();
    await it.settled(3);
    const together = it.received.map((_, at) => names(at)).filter((each) => each.length === 2);
    expect(together).toEqual([["Ann", "Bob"], ["Ann", "Bob"]]);
    expect(new Set(it.received.filter((_, at) => names(at).length === 2).map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });
});

describe("a delivery that waits for a person", () => {
  test("is sent as it was when it was approved; a newer change supersedes it visibly", async () => {
    await it.apply({ flows: { out: { ...note, hold_for: "recruiter" } } });
    it.deliverer();
    await it.page([ann()]);
    const [first] = await it.settled(1);
    expect(first).toMatchObject({ status: "held", hold_role: "recruiter", attempts: 0 });
    await it.page([ann({ name: "Anna" })]);
    const [, second] = await it.settled(2);
    expect(await it.deliveries()).toMatchObject([{ status: "superseded", superseded_by: second!.id }, { status: "held" }]);
    expect(await decideHeld(it.database.db, "acme", first!.id, true, "rita")).toBe(false);
    await it.apply({ flows: { out: { ...note, hold_for: "recruiter", map: { fields: { other: { expression: "email" } } } } } });
    expect(await decideHeld(it.database.db, "acme", second!.id, true, "rita")).toBe(true);
    await waitFor(async () => (await statuses())[1] === "delivered");
    expect(it.received.map(({ body }) => body)).toEqual([{ name: "Anna", email: "ann@example.com" }]);
  });

  test("is not sent when it was rejected or cancelled", async () => {
    await it.apply({ flows: { out: { ...note, hold_for: "recruiter" } } });
    it.deliverer();
    await it.page([ann(), { key: "2", data: { name: "Bob" } }]);
    const [one, other] = await it.settled(2);
    expect([await decideHeld(it.database.db, "acme", one!.id, false, "rita", "not yet"), await cancelDelivery(it.database.db, "acme", other!.id, "rita")]).toEqual([true, true]);
    expect(await it.deliveries()).toMatchObject([{ status: "rejected", reason: "not yet", decided_by: "rita" }, { status: "cancelled" }]);
    expect(it.received).toEqual([]);
  });
});

describe("replays", () => {
  test("begin at a limited rate and in order, under the same id", async () => {
    await it.apply({ flows: { out: note } });
    it.answer = () => ({ status: 400 });
    it.deliverer();
    await it.page(Array.from({ length: 40 }, (_, i) => ({ key: String(i).padStart(2, "0"), data: { name: String(i).padStart(2, "0") } })));
    const ids = (await it.settled(40)).map(({ id }) => id);
    it.received.length = 0;
    it.answer = () => ({});
    expect(await replayDelivered(it.database.db, "acme", { flow: "out" })).toHaveLength(40);
    const due = (await it.admin<{ id: string; due: number }>("select id, extract(epoch from due_at - now())::float8 as due from deliveries order by seq"));
    expect(due.at(-1)!.due).toBeGreaterThan(3);             // ten a second
    await it.hurry();
    expect((await it.settled(40)).map(({ id }) => id)).toEqual(ids);
    expect(it.received).toHaveLength(40);
  });

  test("never put an older state of a row in the place of a newer one", async () => {
    await it.apply({ flows: { out: { to: { save: "contacts", connection: "shop", connector: "shop" } } } });
    it.answer = ({ body }) => (body["name"] === "Ann" ? { status: 400 } : {});
    it.deliverer();
    await it.page([ann()]);
    await it.settled(1);
    await it.page([ann({ name: "Anna" })]);
    const [old] = await it.settled(2);
    expect(old!.status).toBe("failed");
    expect(await replayDelivered(it.database.db, "acme", { ids: [old!.id] })).toEqual([]);
  });

  test("what is over is forgotten after thirty days, and not before", async () => {
    await it.apply({ flows: { out: note } });
    it.deliverer();
    await it.page([ann(), { key: "2", data: { name: "Bob" } }]);
    await it.settled(2);
    await it.admin("update deliveries set finished_at = now() - interval '31 days' where id = (select id from deliveries order by seq limit 1)");
    expect(await forgetDeliveries(it.database.db)).toBe(1);
    expect(await it.deliveries()).toHaveLength(1);
    // But not that it was sent: nobody sends it again by asking for what never was.
    const neverSent = async () => (await withTenant(it.database.db, "acme", (tx) => rowsNotFired(tx, "contact", "out", undefined, 10))).length;
    expect(await neverSent()).toBe(0);
    await it.admin("update entity_rows set updated_at = now()");
    expect(await neverSent()).toBe(2);
  });

  test("what is over is forgotten by a worker every hour, as late as the workspace says", async () => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    try {
      await it.apply({ flows: { out: note } });
      it.deliverer({ keepDays: 90 });
      await it.page([ann(), { key: "2", data: { name: "Bob" } }]);
      const [old, older] = await it.settled(2);
      await it.admin("update deliveries set finished_at = now() - case when id = $1 then interval '89 days' else interval '91 days' end", [old!.id]);
      vi.advanceTimersByTime(3_600_000);
      await waitFor(async () => (await it.deliveries()).length === 1);
      expect([(await it.deliveries()).map(({ id }) => id), older!.status]).toEqual([[old!.id], "delivered"]);
    } finally {
      vi.useRealTimers();
    }
  });
});
