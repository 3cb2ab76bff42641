import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProvider, type HubSpotData, type HubSpotObject } from "../../../../server/demo/providers/hubspot.ts";
import type { StandIn } from "../../../../server/demo/providers/kernel.ts";

const company = (id: number, updatedAt: string, properties: Record<string, string | null> = {}, archived = false): HubSpotObject =>
  ({ id: String(id), properties: { name: `C${id}`, ...properties }, createdAt: "2025-01-01T00:00:00.000Z", updatedAt, archived });

// Ids run against the times, and the first fifty share one time.
const objects = Array.from({ length: 450 }, (_, index) => company(1_000 + index, new Date(Date.parse("2026-02-01T00:00:00Z") - Math.max(index, 50) * 60_000).toISOString(), { domain: index % 2 ? `c${index}.example` : null }));
const many = Array.from({ length: 10_300 }, (_, index) => company(index + 1, "2026-01-01T00:00:00.000Z"));
const types = { name: "string", domain: "string", hs_lastmodifieddate: "datetime", createdate: "datetime", hs_object_id: "number" } as const;
const data: HubSpotData = {
  portalId: 62_515, token: "pat", scopes: ["companies"],
  types: {
    companies: { types, defaults: ["name", "domain"], modified: "hs_lastmodifieddate", scope: "companies", objects: [...objects, company(9_000, "2026-02-02T00:00:00.000Z", {}, true)] },
    tickets: { types, defaults: ["name"], modified: "hs_lastmodifieddate", scope: "companies", objects: many },
    deals: { types, defaults: [], modified: "hs_lastmodifieddate", scope: "deals", objects: [] },
  },
  associations: { "companies/contacts": { 1000: ["5", "6"] } },
};
let provider: StandIn;
beforeAll(async () => { provider = await startProvider({ data, limits: { search: 1_000, tenSeconds: 1_000 } }); });
afterAll(() => provider.close());

interface Page { total: number; results: HubSpotObject[]; paging?: { next: { after: string } }; message: string }
const post = async (path: string, body: unknown, at = provider) => {
  const response = await fetch(`${at.url}${path}`, { method: "POST", body: JSON.stringify(body), headers: { authorization: "Bearer pat", "content-type": "application/json" } });
  return { status: response.status, headers: response.headers, body: await response.json() as Page };
};
const search = (body: unknown, type = "companies") => post(`/crm/v3/objects/${type}/search`, body);
const get = (path: string, headers: Record<string, string> = { authorization: "Bearer pat" }) => fetch(`${provider.url}${path}`, { headers });
const filters = (...of: [string, string, string?][]) => [{ filters: of.map(([propertyName, operator, value]) => ({ propertyName, operator, value })) }];

describe("search", () => {
  test("a keyset over the id gives every object once, and never the archived ones", async () => {
    const seen: string[] = [];
    for (let after = "0"; ;) {
      const { body } = await search({ filterGroups: filters(["hs_object_id", "GT", after]), sorts: [{ propertyName: "hs_object_id", direction: "ASCENDING" }], limit: 200 });
      if (body.results.length === 0) break;
      seen.push(...body.results.map(({ id }) => id));
      after = seen.at(-1)!;
    }
    expect(seen).toEqual(objects.map(({ id }) => id));
  });

  test("`after` pages through one query until there is no next", async () => {
    const seen = new Set<string>();
    let after: string | undefined;
    do {
      const { body } = await search({ limit: 200, ...(after ? { after } : {}) });
      for (const { id } of body.results) seen.add(id);
      after = body.paging?.next.after;
    } while (after);
    expect(seen.size).toBe(450);
  });

  test("times are compared as instants, given in milliseconds or ISO 8601, bounds as the operator says", async () => {
    const at = Date.parse("2026-01-31T20:00:00Z");
    const expected = objects.filter(({ updatedAt }) => Date.parse(updatedAt) >= at).length;
    expect((await search({ filterGroups: filters(["hs_lastmodifieddate", "GTE", String(at)]) })).body.total).toBe(expected);
    expect((await search({ filterGroups: filters(["hs_lastmodifieddate", "GTE", "2026-01-31T21:00:00+01:00"]) })).body.total).toBe(expected);
    expect((await search({ filterGroups: filters(["hs_lastmodifieddate", "GTE", String(at)], ["hs_lastmodifieddate", "LT", String(at + 60_000)]) })).body.total).toBe(1);
  });

  test("groups are alternatives, filters of one group must all hold", async () => {
    const { body } = await search({ filterGroups: [...filters(["name", "EQ", "C1000"]), ...filters(["name", "EQ", "C1001"], ["domain", "HAS_PROPERTY"]), ...filters(["name", "EQ", "C1002"], ["domain", "HAS_PROPERTY"])] });
    expect(body.results.map(({ id }) => id)).toEqual(["1000", "1001"]);
  });

  test("properties come only when asked for; empty ones are null; unknown ones are ignored", async () => {
    const query = { filterGroups: filters(["hs_object_id", "EQ", "1000"]) };
    expect((await search(query)).body.results[0]!.properties).toEqual({ name: "C1000", domain: null, createdate: "2025-01-01T00:00:00.000Z", hs_lastmodifieddate: objects[0]!.updatedAt, hs_object_id: "1000" });
    expect(Object.keys((await search({ ...query, properties: ["domain", "nope"] })).body.results[0]!.properties).sort()).toEqual(["createdate", "domain", "hs_lastmodifieddate", "hs_object_id"]);
  });

  test("a query ends at 10,000 results", async () => {
    expect((await search({ limit: 200, after: "9800" }, "tickets")).status).toBe(200);
    const beyond = await search({ limit: 200, after: "9801" }, "tickets");
    expect([beyond.status, beyond.body.message]).toEqual([400, expect.stringContaining("10000")]);
  });

  test.each<[string, unknown]>([
    ["a limit above 200", { limit: 201 }],
    ["an unknown member", { filters: [] }],
    ["an unknown property in a filter", { filterGroups: filters(["nope", "EQ", "1"]) }],
    ["a filter without a value", { filterGroups: filters(["hs_lastmodifieddate", "GTE"]) }],
    ["an empty value", { filterGroups: filters(["hs_lastmodifieddate", "GTE", ""]) }],
    ["a word where a time belongs", { filterGroups: filters(["hs_lastmodifieddate", "GTE", "yesterday"]) }],
    ["an unknown operator", { filterGroups: filters(["name", "LIKE", "C"]) }],
    ["two sorts", { sorts: ["name", "domain"] }],
    ["more than five groups", { filterGroups: Array.from({ length: 6 }, () => ({ filters: [] })) }],
    ["a list instead of an object", []],
  ])("refuses %s", async (_, body) => {
    const answer = await search(body);
    expect([answer.status, answer.body]).toMatchObject([400, { status: "error", category: "VALIDATION_ERROR" }]);
  });

  test("shows a write only when the index has caught up, while reading by id shows it at once", async () => {
    let now = Date.parse("2026-05-01T12:00:00Z");
    const old = company(1, "2026-04-01T00:00:00.000Z", { name: "Old" });
    const companies = { ...data.types.companies!, objects: [{ ...company(1, new Date(now).toISOString(), { name: "New" }), before: old }, company(2, new Date(now).toISOString())] };
    const lagging = await startProvider({ data: { ...data, types: { companies } }, searchLagMilliseconds: 10_000, now: () => now });
    const names = async () => (await post("/crm/v3/objects/companies/search", { sorts: ["hs_object_id"] }, lagging)).body.results.map(({ properties }) => properties.name);
    expect(await names()).toEqual(["Old"]);
    expect(await (await fetch(`${lagging.url}/crm/v3/objects/companies/1`, { headers: { authorization: "Bearer pat" } })).json()).toMatchObject({ properties: { name: "New" } });
    now += 10_000;
    expect(await names()).toEqual(["New", "C2"]);
    await lagging.close();
  });
});

describe("reading", () => {
  test("a list pages by `after`, at most a hundred", async () => {
    const seen: string[] = [];
    for (let after = ""; ;) {
      const page = await (await get(`/crm/v3/objects/companies?limit=100${after}`)).json() as Page;
      seen.push(...page.results.map(({ id }) => id));
      if (!page.paging) break;
      after = `&after=${page.paging.next.after}`;
    }
    expect(seen).toEqual(objects.map(({ id }) => id));
    expect((await get("/crm/v3/objects/companies?limit=101")).status).toBe(400);
    expect((await get("/crm/v3/objects/companies?page=2")).status).toBe(400);
  });

  test("archived objects are listed when asked for, and are 404 by id", async () => {
    expect(await (await get("/crm/v3/objects/companies?archived=true")).json()).toMatchObject({ results: [{ id: "9000", archived: true }] });
    expect((await get("/crm/v3/objects/companies/9000")).status).toBe(404);
  });

  test("associations are read in batches of at most a hundred", async () => {
    const { body } = await post("/crm/v4/associations/companies/contacts/batch/read", { inputs: [{ id: "1000" }, { id: "1001" }] });
    expect(body.results).toMatchObject([{ from: { id: "1000" }, to: [{ toObjectId: 5 }, { toObjectId: 6 }] }]);
    expect((await post("/crm/v4/associations/companies/contacts/batch/read", { inputs: Array.from({ length: 101 }, () => ({ id: "1" })) })).status).toBe(400);
  });

  test("the account says which portal it is", async () => {
    expect(await (await get("/account-info/v3/details")).json()).toMatchObject({ portalId: 62_515, uiDomain: "app.hubspot.com" });
  });

  test("no token or a wrong one is 401, a missing scope 403, an unknown type 404", async () => {
    expect((await get("/crm/v3/objects/companies", {})).status).toBe(401);
    expect(await (await get("/crm/v3/objects/companies", { authorization: "Bearer nope" })).json()).toMatchObject({ category: "INVALID_AUTHENTICATION" });
    expect(await (await get("/crm/v3/objects/deals")).json()).toMatchObject({ category: "MISSING_SCOPES" });
    expect((await get("/crm/v3/objects/unicorns")).status).toBe(404);
  });
});

describe("limits", () => {
  test("the sixth search of a second is refused without Retry-After, and a second later there is room", async () => {
    let now = Date.now();
    const limited = await startProvider({ data, now: () => now });
    const ask = () => post("/crm/v3/objects/companies/search", { limit: 1 }, limited);
    for (let count = 0; count < 5; count += 1) expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect([refused.status, refused.body, refused.headers.get("retry-after")]).toMatchObject([429, { errorType: "RATE_LIMIT", policyName: "SECONDLY" }, null]);
    expect(refused.headers.get("x-hubspot-ratelimit-remaining")).toBeNull();
    now += 1_000;
    expect((await ask()).status).toBe(200);
    await limited.close();
  });

  test("other requests count against ten seconds and say how many are left", async () => {
    const limited = await startProvider({ data, limits: { tenSeconds: 2 } });
    const ask = () => fetch(`${limited.url}/account-info/v3/details`, { headers: { authorization: "Bearer pat" } });
    expect((await ask()).headers.get("x-hubspot-ratelimit-remaining")).toBe("1");
    await ask();
    expect(await (await ask()).json()).toMatchObject({ policyName: "TEN_SECONDLY_ROLLING" });
    await limited.close();
  });
});
