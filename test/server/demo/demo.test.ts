import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import fs from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { makeDemoWorld, type DemoHistory } from "../../../server/demo/data.ts";
import { startDemo } from "../../../server/demo/index.ts";
import { demoCredentials } from "../../../server/demo/workspace.ts";

const history: DemoHistory = { seed: 7, begun_at: "2026-11-01T12:00:00.000Z", advanced_at: [] };
let folder: string;
beforeEach(async () => { folder = await mkdtemp(path.join(os.tmpdir(), "plugboard-demo-")); });
afterEach(() => rm(folder, { recursive: true }));
const start = (now?: () => number) => startDemo({ folder, log: () => {}, ...(now ? { now } : {}) });
const commits = async () => (await git.log({ fs, dir: path.join(folder, "workspace") })).map(({ commit }) => commit.message.trim());

test("the same history gives the same world, another seed another one", () => {
  expect(makeDemoWorld(history)).toEqual(makeDemoWorld(history));
  expect(makeDemoWorld({ ...history, seed: 8 })).not.toEqual(makeDemoWorld(history));
});

test("the world has the sizes that the workspace's README names", () => {
  const world = makeDemoWorld(history);
  const { acme, brightpath } = world.aptem.tenants;
  expect([acme!.sets.Users!.rows.length, acme!.sets.Organizations!.rows.length, brightpath!.sets.Users!.rows.length, brightpath!.sets.Organizations!.rows.length]).toEqual([1_200, 80, 300, 25]);
  expect([world.hubspot.types.companies!.objects.length, world.hubspot.types.contacts!.objects.length]).toEqual([600, 180]);
  expect(["jobs", "candidates", "applications"].map((name) => world.greenhouse.resources[name]!.records.length)).toEqual([40, 300, 300]);
  expect(world.wix.contacts.length).toBe(170);
});

test("keys are unique, and everything was written at least a day before the first start", () => {
  const world = makeDemoWorld(history);
  const before = Date.parse(history.begun_at) - 86_400_000;
  const lists: { id: unknown; at: unknown }[][] = [
    ...Object.values(world.aptem.tenants).flatMap(({ sets }) => Object.values(sets).map(({ rows }) => rows.map((row) => ({ id: row.Id, at: row.UpdatedDate })))),
    ...Object.values(world.hubspot.types).map(({ objects }) => objects.map((object) => ({ id: object.id, at: object.updatedAt }))),
    ...Object.values(world.greenhouse.resources).map(({ records }) => records.map((record) => ({ id: record.id, at: record.updated_at }))),
  ];
  for (const list of lists) {
    expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
    for (const { at } of list) expect(Date.parse(String(at))).toBeLessThanOrEqual(before);
  }
});

test("employers of Aptem and HubSpot can be joined by number or domain, and no two of one provider are the same", () => {
  const world = makeDemoWorld(history);
  const aptem = world.aptem.tenants.acme!.sets.Organizations!.rows.map((row) => ({ number: row.CompanyNumber, domain: String(row.Website ?? "").replace(/^https?:\/\/(www\.)?/, "").replace(/\/.*$/, "") || null }));
  const hubspot = world.hubspot.types.companies!.objects.map(({ properties }) => ({ number: properties.company_number, domain: properties.domain?.toLowerCase() }));
  for (const list of [aptem, hubspot]) for (const field of ["number", "domain"] as const) {
    const known = list.map((one) => one[field]).filter(Boolean);
    expect(new Set(known).size).toBe(known.length);
  }
  const joined = aptem.filter((one) => hubspot.some((other) => (one.number && one.number === other.number) || (one.domain && one.domain === other.domain)));
  expect(joined.length).toBe(56);
});

test("an advance changes a few records, each written one minute before it", () => {
  const at = "2026-11-03T08:00:00.000Z";
  const [before, after] = [makeDemoWorld(history), makeDemoWorld({ ...history, advanced_at: [at] })];
  const written = Date.parse(at) - 60_000;
  const changed = <T>(old: readonly T[], now: readonly T[], id: (of: T) => unknown, time: (of: T) => unknown) => {
    const known = new Map(old.map((one) => [id(one), JSON.stringify(one)]));
    const different = now.filter((one) => known.get(id(one)) !== JSON.stringify(one));
    for (const one of different) expect(Math.floor(Date.parse(String(time(one))) / 1_000)).toBe(written / 1_000);
    return [different.filter((one) => known.has(id(one))).length, different.filter((one) => !known.has(id(one))).length];
  };
  const [users, organizations] = ["Users", "Organizations"].map((set) => changed(before.aptem.tenants.acme!.sets[set]!.rows, after.aptem.tenants.acme!.sets[set]!.rows, (row) => row.Id, (row) => row.UpdatedDate));
  expect([users, organizations]).toEqual([[12, 1], [1, 0]]);
  const companies = [before, after].map((world) => world.hubspot.types.companies!.objects);
  expect(changed(companies[0]!, companies[1]!, ({ id }) => id, ({ updatedAt }) => updatedAt)).toEqual([6, 2]);
  expect(companies[1]!.filter(({ archived }) => archived).length).toBe(1);
  const greenhouse = (name: string) => changed(before.greenhouse.resources[name]!.records, after.greenhouse.resources[name]!.records, ({ id }) => id, (record) => record.updated_at);
  expect(["jobs", "candidates", "applications"].map(greenhouse)).toEqual([[1, 0], [0, 3], [10, 3]]);
});

test("the first start commits a workspace that points at the stand-ins, and lists their addresses as allowed", async () => {
  const demo = await start();
  const read = async (file: string) => parse(await readFile(path.join(demo.workspaceDir, file), "utf8")) as Record<string, never>;
  const { aptem, hubspot, greenhouse, wix } = demo.providers;
  expect(await read("workspace.yaml")).toMatchObject({ catalogue: "builtin", review: "self", egress: { allow_private: [aptem, hubspot, greenhouse, wix].map(({ url }) => new URL(url).host) } });
  expect(await read("connectors/aptem/connector.yaml")).toMatchObject({ connector: "aptem", http: { base_url: `${aptem.url}/{{config.tenant_host}}/odata/{{config.odata_version}}`, hosts: ["127.0.0.1"] } });
  expect(await read("connectors/greenhouse/connector.yaml")).toMatchObject({ http: { auth: { token_url: `${greenhouse.url}/token` } } });
  expect(await read("tenants/acme.yaml")).toMatchObject({ preset: "aptem-hubspot", flows: { learners: { from: { every: "15m" }, map: { fields: { "custom.division": "UserCustom_Division" } } } } });
  expect(await commits()).toEqual(["Start the demo workspace: three customers, four providers"]);
  expect(await git.statusMatrix({ fs, dir: demo.workspaceDir })).toSatisfy((rows: [string, number, number, number][]) => rows.every(([, head, work, stage]) => head === 1 && work === 1 && stage === 1));
  await demo.close();
});

test("the credentials open the stand-ins", async () => {
  const demo = await start();
  for (const { config, secrets } of demo.connections.filter(({ connection }) => connection === "aptem")) {
    const response = await fetch(`${demo.providers.aptem.url}/${String(config.tenant_host)}/odata/1.0/Users?$top=1`, { headers: { "x-api-token": secrets.api_token! } });
    expect(response.status).toBe(200);
  }
  const hubspot = demo.connections.find(({ connection }) => connection === "hubspot")!;
  expect((await fetch(`${demo.providers.hubspot.url}/account-info/v3/details`, { headers: { authorization: `Bearer ${hubspot.secrets.access_token}` } })).status).toBe(200);
  const wix = demo.connections.find(({ connection }) => connection === "wix")!;
  expect((await fetch(`${demo.providers.wix.url}/site-properties/v4/properties`, { headers: { authorization: wix.secrets.api_key!, "wix-site-id": String(wix.config.site_id) } })).status).toBe(200);
  const { config, secrets } = demo.connections.find(({ connection }) => connection === "greenhouse")!;
  const token = await fetch(`${demo.providers.greenhouse.url}/token`, {
    method: "POST", headers: { authorization: `Basic ${btoa(`${String(config.client_id)}:${secrets.client_secret}`)}`, "content-type": "application/x-www-form-urlencoded" }, body: `grant_type=client_credentials&sub=${String(config.user_id)}`,
  });
  expect(token.status).toBe(200);
  expect(demo.connections).toEqual(demoCredentials());
  await demo.close();
});

test("a second start has the same ports, goes on by one advance and commits nothing", async () => {
  const first = await start();
  const ports = Object.values(first.providers).map(({ port }) => port);
  await first.close();
  const second = await start();
  expect([first.advances, second.advances, Object.values(second.providers).map(({ port }) => port)]).toEqual([0, 1, ports]);
  expect((await commits()).length).toBe(1);
  await second.close();
});

test("when a port was taken meanwhile, the workspace follows and keeps what a person changed in it", async () => {
  const first = await start();
  const { port } = first.providers.hubspot;
  await first.close();
  const squatter = createServer().listen(port, "127.0.0.1");
  const tenant = path.join(folder, "workspace/tenants/acme.yaml");
  const connector = path.join(folder, "workspace/connectors/hubspot/connector.yaml");
  await writeFile(tenant, (await readFile(tenant, "utf8")).replace("15m", "5m"));
  await writeFile(connector, `${await readFile(connector, "utf8")}  limits: { search: { max: 4 } }\n`);
  const second = await start();
  expect(second.providers.hubspot.port).not.toBe(port);
  expect(await readFile(connector, "utf8")).toMatch(new RegExp(`base_url: ${second.providers.hubspot.url}\n.*authorize_url: "${second.providers.hubspot.url}/oauth/authorize".*limits: { search`, "s"));
  expect(await readFile(tenant, "utf8")).toContain("every: 5m");
  expect(await readFile(path.join(second.workspaceDir, "workspace.yaml"), "utf8")).toContain(new URL(second.providers.hubspot.url).host);
  expect((await commits())[0]).toContain("new ports");
  await second.close();
  squatter.close();
});

test("a connector that a person pointed elsewhere is left alone, and the log says so", async () => {
  await (await start()).close();
  const connector = path.join(folder, "workspace/connectors/hubspot/connector.yaml");
  const mine = "connector: hubspot\nhttp: { base_url: https://api.hubapi.com }\n";
  await writeFile(connector, mine);
  const lines: string[] = [];
  const demo = await startDemo({ folder, log: (line) => lines.push(line) });
  expect(await readFile(connector, "utf8")).toBe(mine);
  expect(lines).toEqual([expect.stringContaining("connectors/hubspot/connector.yaml")]);
  await demo.close();
});

test("a memory that cannot be read begins the demo anew instead of stopping it", async () => {
  await writeFile(path.join(folder, "demo.json"), "{ broken");
  const demo = await start();
  expect(demo.advances).toBe(0);
  await demo.close();
});
