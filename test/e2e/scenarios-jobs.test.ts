/**
 * The job platform: every employer has an applicant tracking system of their own and sees nothing of another's; the operator's
 * own website stands on the tenant `platform`, and no employer sees it anywhere. Over HTTP, as their people do it.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeGreenhouse } from "../../server/demo/data/greenhouse.ts";
import { seeded } from "../../server/demo/data/random.ts";
import { createGreenhouseWebhooks } from "../../server/demo/providers/greenhouse-hooks.ts";
import { startProvider as startGreenhouse, type GreenhouseStandIn } from "../../server/demo/providers/greenhouse.ts";
import { startProvider as startManatal, type ManatalStandIn } from "../../server/demo/providers/manatal.ts";
import { startProvider as startWix, type WixStandIn } from "../../server/demo/providers/wix.ts";
import { startDeployment, until, type Answer, type Deployment, type Someone } from "../support/deployment.ts";

const greenhouseHooks = createGreenhouseWebhooks({ copies: 1 });
let manatal: ManatalStandIn;
let greenhouse: GreenhouseStandIn;
let wix: WixStandIn;
let it: Deployment;
/** Harbour Care hires with Manatal and may enter its own key; Pennine Homes hires with Greenhouse and may not. */
let harbour: Someone;
let pennine: Someone;
let recruiter: Someone;

beforeAll(async () => {
  manatal = await startManatal({ copies: 1, data: {
    token: "manatal-token-of-harbour", stages: [{ id: 1, name: "New" }, { id: 3, name: "Interview" }],
    records: {
      candidates: [1, 2, 3].map((id) => ({ id, full_name: `Hanna Harbour ${id}`, email: `hanna${id}@harbour-people.example`, phone_number: null, updated_at: "2026-02-01T09:00:00Z" })),
      jobs: [{ id: 10, position_name: "Night Nurse", organization: 9, external_id: "HC-10", status: "active", open_at: "2026-01-20", close_at: null, updated_at: "2026-02-01T09:00:00Z" }],
      matches: [1, 2, 3].map((id) => ({ id: 100 + id, candidate: id, job: 10, job_pipeline_stage: { id: 1, name: "New" }, is_active: true, hired_at: null, dropped_at: null, created_at: "2026-01-25T09:00:00Z", updated_at: "2026-02-01T09:00:00Z" })),
    },
  } });
  greenhouse = await startGreenhouse({ webhooks: greenhouseHooks, data: makeGreenhouse({ clientId: "greenhouse-client", clientSecret: "greenhouse-secret-of-pennine" }, { jobs: 8, candidates: 12 }, Date.now() - 3 * 86_400_000, seeded(5)) });
  wix = await startWix({ data: { apiKey: "wix-key-of-the-operator", siteId: "site-1", instanceId: "inst-1", name: "The operator's site", contacts: [
    { id: "11111111-1111-4111-8111-111111111111", revision: 1, createdDate: "2026-01-01T00:00:00.000Z", updatedDate: "2026-01-01T00:00:00.000Z", info: { name: { first: "Olga", last: "Operator" }, emails: { items: [{ email: "olga@operator-site.example" }] } } },
  ] } });
  it = await startDeployment(workspace());
  [harbour, pennine] = [await createEmployer("Harbour Care", "harbour", "manatal"), await createEmployer("Pennine Homes", "pennine", "greenhouse")];
  recruiter = await it.accept((await harbour.post("/api/invitations", { email: "rita@harbour.example", role: "recruiter" })).body);
}, 180_000);
afterAll(async () => {
  await it?.close();
  greenhouseHooks.close();
  await Promise.all([manatal, greenhouse, wix].map((each) => each?.close()));
});

/** Its administrator manages people and status of the employer's own ATS. */
async function createEmployer(name: string, id: string, preset: string): Promise<Someone> {
  expect((await it.operator.post("/api/tenants", { name, id, subdomain: id, preset })).status).toBe(201);
  const { body: invitation } = await it.operator.post(`/api/invitations?tenant=${id}`, { email: `hiring@${id}.example`, role: "employer_admin" });
  return it.accept(invitation);
}

/** Milliseconds: a busy machine is waited for. */
vi.setConfig({ testTimeout: 120_000 });

const dataOf = async (someone: Someone, url: string): Promise<any[]> => (await someone.get(url)).body.data;

describe("each employer connects their own ATS", () => {
  test("where the preset's policy lets them, an employer enters their own key", async () => {
    expect((await harbour.post("/api/integrations/manatal/connect", { secrets: { token: "manatal-token-of-harbour" } })).body).toMatchObject({ ok: true, connection: { connection: "manatal", status: "ok" } });
  });

  test("where it does not, only the operator does: the employer may neither enter, end nor link a connection", async () => {
    const entered = { config: { client_id: "greenhouse-client", user_id: 92_120 }, secrets: { client_secret: "greenhouse-secret-of-pennine", webhook_key: "webhook-key-of-pennine" } };
    for (const refused of [
      await pennine.post("/api/integrations/greenhouse/connect", entered), await pennine.put("/api/connections/greenhouse", entered), await pennine.delete("/api/connections/greenhouse"),
      await pennine.post("/api/connect-links", { connection: "greenhouse" }),
    ]) expect(refused).toMatchObject({ status: 403, body: { error: { code: "SERVER_ROLE_FORBIDDEN" } } });
    expect((await it.operator.post("/api/integrations/greenhouse/connect?tenant=pennine", entered)).body).toMatchObject({ ok: true });
  });

  test("each starts their own sync, and has their own jobs, candidates and applications", async () => {
    for (const [someone, tenant, provider] of [[harbour, "harbour", "manatal"], [pennine, "pennine", "greenhouse"]] as const) {
      const runs = await it.runs(someone, tenant, await someone.post(`/api/integrations/${provider}/sync`, {}));
      expect(Object.entries(runs).map(([flow, { status }]) => [flow, status]).toSorted()).toEqual([["applications", "succeeded"], ["candidates", "succeeded"], ["jobs", "succeeded"]]);
    }
    expect((await dataOf(harbour, "/api/records/candidate")).map(({ email, labels }) => [email, labels]).toSorted()).toEqual([1, 2, 3].map((id) => [`hanna${id}@harbour-people.example`, { ATS_Provider: "Manatal" }]));
    const theirs = await dataOf(pennine, "/api/records/candidate");
    expect([theirs.length, new Set(theirs.map(({ labels }) => labels.ATS_Provider))]).toEqual([12, new Set(["Greenhouse"])]);
  });

  test("what each ATS sends arrives as an event at its employer, and changes their record", async () => {
    for (const [model, feed] of [["candidates", "candidate_events"], ["matches", "match_events"]] as const) manatal.webhooks.register(model, (await it.operator.post("/api/connections/manatal/webhooks?tenant=harbour", { feed })).body.url);
    greenhouseHooks.register({ url: (await it.operator.post("/api/connections/greenhouse/webhooks?tenant=pennine", { feed: "customer" })).body.url, secret: "webhook-key-of-pennine" });
    manatal.people.change("candidates", 1, { current_position: "Ward Sister" });
    const [{ links }] = await dataOf(pennine, "/api/records/candidate");
    greenhouse.people.change("candidates", Number(links.greenhouse), { title: "Site Manager" });
    await Promise.all([manatal.webhooks.flush(), greenhouseHooks.flush()]);
    for (const [someone, title] of [[harbour, "Ward Sister"], [pennine, "Site Manager"]] as const) {
      await until(`a candidate to become ${title}`, 60_000, async () => (await dataOf(someone, "/api/records/candidate")).some((candidate) => candidate.title === title) || undefined);
      expect(await dataOf(someone, "/api/events")).toMatchObject([{ connection: someone === harbour ? "manatal" : "greenhouse" }]);
    }
  });
});

describe("the operator's own website is on the tenant platform", () => {
  test("the operator connects and syncs it like any connection", async () => {
    expect((await it.operator.post("/api/integrations/wix/connect?tenant=platform", { config: { site_id: "site-1" }, secrets: { api_key: "wix-key-of-the-operator" } })).body).toMatchObject({ ok: true });
    expect(await it.runs(it.operator, "platform", await it.operator.post("/api/integrations/wix/sync?tenant=platform", {}))).toMatchObject({ site_contacts: { status: "succeeded" } });
    expect((await dataOf(it.operator, "/api/records/contact?tenant=platform")).map(({ email }) => email)).toEqual(["olga@operator-site.example"]);
  });

  test("to an employer the tenant does not exist: not by name, not by its connection, its provider or its records", async () => {
    for (const url of ["/api/connections?tenant=platform", "/api/runs?tenant=platform", "/api/connections/wix", "/api/integrations/wix/status", "/api/integrations/wix/history", "/api/records/contact", "/api/tenants/platform/reports", "/api/tenants/platform/overrides"]) {
      expect([url, (await harbour.get(url)).status]).toEqual([url, 404]);
    }
    expect((await harbour.post("/api/integrations/wix/sync", {})).status).toBe(404);
    expect((await harbour.get("/api/connectors/wix")).body.health).toMatchObject({ connections: 0 });           // the catalogue says that there is Wix, not who has it
    expect((await it.operator.get("/api/connectors/wix")).body.health).toMatchObject({ connections: 1 });
  });
});

describe("employer A only sees their own ATS", () => {
  const CANARIES: Readonly<Record<string, RegExp>> = {
    harbour: /harbour|manatal-token|hanna/i, pennine: /pennine|greenhouse-secret|greenhouse-client/i, platform: /operator-site|wix-key|site-1|site_contacts|inst-1/i,
  };
  /** What a customer's own people see of themselves. */
  const employers = { harbour: { see: () => harbour, connection: "manatal" }, pennine: { see: () => pennine, connection: "greenhouse" } };
  type Employer = keyof typeof employers;

  test("their connections, runs and reports are their own alone", async () => {
    for (const [tenant, { see, connection }] of Object.entries(employers)) {
      expect((await dataOf(see(), "/api/connections")).map((each) => each.connection)).toEqual([connection]);
      expect(new Set((await dataOf(see(), "/api/runs?limit=1000")).map((run) => run.connection))).toEqual(new Set([connection]));
      expect((await dataOf(see(), `/api/tenants/${tenant}/reports`)).map(({ report, labels }) => [report, labels])).toEqual([["hiring-funnel", { ATS_Provider: [connection === "manatal" ? "Manatal" : "Greenhouse"] }]]);
      expect((await see().get("/api/session")).body.memberships).toMatchObject([{ tenant, role: "employer_admin" }]);
    }
    expect((await recruiter.get("/api/tenants/harbour/reports")).body.data).toHaveLength(1);
    expect((await recruiter.get("/api/connections")).status).toBe(403);
  });

  test("no list, of any route there is, shows one employer anything of the other or of the operator", async () => {
    const { paths } = (await it.operator.get("/docs/json")).body as { paths: Record<string, { get?: unknown }> };
    const lists = Object.entries(paths).flatMap(([path, { get }]) => (get === undefined || /[{:]|oauth|^\/(docs|metrics)|live$/.test(path) ? [] : [path]));
    expect(lists.length).toBeGreaterThan(25);
    const answered: Record<Employer, number> = { harbour: 0, pennine: 0 };
    for (const [tenant, { see }] of Object.entries(employers) as [Employer, (typeof employers)[Employer]][]) {
      for (const path of lists) {
        const { status, text } = await see().get(path);
        if (status === 200) answered[tenant]++;
        for (const [whose, pattern] of Object.entries(CANARIES)) if (whose !== tenant) expect([path, pattern.exec(text)?.[0]]).toEqual([path, undefined]);
      }
    }
    expect(Math.min(...Object.values(answered))).toBeGreaterThan(15);
    // The same words stand in what is their own: the search would have found them.
    expect((await harbour.get("/api/records/candidate")).text).toMatch(CANARIES["harbour"]!);
    expect((await it.operator.get("/api/records/contact?tenant=platform")).text).toMatch(CANARIES["platform"]!);
  });

  /** Everything of an employer that has an address, by the employer's own ids. */
  async function addressesOf({ see, connection }: (typeof employers)[Employer], tenant: string): Promise<string[]> {
    const first = async (list: string): Promise<string> => (await dataOf(see(), list))[0].id;
    const [run, event, candidate, job] = [await first("/api/runs"), await first("/api/events"), await first("/api/records/candidate"), await first("/api/records/job")];
    return [
      `/api/connections/${connection}`, `/api/integrations/${connection}/status`, `/api/integrations/${connection}/history`, `/api/runs/${run}`, `/api/runs/${run}/log`, `/api/events/${event}`,
      `/api/records/candidate/${candidate}`, `/api/records/candidate/${candidate}/lineage`, `/api/records/job/${job}`, `/api/tenants/${tenant}/reports`, `/api/tenants/${tenant}/overrides`,
    ];
  }
  const readable = async (someone: Someone, addresses: readonly string[]): Promise<[string, number][]> => Promise.all(addresses.map(async (url) => [url, (await someone.get(url)).status]));
  const all = (addresses: readonly string[], status: number): [string, number][] => addresses.map((url) => [url, status]);

  test("another employer's ids answer as if they did not exist, with one's own tenant and with theirs", async () => {
    for (const [own, other] of [["harbour", "pennine"], ["pennine", "harbour"]] as const) {
      const [mine, theirs] = [await addressesOf(employers[own], own), await addressesOf(employers[other], other)];
      const me = employers[own].see();
      expect(await readable(me, mine)).toEqual(all(mine, 200));
      expect(await readable(me, theirs)).toEqual(all(theirs, 404));
      const named = theirs.filter((url) => !url.startsWith("/api/tenants/")).map((url) => `${url}?tenant=${other}`);
      expect(await readable(me, named)).toEqual(all(named, 404));
    }
  });

  test("neither do acts reach across: sync, cancel, check, disconnect, invite, by path, query, body or page", async () => {
    const [run] = await dataOf(pennine, "/api/runs");
    const [member] = await dataOf(pennine, "/api/users");
    const { body: { next_cursor: theirPage } } = await pennine.get("/api/records/candidate?limit=2");
    const refused: readonly (readonly [Answer, number])[] = [
      [await harbour.post("/api/integrations/greenhouse/sync", {}), 404], [await harbour.post("/api/integrations/manatal/sync?connection=greenhouse", {}), 404], [await harbour.post("/api/integrations/greenhouse/sync?tenant=pennine", {}), 404],
      [await harbour.post(`/api/runs/${run.id}/cancel`, {}), 404], [await harbour.post("/api/connections/greenhouse/check"), 404], [await harbour.delete("/api/connections/greenhouse?data=keep"), 404],
      [await harbour.put("/api/connections/greenhouse?tenant=pennine", { config: {} }), 404], [await harbour.delete(`/api/users/${member.id}`), 404], [await harbour.post("/api/invitations?tenant=pennine", { email: "spy@harbour.example", role: "recruiter" }), 404],
      [await harbour.get(`/api/records/candidate?limit=2&cursor=${theirPage}`), 400], [await harbour.get("/api/tenants"), 403], [await harbour.post("/api/tenants/pennine/suspend", {}), 403],
    ];
    expect(refused.map(([{ status }]) => status)).toEqual(refused.map(([, status]) => status));
    expect((await pennine.get(`/api/runs/${run.id}`)).body).toEqual(run);
    expect((await dataOf(pennine, "/api/connections"))).toMatchObject([{ connection: "greenhouse", status: "ok" }]);
    expect((await dataOf(pennine, "/api/invitations"))).toEqual([]);
  });

  test("keys that an employer makes are as narrow as they are", async () => {
    const { body: { key } } = await harbour.post("/api/keys", { name: "reports", scopes: ["runs:read", "records:read"] });
    const program = it.bearer(key);
    expect((await program.get("/api/records/candidate")).body.data).toHaveLength(3);
    expect((await program.get("/api/records/candidate?tenant=pennine")).status).toBe(404);
    expect((await harbour.post("/api/keys", { name: "too much", scopes: ["tenants:read"] })).status).toBe(403);
  });
});

test("no key, token or secret was printed by any process", () => {
  for (const secret of ["manatal-token-of-harbour", "greenhouse-secret-of-pennine", "webhook-key-of-pennine", "wix-key-of-the-operator"]) expect(it.output()).not.toContain(secret);
  expect(it.output()).not.toMatch(/ at .*\.ts:\d+/);
});

function workspace(): Record<string, string> {
  return {
    "workspace.yaml": `name: Job platform
catalogue: builtin
review: other
egress: { allow_private: [${[manatal, greenhouse, wix].map(({ url }) => `"${new URL(url).host}"`).join(", ")}] }
`,
    // The stand-ins' addresses, laid over the catalogue's connectors.
    "connectors/manatal/connector.yaml": `connector: manatal
http: { base_url: "${manatal.url}/open/v3", hosts: ["127.0.0.1"] }
`,
    "connectors/greenhouse/connector.yaml": `connector: greenhouse
http: { base_url: "${greenhouse.url}/v3", hosts: ["127.0.0.1"], auth: { token_url: "${greenhouse.url}/token" } }
`,
    "connectors/wix/connector.yaml": `connector: wix
http: { base_url: "${wix.url}", hosts: ["127.0.0.1"] }
`,
    // Who may enter keys is the preset's to say: employers with Manatal, and not those with Greenhouse.
    "presets/manatal/preset.yaml": `preset: manatal
policy: { employer_admin: { credentials: write } }
`,
    "tenants/platform.yaml": `tenant: platform
title: The platform itself
connections: { wix: { connector: wix } }
flows: { site_contacts: { from: { stream: wix.contacts, every: 1h }, map: wix/contact, to: contact } }
`,
  };
}
