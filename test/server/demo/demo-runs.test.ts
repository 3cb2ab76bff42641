/** The connectors were written from the vendors' facts, and the stand-ins too, by someone else: here they meet. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTransport } from "../../../engine/components/transport/http.ts";
import type { Token } from "../../../engine/components/kinds.ts";
import { read } from "../../../engine/manifest/read.ts";
import { resolveAll } from "../../../engine/plan/index.ts";
import { createMemoryBuckets } from "../../../engine/run/memory-buckets.ts";
import { createMemoryStore, memoryRows, type MemoryRows } from "../../../engine/run/memory-store.ts";
import type { RunResult } from "../../../engine/run/ports.ts";
import { runFlow } from "../../../engine/run/run-flow.ts";
import { startDemo, type Demo } from "../../../server/demo/index.ts";
import { startProvider } from "../../../server/demo/providers/aptem.ts";
import { makeDemoWorkspace } from "../../../server/demo/workspace.ts";
import { makeDemoWorld } from "../../../server/demo/data.ts";
import { readTrees } from "../../../server/workspace/read-tree.ts";

let folder: string;
beforeAll(async () => { folder = await mkdtemp(path.join(os.tmpdir(), "plugboard-demo-runs-")); });
afterAll(() => rm(folder, { recursive: true }));

interface Runner { run(tenant: string, flow: string): Promise<RunResult>; rows(tenant: string, flow: string): MemoryRows }

/** Runs flows of a workspace on rows in memory, which outlive the workspace's plans. */
function runner(workspaceDir: string, hosts: readonly string[], connections: Demo["connections"], kept = new Map<string, MemoryRows>()): Runner {
  const workspace = read(readTrees(workspaceDir));
  const { plans, problems } = resolveAll(workspace);
  expect([...workspace.problems, ...problems]).toEqual([]);
  const buckets = createMemoryBuckets(Date.now);
  const rows = (tenant: string, flow: string): MemoryRows => {
    const of = kept.get(`${tenant}.${flow}`) ?? memoryRows();
    kept.set(`${tenant}.${flow}`, of);
    return of;
  };
  return {
    rows,
    async run(tenant, flow) {
      const plan = plans.get(tenant)!;
      const entered = connections.find((one) => one.tenant === tenant && one.connection === plan.flows[flow]!.connection)!;
      let token: Token | undefined;
      const transport = createTransport({ allowPrivate: hosts });
      try {
        return await runFlow({ run: "run", attempt: 1, plan, flow, connection: { config: { ...entered.config, ...entered.secrets } }, signal: new AbortController().signal }, {
          store: createMemoryStore({ rows: rows(tenant, flow) }), transport, buckets, log: () => {}, progress: () => {},
          clock: { now: Date.now, sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)) },
          token: () => ({ read: async () => token, write: async (next) => { token = next; }, clear: async () => { token = undefined; } }),
        });
      } finally {
        await transport.close();
      }
    },
  };
}

const hostsOf = (demo: Demo): string[] => Object.values(demo.providers).map(({ url }) => new URL(url).host);
// Not how often something was asked again: on a busy machine, requests that left in time arrive together, and a stand-in's limit refuses one.
const summary = ({ status, mode, counters: { read: seen, created, updated, filtered }, error }: RunResult) => ({ status, mode, read: seen, created, updated, filtered, error });

describe("the demo", () => {
  const kept = new Map<string, MemoryRows>();
  const expected: Record<string, [first: [read: number, created: number, filtered: number], second: [read: number, created: number, updated: number]]> = {
    "acme.learners": [[1_200, 1_140, 60], [13, 1, 12]],
    "acme.employers": [[600, 600, 0], [7, 2, 5]],
    "acme.aptem_employers": [[80, 80, 0], [1, 0, 1]],
    "acme.contacts": [[180, 180, 0], [8, 0, 8]],
    "acme.wix_contacts": [[170, 170, 0], [3, 0, 3]],
    "brightpath.learners": [[300, 285, 15], [4, 0, 4]],
    "brightpath.employers": [[25, 25, 0], [1, 0, 1]],
    "northwind.jobs": [[40, 38, 2], [1, 0, 1]],
    "northwind.candidates": [[300, 300, 0], [3, 3, 0]],
    "northwind.applications": [[300, 300, 0], [13, 3, 10]],
  };

  test("reads everything once on its first start", async () => {
    const demo = await startDemo({ folder, log: () => {} });
    const { run } = runner(demo.workspaceDir, hostsOf(demo), demo.connections, kept);
    expect(demo.flows.map(({ tenant, flow }) => `${tenant}.${flow}`)).toEqual(Object.keys(expected));
    for (const { tenant, flow } of demo.flows) {
      const [[seen, created, filtered]] = expected[`${tenant}.${flow}`]!;
      expect({ flow, ...summary(await run(tenant, flow)) }).toEqual({ flow, status: "succeeded", mode: "full", read: seen, created, updated: 0, filtered, error: undefined });
    }
    expect(demo.providers.aptem.requests.byStatus).toEqual({ 200: demo.providers.aptem.requests.total });
    await demo.close();
  });

  // Providers date their answers by the second: nothing that happened within one can be told from what was read in it.
  const aMomentLater = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 2_100); });

  test("reads only what changed on its second start", async () => {
    await aMomentLater();
    const demo = await startDemo({ folder, log: () => {} });
    const { run } = runner(demo.workspaceDir, hostsOf(demo), demo.connections, kept);
    for (const { tenant, flow } of demo.flows) {
      const [, [seen, created, updated]] = expected[`${tenant}.${flow}`]!;
      expect({ flow, ...summary(await run(tenant, flow)) }).toEqual({ flow, status: "succeeded", mode: "incremental", read: seen, created, updated, filtered: 0, error: undefined });
    }
    await demo.close();
  });

  test("stores a tenant's own column, and what the provider holds", async () => {
    await aMomentLater();
    const demo = await startDemo({ folder, log: () => {} });
    const { run, rows } = runner(demo.workspaceDir, hostsOf(demo), demo.connections, kept);
    await run("acme", "learners");
    const learners = demo.world.aptem.tenants.acme!.sets.Users!.rows.filter((row) => row.UserProgram_Status);
    expect(Object.fromEntries([...rows("acme", "learners").rows.values()].map(({ key, data }) => [key, [data.full_name, data.progress, (data.custom as { division?: string } | undefined)?.division ?? null]])))
      .toEqual(Object.fromEntries(learners.map((row) => [String(row.Id), [row.FullName, row.UserLearningPlanSummary_LearningPlanProgress, row.UserCustom_Division]])));
    await demo.close();
  });
});

// With $skip over the order of UpdatedDate, the learner after the page's end moved up one place and was never read.
test("a learner who changes while Aptem is read costs no other learner", async () => {
  const world = makeDemoWorld({ seed: 1, begun_at: new Date().toISOString(), advanced_at: [] });
  const users = world.aptem.tenants.acme!.sets.Users!;
  const provider = await startProvider({
    data: world.aptem,
    faults(_, nth) {
      const first = users.rows.toSorted((a, b) => Date.parse(String(a.UpdatedDate)) - Date.parse(String(b.UpdatedDate)))[0];
      if (nth === 2) users.rows = users.rows.map((row) => row === first ? { ...row, UpdatedDate: new Date().toISOString() } : row);
      return undefined;
    },
  });
  const workspaceDir = path.join(folder, "moving");
  await makeDemoWorkspace(workspaceDir, { aptem: provider.url, hubspot: provider.url, greenhouse: provider.url, wix: provider.url });
  const { run, rows } = runner(workspaceDir, [new URL(provider.url).host], [{ tenant: "acme", connection: "aptem", config: { tenant_host: "acme" }, secrets: { api_token: "demo-aptem-acme" } }]);
  expect((await run("acme", "learners")).status).toBe("succeeded");
  await provider.close();
  expect(rows("acme", "learners").rows.size).toBe(1_140);
});
