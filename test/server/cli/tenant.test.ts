/** `plugboard tenant …` as it is typed, in a workspace that is a Git repository, on a database of its own. */
import { existsSync } from "node:fs";
import fs from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateKey } from "../../../engine/store/index.ts";
import { startCommand, type Finished } from "../../support/command.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
let folder: string;
const kek = generateKey();
beforeAll(async () => {
  at = await testDatabase();
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-tenant-"));
  await writeFile(path.join(folder, "workspace.yaml"), "name: Test\ncatalogue: builtin\nreview: self\n");
  await git.init({ fs, dir: folder, defaultBranch: "main" });
  await git.add({ fs, dir: folder, filepath: "workspace.yaml" });
  await git.commit({ fs, dir: folder, message: "begin", author: { name: "test", email: "test@example.com" } });
});
afterAll(async () => {
  await at.close();
  await rm(folder, { recursive: true, force: true });
});

const plugboard = (...args: string[]): Promise<Finished> => startCommand(["tenant", ...args, "--data", path.join(folder, ".data")], { cwd: folder, env: { DATABASE_URL: at.url, PLUGBOARD_KEK: kek } }).ended;
const json = ({ stdout, stderr }: Finished): any => { if (stdout === "") throw new Error(stderr); return JSON.parse(stdout.trim().split("\n").at(-1)!); };

test("from nothing to an organisation, suspended, resumed, exported and erased, as it is typed", async () => {
  const wrong = await plugboard("create", "Acme", "--subdomain", "admin", "--preset", "aptem-hubspt");
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/subdomain {2}TENANT_RESERVED[^]*preset {2}MANIFEST_UNKNOWN_REFERENCE[^]*did you mean 'aptem-hubspot'[^]*TENANT_INVALID/)]);
  const dry = await plugboard("create", "Acme Training Ltd", "--subdomain", "acme", "--preset", "aptem-hubspot", "--limit", "learners=500", "--dry-run");
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining("tenants/acme-training-ltd.yaml\n")]);
  expect(existsSync(path.join(folder, "tenants"))).toBe(false);

  const made = await plugboard("create", "Acme Training Ltd", "--id", "acme", "--subdomain", "acme", "--preset", "aptem-hubspot", "--limit", "learners=500", "--billing-email", "b@acme.example", "--admin", "anna@acme.example", "--json");
  expect([made.code, json(made)]).toEqual([0, { created: true, tenant: expect.objectContaining({ slug: "acme", status: "active" }), invitation: expect.objectContaining({ email: "anna@acme.example", path: expect.stringContaining("/invitation#") }) }]);
  expect(await readFile(path.join(folder, "tenants/acme.yaml"), "utf8")).toContain("learners: 500");

  const suspended = await plugboard("suspend", "acme", "--reason", "not paid");
  expect([suspended.code, suspended.stdout]).toEqual([0, expect.stringContaining("plugboard tenant resume acme")]);
  const list = json(await plugboard("list", "--json")).tenants;
  expect(list.map(({ slug, kind, status }: any) => [slug, kind, status])).toEqual([["acme", "customer", "suspended"], ["platform", "platform", "active"]]);
  expect((await plugboard("resume", "acme")).code).toBe(0);
  expect((await plugboard("flows", "acme")).stdout).toMatch(/^learners +aptem\.users → learner, every hour +never yet$/m);

  const out = path.join(folder, "acme.ndjson");
  expect((await plugboard("export", "acme", "--out", out)).code).toBe(0);
  expect(JSON.parse((await readFile(out, "utf8")).trimEnd().split("\n").at(-1)!)).toMatchObject({ end: true });

  const asked = json(await plugboard("erase", "acme", "--json"));
  expect(asked.counts).toMatchObject({ tenant_profiles: 1, invitations: 1 });
  expect((await plugboard("erase", "acme", "--confirm", "wrong")).stderr).toContain("TENANT_CONFIRMATION");
  const erased = json(await plugboard("erase", "acme", "--confirm", asked.token, "--json"));
  expect(erased).toMatchObject({ tenant: "acme", file: "tenants/acme.yaml", keys: "destroyed" });
  expect(existsSync(path.join(folder, "tenants/acme.yaml"))).toBe(false);
  expect((await plugboard("export", "acme")).stderr).toContain("PLAN_UNKNOWN_TENANT");
}, 180_000);
