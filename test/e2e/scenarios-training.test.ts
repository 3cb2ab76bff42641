/**
 * The training platform, by its people and over HTTP: a customer on a standard preset; one with fields and a frequency of their
 * own, reviewed by a second person; one that moves from one learning system to another.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeAptemTenant } from "../../server/demo/data/aptem.ts";
import { makeEmployers } from "../../server/demo/data/employers.ts";
import { makeHubSpot } from "../../server/demo/data/hubspot.ts";
import { seeded } from "../../server/demo/data/random.ts";
import { startProvider as startAptem, type AptemData } from "../../server/demo/providers/aptem.ts";
import { startProvider as startHubSpot, type HubSpotData } from "../../server/demo/providers/hubspot.ts";
import { startStandIn, type StandIn } from "../../server/demo/providers/kernel.ts";
import { startDeployment, until, type Deployment, type Someone } from "../support/deployment.ts";

const BEGUN_AT = Date.now() - 3 * 86_400_000;
const employers = makeEmployers(30, seeded(7));

/** Three customers of Aptem; XYZ has a column of its own. */
const aptem: AptemData = {
  tenants: {
    abc: makeAptemTenant({ token: "aptem-token-of-abc", learners: 40, staff: 5, division: false, firstId: 100 }, employers.slice(0, 6), BEGUN_AT, seeded(1)),
    xyz: makeAptemTenant({ token: "aptem-token-of-xyz", learners: 60, staff: 5, division: true, firstId: 1000 }, employers.slice(0, 8), BEGUN_AT, seeded(2)),
    moving: makeAptemTenant({ token: "aptem-token-of-moving", learners: 25, staff: 5, division: false, firstId: 5000 }, employers.slice(0, 4), BEGUN_AT, seeded(3)),
  },
};
/** XYZ's portal, with a property of its own: who looks after a company. */
const hubspot = withAccountManagers(makeHubSpot({ portalId: 62_515, token: "hubspot-token-of-xyz" }, employers.slice(0, 20), 5, BEGUN_AT, seeded(4)));
const budLearners = Array.from({ length: 18 }, (_, index) => ({ id: `bud-${index + 1}`, name: `Learner ${index + 1}`, email: `learner${index + 1}@mail.example`, course: "Business Administrator L3", updated_at: "2026-02-01T09:00:00Z" }));

const standIns = {} as Record<"aptem" | "hubspot" | "bud", StandIn>;
let it: Deployment;
let engineer: Someone;

beforeAll(async () => {
  Object.assign(standIns, { aptem: await startAptem({ data: aptem }), hubspot: await startHubSpot({ data: hubspot, limits: { search: 100 } }), bud: await startBud() });
  it = await startDeployment(workspace());
  // The second person: works for the customers that the operator assigns.
  engineer = await it.accept((await it.operator.post("/api/invitations", { email: "ed@platform.example", role: "integration_engineer" })).body);
}, 180_000);
afterAll(async () => {
  await it?.close();
  await Promise.all(Object.values(standIns).map((each) => each.close()));
});

/** The three steps; who is invited first accepts. */
async function createOrganisation(name: string, subdomain: string, preset: string): Promise<Someone> {
  const asked = { name, id: subdomain, subdomain, preset, limits: { learners: 500 }, billing: { email: `accounts@${subdomain}.example` }, administrator: { email: `admin@${subdomain}.example` } };
  const review = await it.operator.post("/api/tenants?dry_run=true", asked);
  expect(review.body).toMatchObject({ problems: [], preset });
  const made = await it.operator.post("/api/tenants", asked);
  expect(made).toMatchObject({ status: 201, body: { created: true, tenant: { status: "active", preset: { id: preset } } } });
  const { body: { user } } = await engineer.get("/api/session");
  const { body: { data } } = await it.operator.get("/api/tenants");
  const assigned = await it.operator.put(`/api/users/${user.id}/assignments`, { tenants: data.map((each: any) => each.tenant).filter((tenant: string) => tenant !== "platform") });
  expect(assigned.status).toBe(200);
  return it.accept(made.body.invitation);
}

/** Every record, page by page. */
async function recordsOf(someone: Someone, tenant: string, entity: string): Promise<any[]> {
  const found: any[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body } = await someone.get(`/api/records/${entity}?tenant=${tenant}&limit=50${cursor === "" ? "" : `&cursor=${cursor}`}`);
    found.push(...body.data);
    cursor = body.next_cursor;
  }
  return found;
}

/** Milliseconds: a busy machine is waited for. */
vi.setConfig({ testTimeout: 120_000 });

const learnersAt = (customer: string) => aptem.tenants[customer]!.sets.Users!.rows.filter((row) => row.SubscriptionStatus === "FullUser" && row.UserProgram_Status !== null);
const flowsOf = async (someone: Someone, tenant: string, provider: string): Promise<Record<string, any>> => Object.fromEntries((await someone.get(`/api/integrations/${provider}/status?tenant=${tenant}`)).body.flows.map((flow: any) => [flow.flow, flow]));
/** When the clock starts the flow next: the worker works it out within seconds of a change. */
const minutesUntilNext = (someone: Someone, tenant: string, provider: string, flow: string): Promise<number> => until(`${tenant}/${flow} to be due`, 60_000, async () => {
  const { next_run_at: next } = (await flowsOf(someone, tenant, provider))[flow];
  return next === null ? undefined : (Date.parse(next) - Date.now()) / 60_000;
});
const sync = async (someone: Someone, tenant: string, provider: string, body: object = {}) => it.runs(someone, tenant, await someone.post(`/api/integrations/${provider}/sync`, body));

describe("scenario 1: a customer on a standard preset", () => {
  let admin: Someone;

  test("three steps make the organisation, live at once, and its administrator comes in by invitation", async () => {
    admin = await createOrganisation("ABC Training", "abc", "aptem");
    expect((await it.history())[0]).toBe("tenants: create abc (ABC Training)");
    expect((await admin.get("/api/session")).body).toMatchObject({ tenant: "abc", role: "tenant_admin" });
    expect((await admin.get("/api/connections")).body.data).toMatchObject([{ connection: "aptem", status: "not_connected", missing: ["tenant_host", "api_token"] }]);
  });

  test("the operator enters the credential in the connector's form; the customer's administrator may not, and nobody reads it again", async () => {
    const { body: form } = await it.operator.get("/api/connectors/aptem/schema?tenant=abc");
    expect(Object.keys(form.properties)).toEqual(["tenant_host", "api_token", "odata_version"]);
    const entered = { config: { tenant_host: "abc" }, secrets: { api_token: "aptem-token-of-abc" } };
    expect((await admin.post("/api/integrations/aptem/connect", entered)).body.error.code).toBe("SERVER_ROLE_FORBIDDEN");

    const wrong = await it.operator.post("/api/integrations/aptem/connect?tenant=abc", { ...entered, secrets: { api_token: "mistyped" } });
    expect(wrong.body).toMatchObject({ ok: false, error: { code: expect.any(String) } });
    const connected = await it.operator.post("/api/integrations/aptem/connect?tenant=abc", entered);
    expect(connected.body).toMatchObject({ ok: true, error: null, accounts: [{ id: "abc" }], connection: { status: "ok", secrets: { api_token: { set: true } } } });
    expect((await admin.get("/api/connections/aptem")).text).not.toContain("aptem-token-of-abc");
  });

  test("the first sync reads everything, the preset's schedule goes on hourly, and reports are filtered by the preset's labels", async () => {
    expect(await sync(admin, "abc", "aptem")).toMatchObject({ learners: { status: "succeeded" }, employers: { status: "succeeded" } });
    expect((await admin.get("/api/runs?flow=learners")).body.data.at(-1)).toMatchObject({ mode: "full", counters: { read: 45, created: learnersAt("abc").length } });
    const learners = await recordsOf(admin, "abc", "learner");
    expect(learners).toHaveLength(learnersAt("abc").length);
    expect(new Set(learners.map(({ labels }) => labels.LMS_Provider))).toEqual(new Set(["Aptem"]));

    expect(await flowsOf(admin, "abc", "aptem")).toMatchObject({ learners: { schedule: "every hour" }, employers: { schedule: "every day" } });
    expect(await minutesUntilNext(admin, "abc", "aptem", "learners")).toBeLessThanOrEqual(60);
    const { body: { data: reports } } = await admin.get("/api/tenants/abc/reports");
    expect(reports).toMatchObject([{ report: "learner-progress", labels: { LMS_Provider: ["Aptem"] } }]);
    expect(filtersOf(reports[0], "learner")).toEqual({ Tenant: ["abc"], LMS_Provider: ["Aptem"] });
  });
});

describe("scenario 2: a customer with fields and a frequency of their own", () => {
  let admin: Someone;
  let change: any;

  test("the recommended preset: Aptem is connected in the form, HubSpot by the customer with a connect link", async () => {
    admin = await createOrganisation("XYZ Apprenticeships", "xyz", "aptem-hubspot");
    expect((await it.operator.post("/api/integrations/aptem/connect?tenant=xyz", { config: { tenant_host: "xyz" }, secrets: { api_token: "aptem-token-of-xyz" } })).body).toMatchObject({ ok: true });

    const { body: { url } } = await it.operator.post("/api/connect-links?tenant=xyz", { connection: "hubspot" });
    expect((await fetch(url)).status).toBe(200);
    const customer = it.bearer(new URL(url).hash.slice(1));
    expect((await customer.get("/api/connect-link")).body).toMatchObject({ title: "HubSpot", organisation: "XYZ Apprenticeships" });
    expect((await customer.post("/api/connect-link/connect", { config: {}, secrets: { access_token: "hubspot-token-of-xyz" } })).body).toMatchObject({ ok: true });
    expect((await customer.get("/api/connect-link")).status).toBe(401);            // good for one connection, once
    expect((await admin.get("/api/connections")).body.data.map(({ connection, status }: any) => [connection, status])).toEqual([["aptem", "ok"], ["hubspot", "ok"]]);
  });

  test("the defaults come first: hourly and daily, without the customer's own fields", async () => {
    for (const provider of ["aptem", "hubspot"]) for (const run of Object.values(await sync(admin, "xyz", provider))) expect(run).toMatchObject({ status: "succeeded" });
    expect((await flowsOf(admin, "xyz", "aptem"))["learners"].schedule).toBe("every hour");
    expect((await flowsOf(admin, "xyz", "hubspot"))["employers"].schedule).toBe("every day");
    expect((await recordsOf(admin, "xyz", "learner")).filter(({ custom }) => custom !== undefined)).toEqual([]);
  });

  test("overrides are proposed with what they do, and are not in force; neither their author nor the customer approves them", async () => {
    const wanted = { title: "XYZ: division, account manager, every 15 minutes", changes: [
      { at: "flows.learners.from.every", value: "15m" },
      { at: "flows.learners.map.fields", value: { "custom.division": "UserCustom_Division" } },
      { at: "flows.employers.map.fields", value: { "custom.account_manager": "properties.account_manager" } },
    ] };
    expect((await admin.patch("/api/tenants/xyz/overrides", wanted)).status).toBe(403);
    const proposed = await engineer.patch("/api/tenants/xyz/overrides", wanted);
    expect(proposed.status).toBe(201);
    change = (await engineer.get(`/api/changes/${proposed.body.change.id}`)).body;
    expect(change).toMatchObject({ status: "proposed", tenant: "xyz", author: { name: "ed@platform.example" }, plan: { risk: "resync", unchanged: expect.any(Number), tenants: [{ tenant: "xyz" }] } });

    const { body: { data: { flows } } } = await it.operator.get(`/api/changes/${change.id}?data=true`);
    expect(flows.find(({ flow }: any) => flow === "learners")).toMatchObject({ tenant: "xyz" });
    expect((await engineer.post(`/api/changes/${change.id}/approve`, { plan_hash: change.plan_hash })).status).toBe(403);
    expect((await admin.post(`/api/changes/${change.id}/approve`, { plan_hash: change.plan_hash })).status).toBe(403);
    expect((await it.operator.post(`/api/changes/${change.id}/apply`)).status).toBe(409);
    expect((await flowsOf(admin, "xyz", "aptem"))["learners"].schedule).toBe("every hour");
  });

  test("approved by another person and applied, the next sync fills the customer's fields, every 15 minutes from then on", async () => {
    expect((await it.operator.post(`/api/changes/${change.id}/approve`, { plan_hash: change.plan_hash })).status).toBe(200);
    expect((await it.operator.post(`/api/changes/${change.id}/apply`)).body).toMatchObject({ changed: ["xyz"], change: { status: "applied" } });
    expect((await it.history())[0]).toContain("XYZ: division, account manager, every 15 minutes");
    expect((await flowsOf(admin, "xyz", "aptem"))["learners"].schedule).toBe("every 15 minutes");
    expect(await minutesUntilNext(admin, "xyz", "aptem", "learners")).toBeLessThanOrEqual(15);

    // As the plan said: fields that were not asked for before come with records that are read again.
    for (const provider of ["aptem", "hubspot"]) for (const run of Object.values(await sync(admin, "xyz", provider, { mode: "full" }))) expect(run).toMatchObject({ status: "succeeded", mode: "full" });
    const divisions = new Map(learnersAt("xyz").map(({ Id, UserCustom_Division }) => [String(Id), UserCustom_Division]));
    expect(new Map((await recordsOf(admin, "xyz", "learner")).map(({ links, custom }) => [links.aptem, custom?.division]))).toEqual(divisions);
    const managed = new Map(hubspot.types["companies"]!.objects.map(({ id, properties }) => [id, properties["account_manager"] ?? null]));
    expect(new Map((await recordsOf(admin, "xyz", "employer")).filter(({ links }) => links.hubspot !== undefined).map(({ links, custom }) => [links.hubspot, custom?.account_manager ?? null]))).toEqual(managed);
    expect([new Set(divisions.values()).size, new Set(managed.values()).size]).toEqual([6, 4]);            // five and none; three and none
  });

  test("only what differs is stored, each value says where it comes from, and ABC keeps the defaults", async () => {
    const { body: { data } } = await engineer.get("/api/tenants/xyz/overrides?overridden=true");
    expect(data.find(({ path }: any) => path === "flows.learners.from.every")).toMatchObject({ value: "15m", origin: { file: "tenants/xyz.yaml" }, default: { value: "1h" } });
    expect(data.map(({ path }: any) => path).filter((path: string) => path.startsWith("flows."))).toHaveLength(3);
    expect((await flowsOf(it.operator, "abc", "aptem"))["learners"].schedule).toBe("every hour");
  });

  test("each report is filtered to the customer's rows, by the labels of both systems", async () => {
    const { body: { data: reports } } = await admin.get("/api/tenants/xyz/reports");
    expect(reports.map(({ report }: any) => report)).toEqual(["employer-overview", "learner-progress"]);
    expect(filtersOf(reports[0], "employer")).toEqual({ Tenant: ["xyz"], LMS_Provider: ["Aptem"], CRM_Provider: ["HubSpot"] });
    expect(filtersOf(reports[0], "learner")).toEqual({ Tenant: ["xyz"], LMS_Provider: ["Aptem"] });
  });
});

describe("scenario 3: a customer that moves from Bud to Aptem", () => {
  let admin: Someone;
  let before: any[];
  let askedOfBud: number;

  test("on Bud at first", async () => {
    admin = await createOrganisation("Moving Skills", "moving", "bud");
    expect((await it.operator.post("/api/integrations/bud/connect?tenant=moving", { secrets: { api_key: "bud-key-of-moving" } })).body).toMatchObject({ ok: true });
    expect(await sync(admin, "moving", "bud")).toMatchObject({ learners: { status: "succeeded" } });
    before = await recordsOf(admin, "moving", "learner");
    expect(before).toHaveLength(budLearners.length);
    expect((await admin.get("/api/tenants/moving/reports")).body.data).toMatchObject([{ labels: { LMS_Provider: ["Bud"] } }]);
  });

  test("the move says first what stops, what starts and what has to be connected; then it is reviewed like any change", async () => {
    expect((await admin.post("/api/tenants/moving/preset", { preset: "aptem" })).status).toBe(403);
    const { body: { moves: [move] } } = await engineer.post("/api/tenants/moving/preset?dry_run=true", { preset: "aptem" });
    expect(move).toMatchObject({ from: "bud", to: "aptem", conflicts: [], connect: ["aptem"] });
    const { body: { change } } = await engineer.post("/api/tenants/moving/preset", { preset: "aptem" });
    expect((await it.operator.post(`/api/changes/${change.id}/approve`, { plan_hash: change.plan.hash })).status).toBe(200);
    expect((await it.operator.post(`/api/changes/${change.id}/apply`)).body).toMatchObject({ changed: ["moving"] });
    expect((await it.operator.get("/api/tenants/moving")).body.preset).toMatchObject({ id: "aptem" });
    // A run that was under way ends as it began.
    await until("Bud's runs to be over", 60_000, async () => (await admin.get("/api/runs?limit=100")).body.data.every(({ status }: any) => status !== "queued" && status !== "running") || undefined);
    askedOfBud = standIns.bud.requests.total;
  });

  test("Bud's sync is gone, Aptem's begins with the new credential, and what came from Bud still says so", async () => {
    expect((await admin.post("/api/integrations/bud/sync", {})).status).toBe(404);
    expect((await it.operator.post("/api/integrations/aptem/connect?tenant=moving", { config: { tenant_host: "moving" }, secrets: { api_token: "aptem-token-of-moving" } })).body).toMatchObject({ ok: true });
    expect(await sync(admin, "moving", "aptem")).toMatchObject({ learners: { status: "succeeded" }, employers: { status: "succeeded" } });
    expect((await admin.get("/api/flows")).body.data.map(({ flow, connection }: any) => [flow, connection]).toSorted()).toEqual([["employers", "aptem"], ["learners", "aptem"]]);

    const now = await recordsOf(admin, "moving", "learner");
    const origins = (rows: any[], origin: string) => rows.filter(({ links }) => Object.keys(links).join() === origin);
    expect(origins(now, "bud").map(({ id, labels }) => [id, labels])).toEqual(before.map(({ id }) => [id, { LMS_Provider: "Bud" }]));
    expect(origins(now, "aptem")).toHaveLength(learnersAt("moving").length);
    expect(now).toHaveLength(before.length + learnersAt("moving").length);
    expect((await admin.get("/api/tenants/moving/reports")).body.data).toMatchObject([{ labels: { LMS_Provider: ["Aptem"] } }]);
  });

  test("Bud is disconnected: its credential goes, its records are kept, and nothing was asked of it since the move", async () => {
    const unsure = await it.operator.delete("/api/connections/bud?tenant=moving");
    expect(unsure).toMatchObject({ status: 409, body: { error: { code: "AUTH_KEEP_OR_ERASE" } } });
    expect((await it.operator.delete("/api/connections/bud?tenant=moving&data=keep")).body).toMatchObject({ kept: { records: budLearners.length }, erased: { records: 0 } });
    expect((await recordsOf(admin, "moving", "learner")).filter(({ links }) => links.bud !== undefined)).toHaveLength(budLearners.length);
    expect(standIns.bud.requests.total).toBe(askedOfBud);
    const { body: { data: lines } } = await admin.get("/api/audit?limit=100");
    expect(lines.map(({ action }: any) => action)).toEqual(expect.arrayContaining(["tenant.created", "invitation.accepted", "connection.entered", "configuration.changed", "connection.disconnected"]));
  });
});

test("no secret was printed, and none stands in an audit log", async () => {
  const abc = (await it.operator.get("/api/audit?tenant=abc&limit=100")).text;
  for (const secret of ["aptem-token-of-abc", "aptem-token-of-xyz", "aptem-token-of-moving", "hubspot-token-of-xyz", "bud-key-of-moving"]) {
    expect(it.output()).not.toContain(secret);
    expect(abc).not.toContain(secret);
  }
  expect(it.output()).not.toMatch(/ at .*\.ts:\d+/);
});

/** Filters of one table: column → values. */
const filtersOf = (report: any, table: string): Record<string, string[]> => Object.fromEntries(report.filters.filter(({ target }: any) => target.table === table).map(({ target, values }: any) => [target.column, values]));

function withAccountManagers(data: HubSpotData): HubSpotData {
  const companies = data.types["companies"]!;
  const objects = companies.objects.map((company, index) => (index % 2 === 0 ? { ...company, properties: { ...company.properties, account_manager: `Manager ${index % 3}` } } : company));
  return { ...data, types: { ...data.types, companies: { ...companies, types: { ...companies.types, account_manager: "string" }, objects } } };
}

/** The second learning system: the customer's own, so its connector stands in the operator's workspace. Pages of ten, a key in a header. */
function startBud(): Promise<StandIn> {
  return startStandIn({}, ({ path, headers, query }) => {
    if (headers["x-api-key"] !== "bud-key-of-moving") return { status: 401, body: { error: "unauthorised" } };
    if (path === "/me") return { status: 200, body: { organisation: "moving-skills", name: "Moving Skills" } };
    if (path !== "/learners") return { status: 404, body: { error: "not found" } };
    const changed = budLearners.filter(({ updated_at }) => updated_at >= (query.get("updated_since") ?? ""));
    const page = Number(query.get("page"));
    return { status: 200, body: { learners: changed.slice((page - 1) * 10, page * 10), more: changed.length > page * 10 } };
  });
}

function workspace(): Record<string, string> {
  const { aptem: { url: aptemUrl }, hubspot: { url: hubspotUrl }, bud: { url: budUrl } } = standIns;
  return {
    "workspace.yaml": `name: Training platform
catalogue: builtin
review: other
egress: { allow_private: ["${new URL(aptemUrl).host}", "${new URL(hubspotUrl).host}", "${new URL(budUrl).host}"] }
`,
    // The stand-ins' addresses, laid over the catalogue's connectors.
    "connectors/aptem/connector.yaml": `connector: aptem
http:
  base_url: "${aptemUrl}/{{config.tenant_host}}/odata/{{config.odata_version}}"
  hosts: ["127.0.0.1"]
`,
    "connectors/hubspot/connector.yaml": `connector: hubspot
http: { base_url: "${hubspotUrl}", hosts: ["127.0.0.1"] }
`,
    "connectors/bud/connector.yaml": `connector: bud
title: Bud
category: lms
config:
  api_key: { title: API key, secret: true }
http:
  base_url: ${budUrl}
  auth: { type: api_key, header: X-API-Key, value: "{{config.api_key}}" }
check: { get: /me, account: organisation, label: name }
streams:
  learners:
    key: id
    get: /learners
    query: { page: "=page.number", updated_since: "{{cursor.from}}" }
    records: learners
    pagination: { type: page, start: 1, size: 10, until: "body.more ? false : true" }
    cursor: { field: updated_at, lag: 1m }
`,
    "mappings/bud/learner.yaml": `mapping: bud/learner
from: bud.learners
to: learner
fields:
  full_name: name
  email: $lowercase(email)
  programme: course
  status: '"Active"'
`,
    "presets/bud/preset.yaml": `preset: bud
title: Bud
connections: { bud: { connector: bud, labels: { LMS_Provider: Bud } } }
flows: { learners: { from: { stream: bud.learners, every: 1h, sweep: 7d }, map: bud/learner, to: learner } }
reports: { learner-progress: [tenant_admin] }
`,
  };
}
