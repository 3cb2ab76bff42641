import { expect, test } from "vitest";
import type { TenantChange } from "../../../../engine/plan/index.ts";
import { pullRequestBody } from "../../../../server/review/forge/body.ts";
import type { ChangePlan } from "../../../../server/review/plan.ts";

const tenant = (number: number): TenantChange => ({
  tenant: `tenant-${number}`, title: `Tenant ${number}`, change: "changed", risk: "safe",
  changes: [{ kind: "schedule", path: `flows.learners-${number}.schedule`, change: "changed", before: { every_seconds: 900 }, after: { every_seconds: 300 + number }, risk: "safe" }],
} as unknown as TenantChange);
const plan = (tenants: number): ChangePlan => ({ hash: "c0ffee", risk: "safe", tenants: Array.from({ length: tenants }, (_, number) => tenant(number)), unchanged: 2, settings: [], files: [], warnings: [] });
const change = { id: "0199f6a2-7b1e-7c1d-9d55-0f2f6f1c3a10", description: "", author: { name: "ada@example.com" } };

test("it says why, what, and where the rest is", () => {
  const body = pullRequestBody({ change: { ...change, description: "They asked for it.\nTwice." }, plan: plan(1), page: "https://plugboard.example.com/changes/1" });
  expect(body).toContain("> They asked for it.\n> Twice.\n\n## Plan: 1 of 3 tenants changes, safe");
  expect(body).toContain("every 15m → every 5m");
  expect(body).toContain("[Plugboard](https://plugboard.example.com/changes/1)");
});

test("a plan larger than a pull request takes is cut between two lines, and says how to see all of it", () => {
  const body = pullRequestBody({ change, plan: plan(2000) });
  expect(body.length).toBeLessThanOrEqual(65_536);
  expect(body.length).toBeGreaterThan(65_000);
  expect(body).toMatch(/… and [\d,]+ more lines, more than fit here. All of it: `plugboard changes show 0199f6a2-\S+ --markdown`/);
  const rows = body.split("\n").filter((line) => line.startsWith("| ~"));
  expect(rows.every((row) => row.split(" | ").length === 5)).toBe(true);
});

test("nobody is called, and nothing is linked, by what somebody wrote", () => {
  const body = pullRequestBody({ change: { ...change, description: "@everyone see [this](https://evil.example) <img src=x> #1" }, plan: plan(1) });
  expect(body).not.toMatch(/(^|\s)@everyone/m);
  expect(body).toContain("\\[this\\](https://evil.example) \\<img src=x\\> \\#1");
});

test("reasons and samples of records stay here; how many there are is told", () => {
  const flow = { tenant: "acme", flow: "learners", stream: "aptem.users", entity: "learner", looked_at: 200, newly_invalid: 2, newly_filtered: 0, newly_valid: 0, newly_kept: 0, changed: 180, fields: { name: 180 }, reasons: [{ reason: "'jane@example.com' is no date", records: 2 }], samples: [] };
  const body = pullRequestBody({ change, plan: plan(1), data: { flows: [flow], left_out: 0, records_each: 200 } });
  expect(body).toContain("200 records looked at: 2 newly refused, 180 change");
  expect(body).not.toContain("jane");
});
