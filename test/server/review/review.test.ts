import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { currentRevision, getChange, listApplications, listAudit, listSchedules, PLATFORM, readConfiguration, readPlan, type Actor } from "../../../engine/store/index.ts";
import { makeDemoWorkspace } from "../../../server/demo/workspace.ts";
import { applyChange, approve, commitDirect, createDraft, driftOf, openWorkspace, propose, proposeChange, reject, rollBack, saveDraft, syncMain, type FileEdit, type Review } from "../../../server/review/index.ts";
import { keyring } from "../../engine/store/rig.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

const person = (name: string): Actor => ({ kind: "user", id: name, name: `${name}@example.com` });
const [ada, ben] = [person("ada"), person("ben")];
const every = (value: string, tenant = "acme", flow = "learners"): FileEdit => ({ file: `tenants/${tenant}.yaml`, set: [{ pointer: `/flows/${flow}/from/every`, value }] });

let database: TestDatabase;
let folder: string;
let review: Review;
beforeEach(async () => {
  database = await testDatabase();
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-review-"));
  await makeDemoWorkspace(folder, { aptem: "http://127.0.0.1:1001", hubspot: "http://127.0.0.1:1002", greenhouse: "http://127.0.0.1:1003", wix: "http://127.0.0.1:1004" });
  review = { db: database.db, keyring: await keyring(), workspace: await openWorkspace(folder) };
  await commitDirect(review.workspace.repository, { files: [{ file: "workspace.yaml", set: [{ pointer: "/review", value: "other" }] }], message: "Another person approves", author: { name: "Ada", email: "ada@example.com" } });
  await syncMain(review);
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Only to look: the product itself never calls it. */
const hasGit = (() => { try { execFileSync("git", ["--version"]); return true; } catch { return false; } })();
const git = (...words: string[]) => execFileSync("git", ["-c", "core.fsmonitor=false", ...words], { cwd: folder, encoding: "utf8" });
const scheduleOf = async (flow = "learners", tenant = "acme") => (await listSchedules(database.db, tenant)).find((each) => each.flow === flow)?.schedule;
const tree = () => readFile(path.join(folder, "tenants/acme.yaml"), "utf8");
const approved = async (edits: readonly FileEdit[], title = "Sync Acme's learners more often") => {
  const change = await proposeChange(review, { author: ada, title, edits });
  return approve(review, change.id, ben, change.plan_hash!);
};

test("a change of one interval: its plan names one tenant and one schedule, it is approved by another person, applied, and rolled back", async () => {
  const before = await readConfiguration(database.db);
  const untouched = await currentRevision(database.db, "brightpath");
  const change = await proposeChange(review, { author: ada, title: "Sync Acme's learners more often", description: "They asked for it.", edits: [every("5m")] });
  expect(change).toMatchObject({ status: "proposed", tenant: "acme", branch: expect.stringMatching(/^studio\/ada\/sync-acme-s-learners-more-often-/) });
  expect(change.plan).toMatchObject({
    risk: "safe", unchanged: 2, files: [{ file: "tenants/acme.yaml", change: "changed" }],
    tenants: [{ tenant: "acme", change: "changed", changes: [{ kind: "schedule", path: "flows.learners.schedule", before: { every_seconds: 900 }, after: { every_seconds: 300 }, to: { file: "tenants/acme.yaml", line: 12 } }] }],
  });
  expect(await scheduleOf()).toEqual({ every_seconds: 900 });               // nothing is in force before it is applied

  await expect(approve(review, change.id, ada, change.plan_hash!)).rejects.toMatchObject({ code: "CHANGE_OWN" });
  await expect(applyChange(review, change.id, ben)).rejects.toMatchObject({ code: "CHANGE_STATUS" });
  await approve(review, change.id, ben, change.plan_hash!);
  const applied = await applyChange(review, change.id, ben);
  expect(applied).toMatchObject({ changed: ["acme"], commit: change.commit, change: { status: "applied", before: before.revision, approved_hash: change.plan_hash } });
  expect(await scheduleOf()).toEqual({ every_seconds: 300 });
  expect([await currentRevision(database.db, "acme"), await currentRevision(database.db, "brightpath")]).toEqual([applied.revision, untouched]);
  expect(await tree()).toContain("from: { every: 5m }                    # the preset says hourly");
  if (hasGit) {
    expect(git("show", "--format=%an <%ae>%n%s%n%b", "HEAD")).toMatch(/^ada@example\.com <ada@example\.com>\nSync Acme's learners more often\nThey asked for it\./);
    expect(git("show", "--numstat", "--format=", "HEAD").trim()).toBe("1\t1\ttenants/acme.yaml");
    expect(git("status", "--porcelain")).toBe("");
    expect(git("branch", "--list", "studio/*")).toBe("");
    expect(git("fsck", "--strict")).toBe("");
  }

  const back = await rollBack(review, ben, { reason: "too often for them" });
  expect(back).toMatchObject({ revision: before.revision, changed: ["acme"], commit: expect.any(String) });
  expect(await scheduleOf()).toEqual({ every_seconds: 900 });
  expect(await getChange(database.db, change.id)).toMatchObject({ status: "rolled_back", reason: "too often for them" });
  expect(await tree()).toContain("{ every: 15m }");
  expect((await driftOf(review)).tenants).toEqual([]);
  expect(await syncMain(review)).toMatchObject({ status: "current" });     // the revert is not taken for somebody's commit
  expect((await listApplications(database.db, 3)).map(({ how }) => how)).toEqual(["rollback", "apply", "sync"]);
  expect((await listAudit(database.db, PLATFORM, { subject: change.id, limit: 10 })).map(({ action, actor }) => [action, actor.name])).toEqual([
    ["change.rolled_back", "ben@example.com"], ["change.applied", "ben@example.com"], ["change.approved", "ben@example.com"], ["change.proposed", "ada@example.com"], ["change.drafted", "ada@example.com"],
  ]);
});

test("forth and back again, each revision is its own commit's, and each customer's log says when theirs changed", async () => {
  await applyChange(review, (await approved([every("5m")])).id, ben);
  const five = (await readConfiguration(database.db)).revision!;
  const tree5 = await tree();
  const before = await rollBack(review, ben);
  expect(await rollBack(review, ben, { revision: five.slice(0, 10) })).toMatchObject({ revision: five, changed: ["acme"] });
  expect([await tree(), await scheduleOf()]).toEqual([tree5, { every_seconds: 300 }]);
  expect(await rollBack(review, ben)).toMatchObject({ revision: before.revision });
  expect([await scheduleOf(), (await driftOf(review)).tenants, (await review.workspace.main()).commit]).toEqual([{ every_seconds: 900 }, [], (await readConfiguration(database.db)).commit]);
  expect((await listAudit(database.db, "acme", { action: "configuration.changed", limit: 10 })).map(({ actor }) => actor.name)).toEqual([...Array.from({ length: 4 }, () => "ben@example.com"), "git"]);
  expect(await listAudit(database.db, "northwind", { action: "configuration.changed", limit: 10 })).toHaveLength(1);
  await expect(rollBack(review, ben, { revision: "0123456789" })).rejects.toMatchObject({ code: "CHANGE_REVISION" });
  await expect(rollBack(review, ben, { revision: before.revision })).rejects.toMatchObject({ code: "CHANGE_REVISION" });
});

test("a rollback that cannot revert main, because somebody works there, holds all the same, with an alarm, also over a start", async () => {
  await applyChange(review, (await approved([every("5m")])).id, ben);
  await writeFile(path.join(folder, "tenants/acme.yaml"), `${await tree()}# mine\n`);
  expect(await rollBack(review, ben)).toMatchObject({ changed: ["acme"], unreverted: { code: "CHANGE_UNREVERTED", message: expect.stringContaining("tenants/acme.yaml") } });
  expect(await tree()).toMatch(/5m[^]*# mine\n$/);
  for (const again of [false, true]) expect(await syncMain(review, { again })).toMatchObject({ status: "current" });
  expect([await scheduleOf(), (await readConfiguration(database.db)).alarm?.code, (await driftOf(review)).tenants.length]).toEqual([{ every_seconds: 900 }, "CHANGE_UNREVERTED", 1]);
  await writeFile(path.join(folder, "tenants/acme.yaml"), (await tree()).replace("# mine\n", ""));
  await commitDirect(review.workspace.repository, { files: [every("15m")], message: "Reverted by hand", author: { name: "Ben", email: "ben@example.com" } });
  expect(await syncMain(review)).toMatchObject({ status: "applied" });
  expect((await readConfiguration(database.db)).alarm).toBeUndefined();
});

test("a change that another one of other files overtook is merged; one whose file was changed is stale until it is made anew", async () => {
  const first = await approved([every("5m")]);
  const second = await approved([every("2h", "brightpath")], "Brightpath less often");
  const third = await approved([every("1m", "acme", "employers")], "Employers too");
  await applyChange(review, first.id, ben);
  const merged = await applyChange(review, second.id, ben);
  expect(merged.commit).not.toBe(second.commit);
  if (hasGit) expect(git("log", "-1", "--format=%P %s").trim().split(" ").length).toBeGreaterThan(4);
  await expect(applyChange(review, third.id, ben)).rejects.toMatchObject({ code: "CHANGE_STALE", params: { detail: expect.stringContaining("tenants/acme.yaml") } });
  expect(await scheduleOf("employers")).toEqual({ every_seconds: 86_400 });

  const anew = await propose(review, third.id, ada);
  expect(anew).toMatchObject({ status: "proposed", branch: third.branch });
  expect(anew.approved_hash).toBeUndefined();
  expect((await tree())).toContain("{ every: 5m }");
  await approve(review, anew.id, ben, anew.plan_hash!);
  await applyChange(review, anew.id, ben);
  expect(await tree()).toContain("{ every: 5m }");                         // and the first one is still there
  expect([await scheduleOf(), await scheduleOf("employers")]).toEqual([{ every_seconds: 300 }, { every_seconds: 60 }]);
});

test("when main moves so that the change would do something else, it is refused, and says for whom", async () => {
  const change = await approved([{ file: "presets/aptem/preset.yaml", text: (await review.workspace.readTrees())[0]!.files.get("presets/aptem/preset.yaml")!.replace("every: 1h", "every: 30m") }], "Aptem half-hourly");
  expect((change.plan as { tenants: { tenant: string }[] }).tenants.map(({ tenant }) => tenant)).toEqual(["brightpath"]);
  await commitDirect(review.workspace.repository, { files: [{ file: "tenants/coastal.yaml", text: "tenant: coastal\ntitle: Coastal\nsubdomain: coastal\npreset: aptem\n" }], message: "Coastal", author: { name: "Ben", email: "ben@example.com" } });
  await syncMain(review);
  await expect(applyChange(review, change.id, ben)).rejects.toMatchObject({ code: "CHANGE_STALE", params: { detail: expect.stringContaining("coastal") } });
  expect(await getChange(database.db, change.id)).toMatchObject({ status: "approved" });
});

test("where requests may go and who approves is said of the workspace, though no tenant changes", async () => {
  const change = await proposeChange(review, { author: ada, title: "Self", edits: [{ file: "workspace.yaml", set: [{ pointer: "/review", value: "self" }, { pointer: "/egress/allow_private", value: true }] }] });
  expect(change.plan).toMatchObject({ risk: "new_scope", tenants: [], settings: [{ path: "review", before: "other", after: "self", risk: "new_scope" }, { path: "egress", risk: "new_scope", why: expect.any(String) }] });
  await expect(approve(review, change.id, ada, change.plan_hash!)).rejects.toMatchObject({ code: "CHANGE_OWN" });    // main's rule, not the change's own
  await approve(review, change.id, ben, change.plan_hash!);
  await applyChange(review, change.id, ben);
  const own = await proposeChange(review, { author: ada, title: "Mine", edits: [every("5m")] });
  expect(await approve(review, own.id, ada, own.plan_hash!)).toMatchObject({ status: "approved" });
});

test("an approval is of one plan: proposed anew it is over, and another hash is refused", async () => {
  const change = await proposeChange(review, { author: ada, title: "More", edits: [every("5m")] });
  await expect(approve(review, change.id, ben, "0".repeat(32))).rejects.toMatchObject({ code: "CHANGE_STALE" });
  await reject(review, change.id, ben, "not now");
  await expect(approve(review, change.id, ben, change.plan_hash!)).rejects.toMatchObject({ code: "CHANGE_STATUS" });
  await expect(propose(review, change.id, ada)).rejects.toMatchObject({ code: "CHANGE_STATUS" });
});

test("a draft is saved as it is typed; of two windows the second one is told; one with mistakes is not proposed, and all are told", async () => {
  const draft = await createDraft(review, { author: ada, title: "Draft", edits: [every("5m")] });
  const saved = await saveDraft(review, draft.id, draft.version, { edits: [every("often"), { file: "tenants/brightpath.yaml", set: [{ pointer: "/preset", value: "apten" }] }] });
  await expect(saveDraft(review, draft.id, draft.version, { title: "Other" })).rejects.toMatchObject({ code: "CHANGE_STATUS" });
  await expect(propose(review, saved.id, ada)).rejects.toMatchObject({ code: "CHANGE_INVALID", problems: expect.arrayContaining([expect.objectContaining({ at: expect.objectContaining({ file: "tenants/acme.yaml", line: 12 }) }), expect.objectContaining({ code: "MANIFEST_UNKNOWN_REFERENCE" })]) });
  await expect(proposeChange(review, { author: ada, title: "Nothing", edits: [every("15m")] })).rejects.toMatchObject({ code: "CHANGE_EMPTY" });
  if (hasGit) expect(git("branch", "--list", "studio/*")).toBe("");
});

test("a person's uncommitted work is not written over: nothing moves, and the file is named", async () => {
  const change = await approved([every("5m")]);
  const mine = `${await tree()}# mine\n`;
  await writeFile(path.join(folder, "tenants/acme.yaml"), mine);
  const { commit } = await review.workspace.main();
  await expect(applyChange(review, change.id, ben)).rejects.toMatchObject({ code: "CHANGE_UNCOMMITTED", params: { files: "tenants/acme.yaml" } });
  expect([await tree(), (await review.workspace.main()).commit, await scheduleOf()]).toEqual([mine, commit, { every_seconds: 900 }]);
});

test("commits made outside are taken in; a broken one and a rewritten history keep what is in force, with an alarm", async () => {
  const { repository } = review.workspace;
  const author = { name: "Cleo", email: "cleo@example.com" };
  await commitDirect(repository, { files: [every("10m")], message: "By hand", author });
  expect(await syncMain(review)).toMatchObject({ status: "applied", changed: ["acme"] });
  expect(await scheduleOf()).toEqual({ every_seconds: 600 });
  const good = await readConfiguration(database.db);

  const broken = await commitDirect(repository, { files: [{ file: "tenants/acme.yaml", set: [{ pointer: "/flows/learners/from/every", value: "often" }] }], message: "Broken", author });
  expect(await syncMain(review)).toMatchObject({ status: "refused", isNew: true, alarm: { code: "CHANGE_BROKEN_COMMIT", commit: broken.commit } });
  expect(await syncMain(review)).toMatchObject({ status: "refused", isNew: false });
  expect(await readConfiguration(database.db)).toMatchObject({ revision: good.revision, commit: good.commit, alarm: { code: "CHANGE_BROKEN_COMMIT", message: expect.stringContaining("tenants/acme.yaml:12") } });
  expect(await scheduleOf()).toEqual({ every_seconds: 600 });

  await commitDirect(repository, { files: [every("20m")], message: "Mended", author });
  expect(await syncMain(review)).toMatchObject({ status: "applied" });
  expect((await readConfiguration(database.db)).alarm).toBeUndefined();

  if (!hasGit) return;
  git("reset", "-q", "--hard", "HEAD~3");
  git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "Rewritten");
  expect(await syncMain(review)).toMatchObject({ status: "refused", alarm: { code: "CHANGE_FORCE_PUSHED" } });
  expect(await scheduleOf()).toEqual({ every_seconds: 1200 });
  expect((await driftOf(review)).tenants).toMatchObject([{ tenant: "acme", changes: [{ kind: "schedule" }] }]);
  expect(await syncMain(review, { acceptHistory: true })).toMatchObject({ status: "applied", changed: ["acme"] });
});

test("applied anew after it was cut short between Git and the database, a change is applied once", async () => {
  const change = await approved([every("5m")]);
  const broken = { ...database.db, pool: new Proxy(database.db.pool, {}) };
  let calls = 0;
  // The database goes away after main has moved.
  broken.pool = new Proxy(database.db.pool, { get: (pool, name) => name === "connect" ? async () => { if ((await review.workspace.main()).commit === change.commit && calls++ >= 0) throw Object.assign(new Error("gone"), { code: "ECONNREFUSED" }); return pool.connect(); } : Reflect.get(pool, name) });
  await expect(applyChange({ ...review, db: broken }, change.id, ben)).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
  expect((await review.workspace.main()).commit).toBe(change.commit);
  expect([await scheduleOf(), (await getChange(database.db, change.id))!.status]).toEqual([{ every_seconds: 900 }, "approved"]);
  expect(await applyChange(review, change.id, ben)).toMatchObject({ commit: change.commit, changed: ["acme"] });
  expect(await scheduleOf()).toEqual({ every_seconds: 300 });
});

test("a revision is put in force for all tenants or for none", async () => {
  const tenants = ["acme", "brightpath", "northwind"];
  const revisions = () => Promise.all(tenants.map((tenant) => currentRevision(database.db, tenant)));
  const [{ revision }, before] = [await readConfiguration(database.db), await revisions()];
  const trees = (await review.workspace.readTrees());
  expect(trees.length).toBe(2);
  const change = await approved([{ file: "workspace.yaml", set: [{ pointer: "/name", value: "Renamed" }] }, every("5m"), every("3h", "brightpath")]);
  const failing = { ...database.db, pool: new Proxy(database.db.pool, { get: (pool, name) => name !== "connect" ? Reflect.get(pool, name) : async () => {
    const client = await pool.connect();
    const query = client.query.bind(client) as (...words: unknown[]) => unknown;
    let schedules = 0;
    return new Proxy(client, { get: (target, key) => key !== "query" ? Reflect.get(target, key) : (...words: unknown[]) => {
      const text = typeof words[0] === "string" ? words[0] : (words[0] as { text: string }).text;
      if (text.includes("insert into schedules") && ++schedules === 2) throw new Error("the process died here");
      return query(...words);
    } });
  } }) } as unknown as typeof database.db;
  await expect(applyChange({ ...review, db: failing }, change.id, ben)).rejects.toThrow("the process died here");
  expect([await revisions(), (await readConfiguration(database.db)).revision]).toEqual([before, revision]);
  expect([await scheduleOf(), (await readPlan(database.db, "acme", revision!)).flows["learners"]!.schedule]).toEqual([{ every_seconds: 900 }, { every_seconds: 900 }]);
  expect(await applyChange(review, change.id, ben)).toMatchObject({ changed: ["acme", "brightpath"] });
  expect(existsSync(path.join(folder, ".git/plugboard.lock"))).toBe(false);
});
