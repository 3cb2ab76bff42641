/** What each role reaches of organisations and their configuration, as people with sessions. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { orgRig, type OrgRig } from "./rig.ts";

let it: OrgRig;
const who: Record<string, Record<string, string>> = {};
beforeAll(async () => {
  it = await orgRig({
    "tenants/acme.yaml": "tenant: acme\nsubdomain: acme\npreset: aptem-hubspot\npolicy: { tenant_admin: { mappings: write } }\n",
    "tenants/bolt.yaml": "tenant: bolt\npreset: aptem\n",
    "tenants/platform.yaml": "tenant: platform\ntitle: Operator\nconnections: { hubspot: { connector: hubspot } }\n",
    "tenants/hire.yaml": "tenant: hire\npreset: greenhouse\n",
  });
  who["root"] = await it.person("super_admin");
  who["engineer"] = await it.person("integration_engineer", undefined, ["acme"]);
  who["admin"] = await it.person("tenant_admin", "acme");
  who["other"] = await it.person("tenant_admin", "bolt");
  who["employer"] = await it.person("employer_admin", "hire");
  who["recruiter"] = await it.person("recruiter", "hire");
  who["interviewer"] = await it.person("interviewer", "hire");
});
afterAll(() => it.close());

const status = async (name: string, method: "GET" | "POST" | "PATCH" | "DELETE", url: string, body?: unknown): Promise<number> => (await it.call(method, url, body, { as: who[name]! })).status;

test("the operator's own tenant holds connections, is shown to staff as such, and to nobody else in any way", async () => {
  expect((await it.call("GET", "/api/tenants/platform", undefined, { as: who["engineer"]! })).body).toMatchObject({ kind: "platform", connections: [{ connection: "hubspot", status: "not_connected" }] });
  for (const name of ["admin", "employer"]) {
    for (const url of ["/api/flows", "/api/connections", "/api/requests", "/api/users", "/api/audit", "/api/keys", "/api/quarantine"]) {
      const answers = [await it.call("GET", `${url}?tenant=platform`, undefined, { as: who[name]! }), await it.call("GET", `${url}?tenant=nobody`, undefined, { as: who[name]! })];
      expect([url, answers[0]!.status, answers[0]!.text.replaceAll("platform", "nobody")]).toEqual([url, 404, answers[1]!.text]);
    }
  }
});

test("only the operator's staff see the list, an engineer those assigned; only a super admin changes what organisations there are", async () => {
  expect((await it.call("GET", "/api/tenants", undefined, { as: who["root"]! })).body.data.map(({ tenant }: any) => tenant)).toEqual(["acme", "bolt", "hire", "platform"]);
  expect((await it.call("GET", "/api/tenants", undefined, { as: who["engineer"]! })).body.data.map(({ tenant }: any) => tenant)).toEqual(["acme", "platform"]);
  expect([await status("engineer", "GET", "/api/tenants/acme"), await status("engineer", "GET", "/api/tenants/bolt"), await status("root", "GET", "/api/tenants/bolt")]).toEqual([200, 404, 200]);
  for (const name of ["admin", "employer", "recruiter", "interviewer"]) expect([name, await status(name, "GET", "/api/tenants"), await status(name, "GET", "/api/tenants/acme")]).toEqual([name, 403, 403]);
  for (const name of ["engineer", "admin", "employer", "recruiter", "interviewer"]) {
    expect([name, await status(name, "POST", "/api/tenants", { name: "X", subdomain: "x", preset: "aptem" }), await status(name, "POST", "/api/tenants/acme/suspend", {}), await status(name, "GET", "/api/tenants/acme/export"), await status(name, "POST", "/api/tenants/acme/erasure")]).toEqual([name, 403, 403, 403, 403]);
  }
});

test("an engineer proposes for assigned tenants only, one by one and many at once, and sees no pins of others", async () => {
  const changes = { changes: [{ at: "flows.learners.from.every", value: "15m" }] };
  expect([await status("engineer", "PATCH", "/api/tenants/acme/overrides", changes), await status("engineer", "PATCH", "/api/tenants/bolt/overrides", changes)]).toEqual([201, 404]);
  expect(await status("engineer", "POST", "/api/presets/aptem/upgrade?dry_run=true", { tenants: ["bolt"] })).toBe(404);
  expect((await it.call("GET", "/api/presets", undefined, { as: who["engineer"]! })).text).not.toMatch(/bolt|hire/);
});

test("a tenant's admin proposes what the policy opens, and nothing else", async () => {
  const mapping = { changes: [{ at: "flows.learners.map.fields.custom.division", value: "UserCustom_Division" }] };
  expect([await status("admin", "PATCH", "/api/tenants/acme/mappings", mapping), await status("other", "PATCH", "/api/tenants/bolt/mappings", mapping), await status("other", "PATCH", "/api/tenants/acme/mappings", mapping)]).toEqual([201, 403, 404]);
  expect(await status("admin", "PATCH", "/api/tenants/acme/frequency", { changes: [{ at: "flows.learners.from.every", value: "15m" }] })).toBe(403);
  expect([await status("admin", "PATCH", "/api/tenants/acme/overrides", mapping), await status("admin", "POST", "/api/tenants/acme/preset", { preset: "aptem" }), await status("admin", "GET", "/api/tenants/acme/template")]).toEqual([403, 403, 403]);
  expect([await status("admin", "GET", "/api/tenants/acme/overrides"), await status("recruiter", "GET", "/api/tenants/hire/overrides"), await status("admin", "PATCH", "/api/presets/aptem", mapping)]).toEqual([200, 403, 403]);
});

test("reports are those that name the caller's role", async () => {
  const reports = async (name: string, tenant: string): Promise<string[]> => (await it.call("GET", `/api/tenants/${tenant}/reports`, undefined, { as: who[name]! })).body.data.map(({ report }: any) => report);
  expect([await reports("admin", "acme"), await reports("employer", "hire"), await reports("recruiter", "hire"), await reports("interviewer", "hire"), await reports("root", "hire")])
    .toEqual([["employer-overview", "learner-progress"], ["hiring-funnel"], ["hiring-funnel"], [], ["hiring-funnel"]]);
  expect(await status("recruiter", "GET", "/api/tenants/acme/reports")).toBe(404);
});

test("tenants ask, staff answer: an engineer sees and answers those assigned", async () => {
  const ask = (name: string) => it.call("POST", "/api/requests", { provider: "OneFile" }, { as: who[name]! });
  const [mine, theirs] = [await ask("admin"), await ask("other")];
  expect([mine.status, theirs.status, (await ask("recruiter")).status, await status("root", "POST", "/api/requests?tenant=acme", { provider: "x" })]).toEqual([201, 201, 403, 403]);
  expect((await it.call("GET", "/api/requests", undefined, { as: who["engineer"]! })).body.data.map(({ tenant }: any) => tenant)).toEqual(["acme"]);
  expect((await it.call("GET", "/api/requests", undefined, { as: who["root"]! })).body.data).toHaveLength(2);
  const answer = { status: "declined", note: "no API" };
  expect([await status("engineer", "POST", `/api/requests/${theirs.body.id}/answer?tenant=bolt`, answer), await status("admin", "POST", `/api/requests/${mine.body.id}/answer`, answer), await status("engineer", "POST", `/api/requests/${mine.body.id}/answer?tenant=acme`, answer)]).toEqual([404, 403, 200]);
});

test("suspended, a tenant's people are refused, and the operator's are not", async () => {
  expect(await status("root", "POST", "/api/tenants/bolt/suspend", { reason: "test" })).toBe(200);
  expect([await status("other", "GET", "/api/flows?tenant=bolt"), await status("root", "GET", "/api/flows?tenant=bolt")]).toEqual([403, 200]);
  expect(await status("root", "POST", "/api/tenants/bolt/resume")).toBe(200);
  expect(await status("other", "GET", "/api/flows?tenant=bolt")).toBe(200);
});

test("with a host name, the tenant need not be named; another's host is like one that does not exist", async () => {
  const at = (name: string, host: string) => it.call("GET", "/api/flows", undefined, { as: who[name]!, headers: { host } });
  expect([(await at("root", "acme.example.com")).status, (await at("admin", "acme.example.com")).status, (await at("other", "acme.example.com")).status]).toEqual([200, 200, 404]);
});
