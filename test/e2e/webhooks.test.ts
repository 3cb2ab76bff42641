/** What providers push, and what our own changes set off: signed or not, out of order and twice; held for a person; and nothing of a first load. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startStandIn, jsonObject, type StandIn } from "../../server/demo/providers/kernel.ts";
import { startProvider as startGreenhouse, type GreenhouseRecord, type GreenhouseStandIn } from "../../server/demo/providers/greenhouse.ts";
import { createGreenhouseWebhooks, type GreenhouseWebhooks } from "../../server/demo/providers/greenhouse-hooks.ts";
import { startProvider as startManatal, type ManatalStandIn } from "../../server/demo/providers/manatal.ts";
import { at, running, WORKSPACE, type Running } from "./running.ts";

const CANDIDATES = 5_000;
/** Of them, those that one flow asks for. */
const SAMPLE = 500;
const [REVIEW, INTERVIEW] = [62_821, 62_823];
const OLD = "2026-01-02T10:00:00.000Z";
const candidate = (id: number): GreenhouseRecord => ({ id, first_name: "Person", last_name: String(id), company: null, title: null, private: false, email_addresses: [{ value: `p${id}@mail.example`, type: "personal" }], phone_numbers: [], created_at: OLD, updated_at: OLD, last_activity_at: OLD });
const application = (id: number, of: number): GreenhouseRecord => ({ id, candidate_id: of, job_id: 6_400, job_interview_stage_id: REVIEW, status: "in_process", prospect: false, applied_at: OLD, rejected_at: null, created_at: OLD, updated_at: OLD, last_activity_at: OLD });
const resource = (records: GreenhouseRecord[]) => ({ times: ["created_at", "updated_at", "last_activity_at"], filters: {}, records });

/** An e-mail service: lists that people are put on, many at once, and single mails. */
interface Mailing extends StandIn { readonly subscribed: { key: string; email: string }[]; readonly mails: { to: string; subject: string; text: string }[] }
async function startMailing(): Promise<Mailing> {
  const [subscribed, mails]: [Mailing["subscribed"], Mailing["mails"]] = [[], []];
  const standIn = await startStandIn({}, (asked) => {
    const body = jsonObject(asked)!;
    if (asked.path === "/mails") { mails.push(body as never); return { status: 201, body: { id: `m-${mails.length}` } }; }
    subscribed.push(...body.people as never[]);
    return { status: 200, body: { people: (body.people as { email: string }[]).map(({ email }) => ({ id: email })) } };
  });
  return { ...standIn, subscribed, mails };
}

let it: Running;
let hooks: GreenhouseWebhooks;
let greenhouse: GreenhouseStandIn;
let manatal: ManatalStandIn;
let mailing: Mailing;

beforeAll(async () => {
  hooks = createGreenhouseWebhooks();
  greenhouse = await startGreenhouse({
    webhooks: hooks, limit: 100_000,
    data: {
      clientId: "c", clientSecret: "s", users: { 4080: { siteAdmin: true } }, scopes: ["candidates", "applications", "jobs", "users", "notes"],
      resources: {
        candidates: resource(Array.from({ length: CANDIDATES }, (_, index) => candidate(1_000 + index))),
        applications: resource([application(9_001, 1_001), application(9_002, 1_002), application(9_003, 1_003)]),
        jobs: resource([{ id: 6_400, name: "Archaeologist", status: "open", is_template: false, requisition_id: null, opened_at: OLD, closed_at: null, created_at: OLD, updated_at: OLD }]),
        job_interview_stages: resource([{ id: REVIEW, name: "Application Review" }, { id: INTERVIEW, name: "Face to Face" }]),
        users: resource([{ id: 4080, updated_at: OLD }]),
      },
    },
  });
  manatal = await startManatal({ limit: 10_000, data: {
    token: "t", stages: [{ id: 1, name: "New" }, { id: 3, name: "Interview" }],
    records: {
      candidates: [{ id: 101, full_name: "Mary Evans", email: "mary@mail.example", updated_at: OLD }], jobs: [{ id: 55, position_name: "Night Nurse", status: "active", updated_at: OLD }],
      matches: [{ id: 7, candidate: 101, job: 55, job_pipeline_stage: { id: 1, name: "New" }, is_active: true, created_at: OLD, updated_at: OLD }],
    },
  } });
  mailing = await startMailing();
  it = await running({
    ...WORKSPACE, ...at("greenhouse", `${greenhouse.url}/v3`, `, auth: { token_url: "${greenhouse.url}/token" }`), ...at("manatal", `${manatal.url}/open/v3`),
    "connectors/mailing/connector.yaml": `connector: mailing
title: Mailing
http: { base_url: "${mailing.url}", hosts: ["127.0.0.1"] }
actions:
  subscribe:
    input: { key: { type: string }, email: { type: string } }
    batch: 250
    post: /subscribers
    json: { people: "=inputs" }
    results: body.people
    returns: { key: id }
    once: repeatable
  send:
    input: { to: { type: string }, subject: { type: string }, text: { type: string } }
    post: /mails
    headers: { Idempotency-Key: "{{delivery.key}}" }
    json: "=input"
    returns: { key: body.id }
    once: { key: delivery.key, valid_for: 24h }
`,
    "mappings/mailing/subscriber.yaml": "mapping: mailing/subscriber\nfrom: candidate\nto: mailing.subscribe\nfields: { key: links.greenhouse, email: email }\n",
    "mappings/mailing/invitation.yaml": `mapping: mailing/invitation
from: application
to: mailing.send
fields:
  to: candidate.email
  subject: '"Your interview for " & job.title & " at " & $tenant.title'
  text: { template: invitation.text.hbs }
`,
    "mappings/mailing/invitation.text.hbs": "Dear {{candidate.first_name}}, choose a time: https://interviews.example/{{link}}",
    "mappings/greenhouse/shortlist-note.yaml": `mapping: greenhouse/shortlist-note
from: application
to: greenhouse.add_note
fields:
  candidate_id: $number(candidate.links.greenhouse)
  text: '"Invited to an interview for " & job.title & "."'
`,
    "tenants/platform.yaml": "tenant: platform\ntitle: Operator\nconnections: { greenhouse: { connector: greenhouse } }\n",
    "tenants/northwind.yaml": `tenant: northwind
title: Northwind
subdomain: northwind
preset: greenhouse
connections: { mailing: { connector: mailing } }
flows:
  applications: { map: { fields: { stage: 'job_interview_stage_id = ${INTERVIEW} ? "shortlisted" : "applied"' } } }
  subscribers: { from: { change: candidate }, map: mailing/subscriber, to: { action: mailing.subscribe } }
  sample: { from: { change: candidate, when: 'email ~> /^p\\d+0@/' }, map: mailing/subscriber, to: { action: mailing.subscribe } }
  invitations:
    from: { change: application, becomes: 'stage = "shortlisted"' }
    hold_for: recruiter
    map: mailing/invitation
    mint: { link: { token: interview, about: "=record.id", valid: 7d } }
    to: { action: mailing.send }
  notes:
    from: { change: application, becomes: 'stage = "shortlisted"' }
    hold_for: recruiter
    map: greenhouse/shortlist-note
    to: { action: greenhouse.add_note }
`,
    "tenants/harbour.yaml": "tenant: harbour\ntitle: Harbour\nsubdomain: harbour\npreset: manatal\n",
  });
  await it.enter("platform", "greenhouse", { secrets: { partner_key: "partner-secret" } });
  await it.connect("northwind", "greenhouse", { config: { client_id: "c", user_id: 4080, organization: "77" }, secrets: { client_secret: "s", webhook_key: "customer-secret" } });
  await it.connect("northwind", "mailing", {});
  await it.connect("harbour", "manatal", { secrets: { token: "t" } });
}, 60_000);
afterAll(async () => {
  hooks.close();
  await it.close();
  await Promise.all([greenhouse.close(), manatal.close(), mailing.close()]);
});

describe("a first load", () => {
  test(`of ${CANDIDATES} candidates sends nothing, although a change flow matches them all`, async () => {
    const runs = await it.sync("northwind", "greenhouse");
    expect(runs.map((run) => [run.flow, run.status, run.counters.created]).toSorted()).toEqual([["applications", "succeeded", 3], ["candidates", "succeeded", CANDIDATES], ["jobs", "succeeded", 1]]);
    expect(await it.deliveries("northwind")).toEqual([]);
    expect([mailing.requests.total, greenhouse.notes.length]).toEqual([0, 0]);
  });

  test("is counted; asked for with another count it sends nothing, with this one exactly that", { timeout: 30_000 }, async () => {
    const pending = (flow: string) => it.call("GET", `/api/flows/${flow}/pending`, "northwind");
    expect((await pending("subscribers")).body).toMatchObject({ rows: CANDIDATES, more: false, unfired: [{ cause: "first_load", count: CANDIDATES }] });
    expect((await pending("sample")).body).toMatchObject({ rows: SAMPLE });
    const fire = (flow: string, confirm: number) => it.call("POST", `/api/flows/${flow}/fire`, "northwind", { confirm });
    expect([(await fire("subscribers", CANDIDATES - 1)).status, (await fire("sample", CANDIDATES)).status]).toEqual([409, 409]);
    await it.quiet();
    expect(mailing.requests.total).toBe(0);

    expect(await fire("sample", SAMPLE)).toEqual({ status: 202, body: { fired: SAMPLE } });
    await it.quiet();
    expect(mailing.subscribed.map(({ key }) => Number(key)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: SAMPLE }, (_, index) => 1_000 + index * 10));
    expect(await it.admin("select flow, status, count(*)::int from deliveries group by 1, 2")).toEqual([{ flow: "sample", status: "delivered", count: SAMPLE }]);
  });
});

describe("webhooks, out of order and each of them twice", () => {
  const names = async () => (await it.admin<{ name: string }>("select data->>'first_name' as name from entity_rows where entity = 'candidate' and links->>'greenhouse' in ('1001', '1002', '1003') order by 1")).map(({ name }) => name);

  test("of a customer and of a partner, signed: the newest state stays, every event is processed once", async () => {
    const customer = { url: await it.address("northwind", { connection: "greenhouse" }, "customer"), secret: "customer-secret" };
    const partner = { url: await it.address("platform", { connector: "greenhouse" }, "partner"), secret: "partner-secret", organization: "77" };
    // Configuring one sends a ping; other than 200 leaves it disabled.
    expect([await hooks.ping(customer), await hooks.ping(partner), await hooks.ping({ ...customer, secret: "another" }), await hooks.ping({ ...partner, url: customer.url })]).toEqual([200, 200, 401, 401]);
    hooks.register(customer);
    hooks.register(partner);
    for (const name of ["Ada", "Adele", "Adeline"]) greenhouse.people.change("candidates", 1_001, { first_name: name });
    greenhouse.people.change("candidates", 1_002, { first_name: "<b>Bea</b>" });
    greenhouse.people.change("applications", 9_003, { status: "rejected", rejected_at: new Date().toISOString() });
    await hooks.flush();
    await it.quiet();
    expect(hooks.answers).toEqual({ 200: 20 });
    expect(await names()).toEqual(["<b>Bea</b>", "Adeline", "Person"]);
    expect((await it.rows("northwind", "application")).map(({ status }) => status).toSorted()).toEqual(["in_process", "in_process", "rejected"]);
    // Five changes told to two addresses, and two pings: each kept once, however often it came.
    const events = await it.events("northwind");
    expect(events.map(({ feed, status }) => `${feed} ${status}`).toSorted()).toEqual([...Array(5).fill("customer processed"), "customer ignored", ...Array(5).fill("partner processed"), "partner ignored"].toSorted());
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(12);
  });

  test("a candidate that was deleted ends here, whatever comes after", async () => {
    greenhouse.people.change("candidates", 1_004, { first_name: "Dee" });
    greenhouse.people.remove("candidates", 1_004);
    await hooks.flush();
    await it.quiet();
    expect(await it.admin("select count(*)::int from entity_rows where entity = 'candidate' and deleted_at is null")).toEqual([{ count: CANDIDATES - 1 }]);
  });

  test("unsigned, with only a secret address: what they say is a hint, and the record is read", async () => {
    await it.sync("harbour", "manatal");
    for (const [model, feed] of [["candidates", "candidate_events"], ["jobs", "job_events"], ["matches", "match_events"]] as const) manatal.webhooks.register(model, await it.address("harbour", { connection: "manatal" }, feed));
    const before = manatal.requests.total;
    for (const name of ["Marian Evans", "George Eliot"]) manatal.people.change("candidates", 101, { full_name: name });
    manatal.people.change("jobs", 55, { status: "won" });
    for (const stage of [1, 3]) manatal.people.change("matches", 7, { job_pipeline_stage: { id: stage, name: stage === 3 ? "Interview" : "New" } });
    await manatal.webhooks.flush();
    await it.quiet();
    expect(manatal.webhooks.answers).toEqual({ 200: 10 });
    expect(await it.rows("harbour", "candidate")).toMatchObject([{ first_name: "George", last_name: "Eliot" }]);
    expect(await it.rows("harbour", "job")).toMatchObject([{ status: "won" }]);
    expect(await it.rows("harbour", "application")).toMatchObject([{ stage: "Interview", stage_id: "3" }]);
    // Hints are read together: never more often than they came.
    expect(manatal.requests.total - before).toBeLessThanOrEqual(10);
    expect(new Set((await it.events("harbour")).map(({ status }) => status))).toEqual(new Set(["processed"]));
    const forged = (await it.address("harbour", { connection: "manatal" }, "job_events")).replace(/[^/]+$/, "x".repeat(43));
    expect((await fetch(forged, { method: "POST", body: '{"object_id":55}' })).status).toBe(401);
  });
});

describe("an application that is shortlisted", () => {
  test("waits for a recruiter; what was approved is what is sent, once", async () => {
    const [mails, notes] = [mailing.mails.length, greenhouse.notes.length];
    greenhouse.people.change("applications", 9_001, { job_interview_stage_id: INTERVIEW });
    await hooks.flush();
    await it.quiet();
    const recruiter = await it.as("recruiter", "northwind");
    const held = (await recruiter("GET", "/api/holds")).body.data as { id: string; flow: string }[];
    expect(held.map(({ flow }) => flow).toSorted()).toEqual(["invitations", "notes"]);
    const invitation = held.find(({ flow }) => flow === "invitations")!;
    const shown = (await recruiter("GET", `/api/holds/${invitation.id}`)).body;
    expect(shown.input).toMatchObject({ to: "p1001@mail.example", subject: "Your interview for Archaeologist at Northwind", text: expect.stringMatching(/^Dear Adeline, choose a time: https:\/\/interviews\.example\/\*+$/) });
    expect([mailing.mails.length, greenhouse.notes.length]).toEqual([mails, notes]);

    // Everything it was made from changes, and the stage is told again.
    greenhouse.people.change("candidates", 1_001, { first_name: "Zed", email_addresses: [{ value: "zed@mail.example", type: "personal" }] });
    greenhouse.people.change("jobs", 6_400, { name: "Dentist" });
    greenhouse.people.change("applications", 9_001, { status: "in_process" });
    await hooks.flush();
    await it.quiet();
    for (const { id } of held) expect(await recruiter("POST", `/api/holds/${id}/approve`, {})).toMatchObject({ status: 200 });
    await it.quiet();
    expect(mailing.mails.slice(mails)).toEqual([{ to: "p1001@mail.example", subject: "Your interview for Archaeologist at Northwind", text: expect.stringMatching(/^Dear Adeline, choose a time: https:\/\/interviews\.example\/[\w-]{43}$/) }]);
    expect(greenhouse.notes.slice(notes)).toMatchObject([{ candidate_id: 1_001, user_id: 4_080, body: "Invited to an interview for Archaeologist.", visibility: "private" }]);
    expect((await recruiter("POST", `/api/holds/${invitation.id}/approve`, {})).status).toBe(409);
    expect((await it.deliveries("northwind")).filter(({ flow }) => !["subscribers", "sample"].includes(flow)).map(({ flow, status, attempts }) => `${flow} ${status} ${attempts}`).toSorted()).toEqual(["invitations delivered 1", "notes delivered 1"]);
    expect(it.errors).toEqual([]);
  });

  test("that is rejected by the recruiter is never sent", async () => {
    const mails = mailing.mails.length;
    greenhouse.people.change("applications", 9_002, { job_interview_stage_id: INTERVIEW });
    await hooks.flush();
    await it.quiet();
    const employer = await it.as("employer_admin", "northwind");
    for (const { id } of (await employer("GET", "/api/holds")).body.data) expect((await employer("POST", `/api/holds/${id}/reject`, { reason: "Not now." })).status).toBe(200);
    await it.quiet();
    expect(mailing.mails).toHaveLength(mails);
  });
});
