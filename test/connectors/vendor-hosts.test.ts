/**
 * The shipped manifests through the real transport to their vendors' own host names, which nock answers: what a recorded
 * exchange cannot show, because it replaces the transport. Everything else that is tried is refused.
 */
import nock from "nock";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createTransport } from "../../engine/components/transport/http.ts";
import { read } from "../../engine/manifest/index.ts";
import { resolvePlan } from "../../engine/plan/index.ts";
import { createMemoryBuckets } from "../../engine/run/memory-buckets.ts";
import { createMemoryStore, memoryRows } from "../../engine/run/memory-store.ts";
import { createMemoryTokens } from "../../engine/run/memory-tokens.ts";
import { runFlow } from "../../engine/run/run-flow.ts";
import { systemClock } from "../../engine/run/system-clock.ts";
import { PRODUCT_ROOT, readTree } from "../../server/workspace/read-tree.ts";
import type { JsonObject } from "../../engine/manifest/index.ts";

beforeAll(() => { nock.disableNetConnect(); });
afterEach(() => { nock.cleanAll(); });
afterAll(() => { nock.enableNetConnect(); nock.restore(); });

async function runOf(preset: string, flow: string, config: JsonObject) {
  const tree = readTree(PRODUCT_ROOT, "catalogue");
  const workspace = read([tree, { layer: "workspace", label: "", files: new Map([["tenants/acme.yaml", `tenant: acme\ntitle: Acme\nsubdomain: acme\npreset: ${preset}\n`]]) }]);
  const { plan } = resolvePlan(workspace, "acme");
  const transport = createTransport();
  const rows = memoryRows();
  const tokens = createMemoryTokens();
  const result = await runFlow({ run: "r1", attempt: 1, plan, flow, connection: { config }, signal: AbortSignal.timeout(20_000) },
    { store: createMemoryStore({ rows }), transport, buckets: createMemoryBuckets(Date.now), clock: systemClock, token: tokens, log: () => undefined, progress: () => undefined });
  await transport.close();
  return { result, rows: [...rows.rows.values()].map(({ key, data }) => ({ key, ...data })) };
}

test("HubSpot is asked with the bearer token, by key, for the fields that the mapping reads", async () => {
  const asked: { properties: string[]; filterGroups: { filters: { propertyName: string; value?: string }[] }[] }[] = [];
  const search = nock("https://api.hubapi.com", { reqheaders: { authorization: "Bearer pat-secret" } })
    .post("/crm/v3/objects/companies/search", (body) => { asked.push(body as (typeof asked)[number]); return true; }).times(2)
    .reply(200, () => ({ results: asked.length === 1 ? [{ id: "7", properties: { name: "Acme", domain: "ACME.example", numberofemployees: "12" }, updatedAt: "2026-02-01T10:00:00.000Z" }] : [] }));
  const { result, rows } = await runOf("aptem-hubspot", "employers", { access_token: "pat-secret" });
  expect(result.error).toBeUndefined();
  expect(rows).toEqual([{ key: "7", name: "Acme", domain: "acme.example", country: "GB", size: "sme" }]);
  expect(asked[0]!.properties).toEqual(["city", "company_number", "domain", "name", "numberofemployees", "phone"]);
  expect(asked.map(({ filterGroups }) => filterGroups[0]!.filters.find(({ propertyName }) => propertyName === "hs_object_id")!.value)).toEqual(["0", "7"]);
  expect(search.isDone()).toBe(true);
});

test("a redirect to another host gets neither the token nor an answer", async () => {
  nock("https://api.hubapi.com").post("/crm/v3/objects/companies/search").reply(307, "", { location: "https://evil.example/steal" });
  const thief = nock("https://evil.example").post("/steal").reply(200, { results: [] });
  const { result } = await runOf("aptem-hubspot", "employers", { access_token: "pat-secret" });
  expect(result.error?.code).toBe("RUN_REDIRECT");
  expect(JSON.stringify(result)).not.toContain("pat-secret");
  expect(thief.isDone()).toBe(false);
});
