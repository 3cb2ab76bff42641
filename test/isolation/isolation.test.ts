/** A seeded share of `npm run isolation`. The mutants stand for themselves: a rig that lets them through proves nothing. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { probeBehind } from "./behind.ts";
import { searchCanaries } from "./canary.ts";
import { runMutant } from "./mutants.ts";
import { probeRoutes, signatureOf } from "./probes.ts";
import { rotateUnderLoad } from "./rotation.ts";
import { A, B, openWorld, type World } from "./world.ts";

const SEED = 20261121;

let world: World;
beforeAll(async () => { world = await openWorld(); }, 60_000);
afterAll(() => world.close());

test("every table of a tenant was filled, so that a leak from any of them would show", () => {
  expect([...world.filled[B].left.keys()].sort()).toEqual(["configuration", "tenant_keys", "tenant_revisions"]);
  expect(world.filled[B].rows.size).toBeGreaterThan(35);
  expect(world.filled[B].canaries).toBeGreaterThan(500);
});

test("no caller of one tenant reads or changes anything of another, whatever stands in the request; every cell of the matrix holds", async () => {
  const { leaks, broken, probes, reached, cells } = await probeRoutes(world, { seed: SEED, share: 0.02, keys: 0.02 });
  expect(leaks).toEqual([]);
  expect(broken).toEqual([]);
  expect(probes).toBeGreaterThan(500);
  expect(reached).toBeGreaterThan(100);
  expect(cells.let_in).toBeGreaterThan(400);
  expect(cells.refused).toBeGreaterThan(1000);
  expect(world.tap.counted.onTenants).toBeGreaterThan(500);
}, 180_000);

test("behind HTTP, too: statements as another tenant, jobs with another tenant's run, ciphertexts that were moved", async () => {
  const { leaks, probes } = await probeBehind(world);
  expect(leaks).toEqual([]);
  expect(probes.sql).toBeGreaterThan(300);
  expect(probes.ciphertexts).toBeGreaterThan(200);
}, 60_000);

test("B's webhook takes what is signed with B's secret, so that refusing A's means something", async () => {
  const body = { event_id: "e1", type: "changed", person: { id: 1, name: "x" } };
  const send = (tenant: typeof A | typeof B) => world.server.inject({ method: "POST", url: `/webhooks/crm/${world.known[B].names["token"]![0]}`, headers: { "content-type": "application/json", "x-crm-signature": signatureOf(tenant, body) }, payload: JSON.stringify(body) });
  expect([(await send(B)).statusCode, (await send(A)).statusCode]).toEqual([200, 401]);
});

test("a product whose query is not asked for one tenant, or whose view forgets who reads it, is caught", async () => {
  for (const mutant of ["no-tenant-filter", "no-security-invoker"]) expect({ mutant, ...await runMutant(mutant, SEED, world) }).toMatchObject({ mutant, caught: true });
}, 60_000);

test("a secret that went through every door stands in no log, answer, row, Git object or file", async () => {
  const { hits, closed, doors } = await searchCanaries({ commandLine: false });
  expect(closed).toEqual([]);
  expect(hits).toEqual([]);
  expect(doors.length).toBeGreaterThan(20);
}, 90_000);

test("credentials are sealed again under load without one failed read", async () => {
  const report = await rotateUnderLoad({ secrets: 800 });
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ remaining: 0, verified: 800, destroyed: 4, rewrapped: 4 });
  expect(report.reads).toBeGreaterThan(800);
}, 60_000);
