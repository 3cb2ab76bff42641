import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listSchedules } from "../../../engine/store/index.ts";
import { openWorkspace, syncMain, type ReviewedWorkspace } from "../../../server/review/index.ts";
import { openStage, type PersonCaller, type Stage } from "../../support/callers.ts";

const tenant = (id: string, policy: string) => `tenant: ${id}\ntitle: ${id} Ltd\nsubdomain: ${id}\npreset: aptem\nconnections:\n  aptem: { config: { tenant_host: ${id} } }\n${policy}`;
const FILES = {
  "workspace.yaml": "name: Test\ncatalogue: builtin\nreview: other\n",
  "tenants/acme.yaml": tenant("acme", "policy:\n  tenant_admin: { frequency: write, mappings: write }   # theirs\n"),
  "tenants/bolt.yaml": tenant("bolt", ""),
};

let at: Stage;
let folder: string;
let workspace: ReviewedWorkspace;
let root: PersonCaller;
let other: PersonCaller;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-changes-"));
  await git.init({ fs, dir: folder, defaultBranch: "main" });
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
    await git.add({ fs, dir: folder, filepath: file });
  }
  await git.commit({ fs, dir: folder, message: "Begin", author: { name: "Ada", email: "ada@example.com" } });
  workspace = await openWorkspace(folder);
  at = await openStage({ workspace });
  expect(await syncMain({ db: at.rig.database.db, keyring: at.rig.keyring, workspace }, { acceptHistory: true })).toMatchObject({ status: "applied" });
  root = at.as("super_admin");
  other = await at.person("super_admin", "platform");
});
afterAll(async () => {
  await at.close();
  await rm(folder, { recursive: true, force: true });
});

const every = (value: string, id = "acme") => [{ file: `tenants/${id}.yaml`, set: [{ pointer: "/flows/learners/from/every", value }] }];
const code = (answer: { json(): { error: { code: string } } }) => answer.json().error?.code;
const begin = (who: PersonCaller, edits: unknown, url = "/api/changes") => who.call("POST", url, { title: "A change", edits, propose: true });

test("an engineer proposes for a tenant of theirs, another person approves and applies, and it is rolled back", async () => {
  const engineer = at.as("integration_engineer");
  const proposed = await begin(engineer, every("5m"));
  expect(proposed.statusCode, proposed.body).toBe(201);
  const change = proposed.json();
  expect(change).toMatchObject({ status: "proposed", own: true, tenant: "acme", approved: false, plan: { risk: "safe", unchanged: 1, tenants: [{ tenant: "acme", changes: [{ path: "flows.learners.schedule", before: { every_seconds: 3600 }, after: { every_seconds: 300 } }] }] } });
  const approve = (who: PersonCaller, hash = change.plan_hash) => who.call("POST", `/api/changes/${change.id}/approve`, { plan_hash: hash });
  expect(code(await approve(engineer))).toBe("CHANGE_OWN");
  expect(code(await approve(root, "0".repeat(32)))).toBe("CHANGE_STALE");
  expect(code(await root.call("POST", `/api/changes/${change.id}/apply`))).toBe("CHANGE_STATUS");
  expect((await approve(root)).json()).toMatchObject({ status: "approved", approved: true, decided_by: root.email, own: false });
  const applied = await root.call("POST", `/api/changes/${change.id}/apply`);
  expect(applied.json()).toMatchObject({ changed: ["acme"], change: { status: "applied", applied_by: root.email } });
  const schedule = async () => (await listSchedules(at.rig.database.db, "acme")).find(({ flow }) => flow === "learners")!.schedule;
  expect(await schedule()).toEqual({ every_seconds: 300 });
  const configuration = (await root.get("/api/configuration")).json();
  expect(configuration).toMatchObject({ revision: applied.json().revision, review: "other", drift: false, alarm: null });
  expect(configuration.revisions.slice(0, 2)).toMatchObject([{ how: "apply", by: root.email, change: change.id, changed: ["acme"] }, { how: "sync" }]);
  expect((await root.get("/api/changes/drift")).json()).toMatchObject({ tenants: [] });

  expect((await root.call("POST", `/api/changes/${change.id}/rollback`, { reason: "too often" })).json()).toMatchObject({ changed: ["acme"], unreverted: null, commit: expect.any(String) });
  expect(await schedule()).toEqual({ every_seconds: 3600 });
  expect((await engineer.get(`/api/changes/${change.id}`)).json()).toMatchObject({ status: "rolled_back", reason: "too often" });
  expect(code(await root.call("POST", `/api/changes/${change.id}/rollback`))).toBe("CHANGE_STATUS");
});

test("nobody approves their own, not even a super admin; an engineer decides only for tenants assigned to them", async () => {
  const own = (await begin(root, every("7m"))).json();
  expect(code(await root.call("POST", `/api/changes/${own.id}/approve`, { plan_hash: own.plan_hash }))).toBe("CHANGE_OWN");
  expect((await other.call("POST", `/api/changes/${own.id}/approve`, { plan_hash: own.plan_hash })).statusCode).toBe(200);
  expect((await root.call("POST", `/api/changes/${own.id}/reject`)).json()).toMatchObject({ status: "rejected" });       // taken back
  const foreign = (await begin(root, every("7m", "bolt"))).json();
  expect(code(await at.as("integration_engineer").call("POST", `/api/changes/${foreign.id}/approve`, { plan_hash: foreign.plan_hash }))).toBe("SERVER_NOT_FOUND");
  expect(code(await begin(at.as("integration_engineer"), every("7m", "bolt")))).toBe("CHANGE_NOT_ALLOWED");
  for (const url of ["/api/configuration/sync", "/api/configuration/rollback"]) expect(code(await at.as("integration_engineer").call("POST", url, {}))).toBe("CHANGE_NOT_ALLOWED");
});

test("a customer's administrator proposes what the policy opens, of their own tenant, and nothing else", async () => {
  const admin = at.as("tenant_admin");
  const allowed = await begin(admin, [{ file: "tenants/acme.yaml", set: [{ pointer: "/flows/learners", value: { from: { every: "20m" }, map: { fields: { "custom.x": "Id" } } } }] }]);
  expect(allowed.statusCode, allowed.body).toBe(201);
  for (const [what, edits] of [
    ["another override", [{ file: "tenants/acme.yaml", set: [{ pointer: "/flows/learners/enabled", value: false }] }]],
    ["their policy", [{ file: "tenants/acme.yaml", set: [{ pointer: "/policy/tenant_admin/credentials", value: "write" }] }]],
    ["the whole file, with more in it", [{ file: "tenants/acme.yaml", text: FILES["tenants/acme.yaml"].replace("preset: aptem", "preset: greenhouse") }]],
    ["their file's end", [{ file: "tenants/acme.yaml", remove: true }]],
    ["another tenant", every("5m", "bolt")],
    ["a tenant that is not there", every("5m", "nobody")],
    ["the preset of all", [{ file: "presets/aptem/preset.yaml", text: "preset: aptem\ntitle: Mine\n" }]],
    ["who approves", [{ file: "workspace.yaml", set: [{ pointer: "/review", value: "self" }] }]],
  ] as const) expect([what, code(await begin(admin, edits))]).toEqual([what, "CHANGE_NOT_ALLOWED"]);
  const bolt = at.as("tenant_admin", "bolt");
  expect(code(await begin(bolt, every("5m", "bolt")))).toBe("CHANGE_NOT_ALLOWED");                                       // no policy there
  // What touches acme alone is acme's to see; for bolt it does not exist.
  expect((await admin.get("/api/changes")).json().data.map(({ tenant: of }: { tenant: string }) => of)).toEqual(expect.arrayContaining(["acme"]));
  expect((await admin.get("/api/changes")).json().data.every(({ tenant: of }: { tenant: string }) => of === "acme")).toBe(true);
  const { id, plan_hash } = allowed.json();
  expect([(await bolt.get(`/api/changes/${id}`)).statusCode, (await bolt.call("POST", `/api/changes/${id}/reject`)).statusCode]).toEqual([404, 404]);
  expect((await admin.call("POST", `/api/changes/${id}/approve`, { plan_hash })).statusCode).toBe(403);
  expect((await admin.get("/api/configuration")).json().revisions.every(({ changed, by }: { changed: string[]; by: string }) => changed.join() === "acme" && by === "")).toBe(true);
});

test("keys propose as far as their scopes go, and never approve", async () => {
  const change = await at.bearer(at.operatorKey, "POST", "/api/changes", { title: "By a key", edits: every("9m"), propose: true });
  expect(change.statusCode, change.body).toBe(201);
  expect((await at.bearer(at.operatorKey, "POST", `/api/changes/${change.json().id}/approve`, { plan_hash: change.json().plan_hash })).statusCode).toBe(403);
  expect(code(await at.bearer(at.keys.bolt, "POST", "/api/changes", { title: "Of another", edits: every("9m") }))).toBe("CHANGE_NOT_ALLOWED");
});

test("a draft is its author's alone, keeps what was typed although it is wrong, and says all that is wrong", async () => {
  const draft = (await root.call("POST", "/api/changes", { title: "Draft", edits: every("often") })).json();
  expect(draft).toMatchObject({ status: "draft", plan: null, problems: [{ code: "MANIFEST_WRONG_VALUE", file: "tenants/acme.yaml", line: expect.any(Number) }] });
  expect((await other.get(`/api/changes/${draft.id}`)).statusCode).toBe(404);
  const refused = await root.call("POST", `/api/changes/${draft.id}/propose`);
  expect([refused.statusCode, code(refused), refused.json().error.problems.length]).toEqual([422, "CHANGE_INVALID", 1]);
  const saved = await root.call("PUT", `/api/changes/${draft.id}`, { version: draft.version, edits: every("45m") });
  expect(saved.json()).toMatchObject({ version: draft.version + 1, problems: [], plan: { tenants: [{ tenant: "acme" }] } });
  expect(code(await root.call("PUT", `/api/changes/${draft.id}`, { version: draft.version, title: "x" }))).toBe("CHANGE_STATUS");
  expect((await root.call("DELETE", `/api/changes/${draft.id}`)).statusCode).toBe(204);
  expect((await root.get(`/api/changes/${draft.id}`)).statusCode).toBe(404);
});

test.each([
  ["Git's own folder", ".git/hooks/post-commit"], ["outside", "../x.yaml"], ["an absolute path", "/etc/passwd"], ["code", "connectors/x/run.js"], ["a folder of ours", "node_modules/x.yaml"], ["a file that is read nowhere", "notes.yaml"], ["where tenants are not read", "tenants/a/b.yaml"], ["a backslash", "tenants\\x.yaml"],
])("%s cannot be written (%s)", async (_, file) => expect(code(await begin(root, [{ file, text: "x: 1\n" }]))).toBe("CHANGE_PATH"));

test("a server without a workspace shows what is in force and says how to change it", async () => {
  const bare = await openStage();
  try {
    const answer = await bare.as("super_admin").call("POST", "/api/changes", { title: "x", edits: every("5m") });
    expect([answer.statusCode, code(answer)]).toEqual([503, "CHANGE_NO_WORKSPACE"]);
    expect((await bare.as("super_admin").get("/api/configuration")).json()).toMatchObject({ revision: expect.any(String), main: null, drift: null });
  } finally {
    await bare.close();
  }
});
