import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueKey, ensureFirstKey } from "../../../server/api/first-key.ts";
import { createServer } from "../../../server/api/server.ts";
import { describeConnector } from "../../../engine/plan/index.ts";
import { currentRevision, readPlan, saveConnectors } from "../../../engine/store/index.ts";
import { listen } from "../../../server/main.ts";
import { asAdmin } from "../../support/postgres.ts";
import { rig, type Rig } from "../../engine/jobs/rig.ts";

let it: Rig;
let server: FastifyInstance;
let operator: string;
const keys: Record<"acme" | "bolt", string> = { acme: "", bolt: "" };

beforeAll(async () => {
  it = await rig();
  await it.apply(["acme", "bolt"], { people: { schedule: { every_seconds: 900 }, title: "People" }, off: { enabled: false } });
  const plan = await readPlan(it.database.db, "acme", (await currentRevision(it.database.db, "acme"))!);
  await saveConnectors(it.database.db, [describeConnector(plan.connectors["crm"]!)]);
  server = await createServer({ db: it.database.db, jobs: it.jobs, keyring: it.keyring, allowPrivate: true, logLevel: "silent" });
  operator = (await ensureFirstKey(it.database.db))!;
  for (const tenant of ["acme", "bolt"] as const) keys[tenant] = await issueKey(it.database.db, { name: tenant, scopes: ["*"], tenant });
  await it.worker();
  for (const tenant of ["acme", "bolt"] as const) await it.ended(tenant, (await call(keys[tenant], "POST", "/api/integrations/crm/sync", {})).json().runs[0].id);
});
afterAll(async () => {
  await server.close();
  await it.close();
});

const call = (key: string | undefined, method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", url: string, body?: unknown) => server.inject({
  method, url, headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(body === undefined ? {} : { "content-type": "application/json" }) },
  ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
});
const get = (url: string, key = keys.acme) => call(key, "GET", url);

describe("keys", () => {
  test("the first one is made once, and only its hash is stored", async () => {
    expect(operator).toMatch(/^pbk_[\w-]{43}$/);
    expect(await ensureFirstKey(it.database.db)).toBeUndefined();
    const rows = await asAdmin<object>(it.database.url, "select * from api_keys");
    expect(JSON.stringify(rows)).not.toContain(operator.slice(4, 20));
  });

  test("one that was revoked or has expired opens nothing", async () => {
    const [revoked, expired] = [await issueKey(it.database.db, { name: "r", scopes: ["*"], tenant: "acme" }), await issueKey(it.database.db, { name: "e", scopes: ["*"], tenant: "acme" })];
    expect((await get("/api/flows", revoked)).statusCode).toBe(200);
    await asAdmin(it.database.url, "update api_keys set revoked_at = case name when 'r' then now() end, expires_at = case name when 'e' then now() end where name in ('r', 'e')");
    expect([(await get("/api/flows", revoked)).statusCode, (await get("/api/flows", expired)).statusCode]).toEqual([401, 401]);
  });
});

describe("POST /api/integrations/:provider/sync", () => {
  test("queues one run per enabled flow, and says so before it has run", async () => {
    const answer = await call(keys.acme, "POST", "/api/integrations/crm/sync", { mode: "full", entities: ["person"] });
    expect(answer.statusCode).toBe(202);
    const { runs } = answer.json();
    expect(runs).toEqual([{ id: expect.any(String), flow: "people", status: "queued", coalesced: false }]);
    expect(await it.ended("acme", runs[0].id)).toMatchObject({ status: "succeeded", mode: "full", requested_by: "acme", trigger: "api" });
  });

  test.each([
    ["no body", undefined, 202], ["an empty body", {}, 202], ["an unknown mode", { mode: "fast" }, 400], ["an entity nobody writes", { entities: ["persons"] }, 400],
    ["no entity at all", { entities: [] }, 400], ["a field that does not exist", { flows: ["people"] }, 400],
  ])("with %s", async (_, body, status) => expect((await call(keys.acme, "POST", "/api/integrations/crm/sync", body)).statusCode).toBe(status));

  test("of a provider that the tenant does not have is 404, with what there is", async () => {
    const answer = await call(keys.acme, "POST", "/api/integrations/crn/sync", {});
    expect([answer.statusCode, answer.json().error.code]).toEqual([404, "SERVER_NOT_FOUND"]);
    expect(answer.json().error.hint).toContain("crm");
  });
});

test("the status of an integration says its credential, its schedule in words, its last and its next run", async () => {
  const status = (await get("/api/integrations/crm/status")).json();
  expect(status).toMatchObject({ connection: "crm", connector: "crm", enabled: true, status: "not_connected" });
  expect(status.flows).toEqual([
    expect.objectContaining({ flow: "off", enabled: false, schedule: "by hand", last_run: null, next_run_at: null }),
    expect.objectContaining({ flow: "people", title: "People", entity: "person", enabled: true, paused: false, schedule: "every 15 minutes", last_success_at: expect.stringMatching(/Z$/) }),
  ]);
  expect(await it.ended("acme", status.flows[1].last_run.id)).toMatchObject({ flow: "people", counters: { read: 6 } });
});

describe("lists", () => {
  const walk = async (url: string, key = keys.acme): Promise<{ id: string }[]> => {
    const seen: { id: string }[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const answer = await get(`${url}${url.includes("?") ? "&" : "?"}limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`, key);
      expect(answer.statusCode, answer.body).toBe(200);
      const { data, next_cursor }: { data: { id: string }[]; next_cursor: string | null } = answer.json();
      expect(data.length).toBeLessThanOrEqual(2);
      seen.push(...data);
      cursor = next_cursor;
    }
    return seen;
  };

  test("records are given page by page, each once, oldest change first", async () => {
    const records = (await walk("/api/records/person")) as unknown as { id: string; name: string; updated_at: string; links: object }[];
    expect(records.map(({ name }) => name).sort()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `acme person ${n}`));
    expect(records.map(({ updated_at }) => updated_at)).toEqual(records.map(({ updated_at }) => updated_at).sort());
    expect((await get(`/api/records/person/${records[0]!.id}`)).json()).toEqual(records[0]);
  });

  test("runs and history are given newest first, each once", async () => {
    for (const url of ["/api/runs", "/api/runs?flow=people", "/api/integrations/crm/history"]) {
      const runs = await walk(url);
      expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
      expect(runs.length).toBeGreaterThan(1);
    }
  });

  test("records changed since an instant", async () => {
    expect((await get(`/api/records/person?updated_since=${new Date(Date.now() + 3_600_000).toISOString()}`)).json().data).toEqual([]);
    expect((await get("/api/records/person?updated_since=2020-01-01T00:00:00Z&connection=crm&include_deleted=true")).json().data.length).toBe(6);
    expect((await get("/api/records/person?connection=other")).json().data).toEqual([]);
  });

  test.each(["limit=0", "limit=1001", "limit=x", "cursor=nonsense", "updated_since=yesterday", "include_deleted=perhaps", "update_since=2020-01-01T00:00:00Z"])("?%s is 400 and names the parameter", async (query) => {
    const answer = await get(`/api/records/person?${query}`);
    expect([answer.statusCode, answer.json().error.code, answer.json().error.field]).toEqual([400, "SERVER_BAD_REQUEST", `query.${query.split("=")[0]}`]);
  });

  test("an entity that does not exist is 404", async () => expect((await get("/api/records/persons")).json().error.hint).toContain("person"));

  test("the cursor of one list is refused by another", async () => {
    const cursor = (await get("/api/records/person?limit=2")).json().next_cursor;
    for (const other of ["/api/records/person?include_deleted=true&", "/api/runs?", "/api/integrations/crm/history?"]) expect((await get(`${other}cursor=${cursor}`)).statusCode).toBe(400);
    expect((await get(`/api/records/person?cursor=${cursor}`, keys.bolt)).statusCode).toBe(400);
    expect((await get(`/api/records/person?cursor=${cursor}`)).statusCode).toBe(200);
  });
});

describe("runs", () => {
  test("one run, and its log", async () => {
    const [{ id }] = (await get("/api/runs?limit=1&status=succeeded")).json().data;
    const run = (await get(`/api/runs/${id}`)).json();
    expect(run).toMatchObject({ id, status: "succeeded", error: null, held_sweep: null, seconds: expect.any(Number), queued_at: expect.stringMatching(/Z$/) });
    const { counters } = run;
    expect(counters.read).toBe(counters.stored + counters.unchanged + counters.superseded + counters.deleted + counters.filtered + counters.quarantined);
    const log = (await get(`/api/runs/${id}/log`)).json();
    expect(log.data[0]).toMatchObject({ at: expect.stringMatching(/Z$/), level: expect.any(String), message: expect.any(String) });
  });

  test("cancelling one that is over is 409, one that never was 404", async () => {
    const [{ id }] = (await get("/api/runs?limit=1&status=succeeded")).json().data;
    expect((await call(keys.acme, "POST", `/api/runs/${id}/cancel`)).json().error.code).toBe("SERVER_TOO_LATE");
    expect((await call(keys.acme, "POST", `/api/runs/${randomUUID()}/cancel`)).statusCode).toBe(404);
    expect((await call(keys.acme, "POST", "/api/runs/not-a-run/cancel")).statusCode).toBe(404);
    expect((await call(keys.acme, "POST", `/api/runs/${id}/approve-sweep`)).statusCode).toBe(404);
  });

  test("one that is queued is cancelled at once", async () => {
    await asAdmin(it.database.url, "insert into runs (tenant_id, id, flow, connection, trigger, revision) select id, gen_random_uuid(), 'idle', 'crm', 'api', revision from tenants where slug = 'acme'");
    const [{ id }] = (await get("/api/runs?flow=idle")).json().data;
    const answer = await call(keys.acme, "POST", `/api/runs/${id}/cancel`);
    expect([answer.statusCode, answer.json().status]).toEqual([202, "cancelled"]);
  });
});

describe("what could not be stored", () => {
  test("is listed with its reason, never with the record", async () => {
    it.provider.instead = (_request, response, page) => {
      if (page !== 1) return false;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items: [{ name: "canary without a key" }, { id: 2, name: "acme person 2" }] }));
      return true;
    };
    const { runs: [{ id }] } = (await call(keys.acme, "POST", "/api/integrations/crm/sync", {})).json();
    expect(await it.ended("acme", id)).toMatchObject({ status: "succeeded_with_quarantine" });
    it.provider.instead = undefined;
    const answer = await get(`/api/quarantine?run=${id}`);
    expect(answer.json().data).toEqual([expect.objectContaining({ run: id, flow: "people", entity: "person", key: null, code: "MAPPING_NO_KEY", status: "open", seen: 1 })]);
    expect(answer.body).not.toContain("canary");
    expect((await get(`/api/quarantine?run=${id}`, keys.bolt)).json().data).toEqual([]);
    expect((await get("/api/quarantine?status=discarded")).json()).toEqual({ data: [], next_cursor: null });
  });

  test("a sweep that would delete too much waits, and deletes once it is approved", async () => {
    const sync = async () => it.ended("bolt", (await call(keys.bolt, "POST", "/api/integrations/crm/sync", { mode: "full" })).json().runs[0].id);
    const live = async () => (await get("/api/records/person?limit=1000", keys.bolt)).json().data.length;
    it.provider.records = 80;
    await sync();
    it.provider.records = 10;
    const { id } = await sync();
    expect([(await get(`/api/runs/${id}`, keys.bolt)).json().held_sweep, await live()]).toEqual([{ missing: 70, live: 80 }, 80]);
    // Kept, it waits no more; the next sweep asks again.
    expect((await call(keys.acme, "POST", `/api/runs/${id}/reject-sweep`)).statusCode).toBe(404);
    expect((await call(keys.bolt, "POST", `/api/runs/${id}/reject-sweep`)).statusCode).toBe(204);
    expect([(await call(keys.bolt, "POST", `/api/runs/${id}/approve-sweep`)).statusCode, (await get(`/api/runs/${id}`, keys.bolt)).json().held_sweep, await live()]).toEqual([404, null, 80]);
    const again = await sync();
    expect((await call(keys.acme, "POST", `/api/runs/${again.id}/approve-sweep`)).statusCode).toBe(404);
    expect((await call(keys.bolt, "POST", `/api/runs/${again.id}/approve-sweep`)).json()).toEqual({ swept: 70 });
    expect(await live()).toBe(10);
    expect((await get("/api/records/person?limit=1000&include_deleted=true", keys.bolt)).json().data.length).toBe(80);
    expect((await call(keys.bolt, "POST", `/api/runs/${again.id}/approve-sweep`)).statusCode).toBe(404);
    it.provider.records = 6;
  });
});

describe("two tenants", () => {
  test("cannot see each other over any route: what is another's answers as what is nobody's, and one's own shows nothing of them", async () => {
    const theirs = { run: (await get("/api/runs?limit=1", keys.bolt)).json().data[0].id as string, record: (await get("/api/records/person?limit=1", keys.bolt)).json().data[0].id as string };
    const { paths } = (await get("/docs/json")).json() as { paths: Record<string, Record<string, { "x-permission": string }>> };
    const probes = { own: 0, foreign: 0 };
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { "x-permission": permission }] of Object.entries(methods)) {
        if (permission === "public") continue;
        const ask = async (url: string): Promise<{ status: number; code: string | undefined; text: string }> => {
          const { statusCode, body, headers } = await call(keys.acme, method.toUpperCase() as "GET", url, ["post", "put", "patch"].includes(method) ? {} : undefined);
          return { status: statusCode, code: headers["content-type"]?.toString().startsWith("application/json") && statusCode >= 400 ? JSON.parse(body).error.code : undefined, text: body };
        };
        const at = (record: string, run: string, tenant: string): string => path.replace("{provider}", "crm").replace("{connection}", "crm").replace("{connector}", "crm").replace("{entity}", "person").replace("{flow}", "people").replace("{name}", "company").replace("{tenant}", tenant)
          .replace(/\{?\*\}?$/, "people").replace(/\{(\w+)\}/g, path.startsWith("/api/connectors") ? "crm" : path.includes("records") ? record : run);
        const [none, nobody] = [randomUUID(), "nobody"];
        const same = async (url: string, asIf: string): Promise<void> => {
          const [answer, expected] = [await ask(url), await ask(asIf)];
          expect({ url, status: answer.status, code: answer.code }).toEqual({ url, status: expected.status, code: expected.code });
          expect(answer.status, url).toBeGreaterThanOrEqual(400);
          expect(answer.text.replaceAll("'bolt'", ""), url).not.toContain("bolt");
          probes.foreign++;
        };
        await same(`${at(none, none, "acme")}?tenant=bolt`, `${at(none, none, "acme")}?tenant=${nobody}`);
        if (path.includes("{tenant}")) await same(at(none, none, "bolt"), at(none, none, nobody));
        if (at(none, none, "acme") !== at(theirs.record, theirs.run, "acme")) await same(at(theirs.record, theirs.run, "acme"), at(none, none, "acme"));

        if (method !== "get" || path === "/api/live") continue;          // that one goes on for ever: test/server/api/live.test.ts
        const own = await ask(at(none, none, "acme"));
        expect(own.status < 500 || own.code === "CHANGE_NO_WORKSPACE", `${path}: ${own.status} ${own.code}`).toBe(true);
        for (const foreign of ["bolt", theirs.run, theirs.record]) expect(own.text, path).not.toContain(foreign);
        if (own.status === 200) probes.own++;
      }
    }
    expect(probes.own).toBeGreaterThan(20);
    expect(probes.foreign).toBeGreaterThan(120);
  });

  test("are listed for the operator only", async () => {
    expect((await get("/api/tenants", operator)).json().data.map(({ tenant }: { tenant: string }) => tenant)).toEqual(["acme", "bolt", "platform"]);
    expect((await get("/api/tenants")).statusCode).toBe(403);
  });
});

describe("operations", () => {
  test("liveness and readiness need no key", async () => {
    expect((await call(undefined, "GET", "/healthz")).json().status).toBe("ok");
    expect((await call(undefined, "GET", "/readyz")).json()).toEqual({ ready: true, checks: { database: { ok: true, detail: "ok" }, migrations: { ok: true, detail: "ok" }, revision: { ok: true, detail: "ok" } } });
  });

  test("metrics need a key, and count runs, records and requests", async () => {
    expect((await call(undefined, "GET", "/metrics")).statusCode).toBe(401);
    expect((await get("/metrics")).statusCode).toBe(403);
    const text = (await get("/metrics", operator)).body;
    expect(text).toMatch(/^plugboard_runs\{status="queued"\} \d+$/m);
    expect(text).toMatch(/^plugboard_queue_depth \d+$/m);
    expect(text).toMatch(/^plugboard_oldest_running_seconds /m);
    expect(text).toMatch(/^plugboard_http_request_duration_seconds_count\{method="GET",route="\/api\/records\/:entity",status="200"\} \d+$/m);
    expect(text).not.toMatch(/acme|bolt/);
  });

  test("the description validates nothing that the server does not: every route of it declares its permission and its errors", async () => {
    const { paths } = (await get("/docs/json")).json() as { paths: Record<string, Record<string, { "x-permission"?: string; responses: object; summary?: string }>> };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/api/integrations/{provider}/sync", "/api/integrations/{provider}/status", "/api/integrations/{provider}/history", "/api/runs/{id}/log", "/api/records/{entity}", "/healthz", "/metrics"]));
    for (const [path, methods] of Object.entries(paths)) for (const [method, route] of Object.entries(methods)) {
      expect(route["x-permission"], `${method} ${path}`).toBeDefined();
      expect(route.summary, `${method} ${path}`).toBeDefined();
      expect(Object.keys(route.responses)).toEqual(expect.arrayContaining(["4XX"]));
    }
  });

  test("a real socket answers, and a taken port is told in a sentence", async () => {
    const other = await createServer({ db: it.database.db, jobs: it.jobs, keyring: it.keyring, allowPrivate: true, logLevel: "silent" });
    const address = await listen(other, { host: "127.0.0.1", port: 0 });
    const answer = await fetch(`${address}/api/flows`, { headers: { authorization: `Bearer ${keys.acme}` } });
    expect([answer.status, ((await answer.json()) as { data: unknown[] }).data.length]).toEqual([200, 2]);
    await expect(listen(server, { host: "127.0.0.1", port: Number(new URL(address).port) })).rejects.toMatchObject({ code: "SERVER_PORT_TAKEN" });
    await other.close();
  });
});
