import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openJobs, type Jobs } from "../../../engine/jobs/index.ts";
import { addMembership, addSession, addUser, listAudit, withTenant } from "../../../engine/store/index.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import { isStaff, type Role } from "../../../server/api/permissions.ts";
import { createServer } from "../../../server/api/server.ts";
import { csrfTokenOf, hashSession, makeSessionToken, SESSION_COOKIE } from "../../../server/people/session-cookie.ts";
import { deliveryRig, type DeliveryRig, TOKEN } from "../../engine/jobs/delivery-rig.ts";

let it: DeliveryRig;
let jobs: Jobs;
let server: FastifyInstance;
const headers: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  it = await deliveryRig();
  const note = { to: { action: "note", connection: "crm", connector: "crm" } } as const;
  await it.apply({
    flows: {
      notes: { ...note, becomes: 'stage = "noted"' }, invitations: { ...note, becomes: 'stage = "shortlisted"', hold_for: "recruiter", mint: { link: { token: "interview" } }, map: { fields: { url: { expression: '"https://x/" & $link' } } } },
      checks: { ...note, becomes: 'stage = "checked"', hold_for: "interviewer" }, saves: { to: { save: "contacts", connection: "shop", connector: "shop" }, becomes: 'stage = "saved"' }, product: { to: { webhook: "product" }, becomes: 'stage = "told"' },
    },
  }, ["acme", "bolt"]);
  jobs = await openJobs({ db: it.database.db, works: false, onError: () => {} });
  server = await createServer({ db: it.database.db, jobs, keyring: it.keyring, logLevel: "silent" });
  for (const tenant of ["acme", "bolt"]) headers[tenant] = { authorization: `Bearer ${await issueKey(it.database.db, { name: tenant, scopes: ["*"], tenant })}` };
  headers["reader"] = { authorization: `Bearer ${await issueKey(it.database.db, { name: "reader", scopes: ["deliveries:read", "holds:read"], tenant: "acme" })}` };
  for (const role of ["recruiter", "interviewer", "employer_admin", "tenant_admin", "super_admin"] satisfies Role[]) headers[role] = await signIn(role);
  it.deliverer();
});
afterAll(async () => {
  await server.close();
  await jobs.close();
  await it.close();
});

async function signIn(role: Role): Promise<Record<string, string>> {
  const token = makeSessionToken();
  const user = await withTenant(it.database.db, isStaff(role) ? "platform" : "acme", async (tx) => {
    const made = (await addUser(tx, { email: `${role}@acme.example`, name: role }))!;
    await addMembership(tx, made, role);
    return made;
  });
  await withTenant(it.database.db, "platform", (tx) => addSession(tx, { hash: hashSession(token), user }));
  return { cookie: `${SESSION_COOKIE}=${token}`, "x-csrf-token": csrfTokenOf(token), "sec-fetch-site": "same-origin" };
}

const call = (who: string, method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: object) =>
  server.inject({ method, url, headers: { ...headers[who], ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
const get = async (who: string, url: string) => (await call(who, "GET", url)).json();
const page = (key: string, stage: string, tenant = "acme") => it.page([{ key, data: { name: `n${key}`, email: `${key}@example.com`, stage } }], { tenant });
const audited = async (action: string) => (await listAudit(it.database.db, "acme", { action, limit: 10 })).map(({ actor, subject }) => [actor.name, subject.id]);

describe("deliveries", () => {
  test("are listed without what they hold, and looked at with every try, secrets masked", async () => {
    await page("1", "noted");
    const [one] = await it.settled(1, "notes");
    const listed = await call("acme", "GET", "/api/deliveries?flow=notes");
    expect(listed.json()).toMatchObject({ data: [{ id: one!.id, status: "delivered", target: "crm", operation: "note", attempts: 1, key: null }], next_cursor: null });
    expect(listed.body).not.toContain("1@example.com");
    const looked = await call("acme", "GET", `/api/deliveries/${one!.id}`);
    expect(looked.json()).toMatchObject({ input: { name: "n1", email: "1@example.com" }, tries: [{ number: 1, outcome: "done", http_status: 200, requests: [{ request: { method: "POST", headers: { authorization: "Bearer ***" } }, answer: { status: 200 } }] }] });
    expect(looked.body).not.toContain(TOKEN);
  });

  test("show a tenant's own people neither input nor requests, and another tenant nothing at all", async () => {
    const [one] = await it.deliveries("notes");
    expect(await get("tenant_admin", `/api/deliveries/${one!.id}`)).toMatchObject({ input: null, tries: [{ outcome: "done", requests: null }] });
    expect((await call("bolt", "GET", `/api/deliveries/${one!.id}`)).json().error.code).toBe("SERVER_NOT_FOUND");
    expect(await get("bolt", "/api/deliveries")).toEqual({ data: [], next_cursor: null });
    for (const what of ["replay", "cancel"]) expect((await call("bolt", "POST", `/api/deliveries/${one!.id}/${what}`)).statusCode).toBe(404);
    for (const who of ["reader", "tenant_admin"]) expect((await call(who, "POST", `/api/deliveries/${one!.id}/replay`)).statusCode).toBe(403);
    expect((await call("recruiter", "GET", "/api/deliveries")).statusCode).toBe(403);
  });

  test("are replayed one by one and by filter, cancelled, and resolved only when unknown; each is audited", async () => {
    it.answer = () => ({ status: 400, body: { message: "no" } });
    for (const key of ["11", "12", "13"]) await page(key, "noted");
    await it.settled(4, "notes");
    it.answer = () => ({});
    const failed = (await get("acme", "/api/deliveries?status=failed&limit=2"));
    expect(failed.data).toHaveLength(2);
    expect((await get("acme", `/api/deliveries?status=failed&limit=2&cursor=${failed.next_cursor}`)).data).toHaveLength(1);
    const [first] = failed.data as { id: string }[];
    expect((await call("acme", "POST", `/api/deliveries/${first!.id}/replay`)).statusCode).toBe(202);
    // The count first; counting changes nothing.
    for (let twice = 0; twice < 2; twice++) expect((await call("acme", "POST", "/api/deliveries/replay?dry_run=true", { flow: "notes", code: "DELIVERY_REFUSED" })).json()).toEqual({ would_replay: 2 });
    expect((await call("bolt", "POST", "/api/deliveries/replay?dry_run=true", { flow: "notes" })).json()).toEqual({ would_replay: 0 });
    expect((await call("acme", "POST", "/api/deliveries/replay", { flow: "notes", code: "DELIVERY_REFUSED" })).json()).toEqual({ replayed: 2 });
    await it.hurry();
    await it.settled(4, "notes");
    expect((await call("acme", "POST", `/api/deliveries/${first!.id}/resolve`, { outcome: "sent" })).json().error.code).toBe("SERVER_TOO_LATE");
    expect((await call("acme", "POST", `/api/deliveries/${first!.id}/cancel`)).statusCode).toBe(409);
    expect([(await audited("delivery.replayed"))[0], (await audited("deliveries.replayed"))[0]]).toEqual([["acme", first!.id], ["acme", "acme"]]);
  });

  test("of what did not fire are made when the count is confirmed, and refused when it is another by now", async () => {
    await it.page(Array.from({ length: 3 }, (_, i) => ({ key: `old-${i}`, data: { name: `old ${i}`, stage: "noted" } })), { mode: "first_load" });
    const pending = await get("acme", "/api/flows/notes/pending");
    expect(pending).toMatchObject({ rows: 3, more: false, unfired: [{ cause: "first_load", count: 3 }] });
    const refused = await call("acme", "POST", "/api/flows/notes/fire", { confirm: 2 });
    expect([refused.statusCode, refused.json().error.code]).toEqual([409, "DELIVERY_COUNT"]);
    const before = (await it.deliveries("notes")).length;
    expect((await call("acme", "POST", "/api/flows/notes/fire", { confirm: 3 })).json()).toEqual({ fired: 3 });
    expect((await it.settled(before + 3, "notes")).slice(-3).map(({ cause, status }) => [cause, status])).toEqual(Array.from({ length: 3 }, () => ["asked", "delivered"]));
    expect(await get("acme", "/api/flows/notes/pending")).toMatchObject({ rows: 0 });
    expect((await call("acme", "GET", "/api/flows/note/pending")).json().error).toMatchObject({ code: "SERVER_NOT_FOUND", hint: expect.stringContaining("notes") });
  });
});

describe("what waits for a person", () => {
  test("is seen by its role, decided by it, and sent as it was", async () => {
    await page("21", "shortlisted");
    await page("22", "checked");
    const [invitation] = await it.settled(1, "invitations");
    const [check] = await it.settled(1, "checks");
    const seen = async (who: string) => (await get(who, "/api/holds")).data.map(({ id }: { id: string }) => id).toSorted();
    expect([await seen("recruiter"), await seen("interviewer"), await seen("employer_admin"), (await call("tenant_admin", "GET", "/api/holds")).statusCode])
      .toEqual([[invitation!.id], [check!.id], [invitation!.id, check!.id].toSorted(), 403]);
    // What would be sent is for who decides; whoever else may look at deliveries sees that it waits, for whom and since when.
    for (const [who, url] of [["acme", "holds"], ["reader", "holds"], ["acme", "deliveries"], ["super_admin", "deliveries"], ["reader", "deliveries"]] as const) {
      const told = await call(who, "GET", `/api/${url}/${invitation!.id}?tenant=acme`);
      expect([told.statusCode, told.json()], `${who} ${url}`).toMatchObject([200, { status: "held", hold_role: "recruiter", created_at: invitation!.created_at, input: null }]);
      expect(told.body).not.toContain("https://x/");
    }
    expect((await get("employer_admin", `/api/holds/${invitation!.id}`)).input).toEqual({ url: "https://x/***" });
    expect((await call("super_admin", "GET", `/api/holds/${invitation!.id}?tenant=acme`)).statusCode).toBe(403);
    const shown = await get("recruiter", `/api/holds/${invitation!.id}`);
    expect(shown.input).toEqual({ url: "https://x/***" });
    expect((await call("recruiter", "POST", `/api/holds/${check!.id}/approve`)).statusCode).toBe(404);
    expect((await call("bolt", "GET", `/api/holds/${check!.id}`)).statusCode).toBe(404);
    expect((await call("acme", "POST", `/api/holds/${check!.id}/approve`)).statusCode).toBe(403);   // keys never decide
    const approved = await call("recruiter", "POST", `/api/holds/${invitation!.id}/approve`);
    expect([approved.statusCode, approved.json().decided_by]).toEqual([200, expect.stringContaining("recruiter")]);
    expect((await call("interviewer", "POST", `/api/holds/${check!.id}/reject`, { reason: "not him" })).json()).toMatchObject({ status: "rejected", reason: "not him" });
    expect((await call("interviewer", "POST", `/api/holds/${check!.id}/reject`)).statusCode).toBe(409);
    for (const end = Date.now() + 5000; (await it.deliveries("invitations"))[0]!.status !== "delivered"; await new Promise((resolve) => setTimeout(resolve, 20))) if (Date.now() > end) throw new Error("waited in vain");
    expect(it.received.at(-1)!.body["url"]).toMatch(/^https:\/\/x\/[\w-]{43}$/);
    expect([(await audited("hold.approved"))[0]![1], (await audited("hold.rejected"))[0]![1]]).toEqual([invitation!.id, check!.id]);
  });
});

describe("a dry write", () => {
  test("is the exact request, secrets masked; nothing is sent, made or stored", async () => {
    await page("31", "new");
    const [row] = await it.admin<{ id: string }>("select id from entity_rows where data->>'name' = 'n31'");
    const sent = it.received.length;
    const saved = await call("acme", "POST", "/api/flows/saves/preview", { row: row!.id });
    expect(saved.json()).toMatchObject({ fires: false, action: "create", input: { name: "n31" }, request: { method: "POST", url: `${it.url}/shop/contacts`, headers: { authorization: "Bearer ***" }, body: { name: "n31", email: "31@example.com" } }, problem: null });
    expect(saved.body).not.toContain(TOKEN);
    const invited = (await call("acme", "POST", "/api/flows/invitations/preview", { row: row!.id })).json();
    expect(invited.input).toEqual({ url: "https://x/stand-in-for-link" });
    expect((await call("acme", "POST", "/api/flows/product/preview", { row: row!.id })).json()).toMatchObject({ request: null, problem: expect.stringContaining("'product' does not exist") });
    expect([it.received.length, await it.deliveries("saves")]).toEqual([sent, []]);
    expect((await call("bolt", "POST", "/api/flows/saves/preview", { row: row!.id })).statusCode).toBe(404);
  });
});

describe("endpoints of outgoing webhooks", () => {
  test("show their secret once, rotate it, and refuse addresses that are not public", async () => {
    const made = await call("acme", "PUT", "/api/webhook-endpoints/product", { url: "https://product.example.com/hooks" });
    expect(made.json()).toMatchObject({ name: "product", enabled: true, secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) });
    const { secret } = made.json() as { secret: string };
    const again = await call("acme", "PUT", "/api/webhook-endpoints/product", { url: "https://product.example.com/other" });
    expect(again.json()).toMatchObject({ url: "https://product.example.com/other", secret: null });
    const rotated = await call("acme", "POST", "/api/webhook-endpoints/product/rotate", { overlap_seconds: 60 });
    expect(rotated.json().secret).not.toBe(secret);
    const listed = await call("acme", "GET", "/api/webhook-endpoints");
    expect(listed.json().data[0].secrets).toHaveLength(2);
    for (const each of [secret, rotated.json().secret as string]) expect(listed.body).not.toContain(each.slice(6));
    for (const url of ["http://127.0.0.1:9/x", "http://169.254.169.254/", "ftp://example.com/"]) expect([url, (await call("acme", "PUT", "/api/webhook-endpoints/other", { url })).json().error?.code]).toEqual([url, "RUN_EGRESS"]);
    expect((await call("acme", "POST", "/api/webhook-endpoints/product/test")).json()).toMatchObject({ ok: false, status: null, reason: expect.stringContaining("product.example.com") });
    expect((await call("bolt", "POST", "/api/webhook-endpoints/product/test")).statusCode).toBe(404);
    expect((await call("acme", "POST", "/api/webhook-endpoints/product/disable")).json()).toMatchObject({ enabled: false, disabled_reason: expect.stringContaining("acme") });
    expect((await call("acme", "POST", "/api/webhook-endpoints/product/enable")).json()).toMatchObject({ enabled: true, disabled_reason: null });
    for (const [method, url] of [["POST", "/api/webhook-endpoints/product/rotate"], ["POST", "/api/webhook-endpoints/product/disable"], ["DELETE", "/api/webhook-endpoints/product"]] as const) expect([url, (await call("bolt", method, url, method === "POST" && url.endsWith("rotate") ? {} : undefined)).statusCode]).toEqual([url, 404]);
    expect((await call("acme", "DELETE", "/api/webhook-endpoints/product")).statusCode).toBe(204);
    expect((await get("acme", "/api/webhook-endpoints")).data).toEqual([]);
    expect((await audited("endpoint.rotated")).map(([, subject]) => subject)).toEqual(["product"]);
  });
});

describe("change flows", () => {
  test("stand in the one list of flows beside those that read, each with what starts it, what it ends in and how it goes", async () => {
    const { data } = await get("tenant_admin", "/api/flows");
    expect(data.map(({ flow, from, to, connection, stream, target, operation, schedule }: Record<string, unknown>) => [flow, from, to, connection, stream, target, operation, schedule])).toEqual([
      ["checks", "change", "action", "crm", null, "crm", "note", null], ["crm_in", "stream", "entity", "crm", "contacts", "contact", null, "by hand"], ["invitations", "change", "action", "crm", null, "crm", "note", null],
      ["notes", "change", "action", "crm", null, "crm", "note", null], ["product", "change", "webhook", null, null, "product", null, null], ["saves", "change", "save", "shop", "contacts", "shop", "contacts", null],
    ]);
    const count = async (status: string) => (await it.deliveries("invitations")).filter((each) => each.status === status).length;
    expect(data.find(({ flow }: { flow: string }) => flow === "invitations")).toMatchObject({ hold_for: "recruiter", entity: "contact", held: await count("held"), last_run: null, paused: false });
    const ofShop = (await get("acme", "/api/integrations/shop/status")).flows;
    expect(ofShop.map(({ flow, from }: Record<string, unknown>) => [flow, from])).toEqual([["saves", "change"]]);
    expect((await get("acme", "/api/integrations/crm/status")).flows.map(({ flow }: { flow: string }) => flow)).toEqual(["checks", "crm_in", "invitations", "notes"]);
    expect((await call("acme", "GET", "/api/change-flows")).statusCode).toBe(404);
  });

  test("are listed with what they wait for, paused and resumed, which is audited; nothing is sent meanwhile", async () => {
    expect((await call("reader", "POST", "/api/flows/notes/pause?tenant=acme")).statusCode).toBe(403);
    expect((await call("acme", "POST", "/api/flows/note/pause?tenant=acme")).json().error).toMatchObject({ code: "SERVER_NOT_FOUND" });
    expect((await call("acme", "POST", "/api/flows/notes/pause?tenant=acme")).json()).toEqual({ flow: "notes", paused: true });
    const flow = async () => ((await get("acme", "/api/flows?tenant=acme")) as { data: { flow: string; waiting: number; paused: boolean }[] }).data.find((each) => each.flow === "notes")!;
    const { waiting } = await flow();
    await page("p-1", "noted");
    for (const end = Date.now() + 10_000; (await flow()).waiting === waiting && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await flow()).toMatchObject({ paused: true, waiting: waiting + 1 });
    expect((await get("bolt", "/api/flows?tenant=bolt")).data.every(({ paused }: { paused: boolean }) => !paused)).toBe(true);
    expect((await call("acme", "POST", "/api/flows/notes/resume?tenant=acme")).json()).toEqual({ flow: "notes", paused: false });
    for (const end = Date.now() + 10_000; (await flow()).waiting > waiting && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await flow()).toMatchObject({ paused: false, waiting, last_success_at: expect.any(String) });
    expect([await audited("flow.paused"), await audited("flow.resumed")].map((each) => each.length)).toEqual([1, 1]);
  });
});
