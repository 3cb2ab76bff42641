/** A change from its proposal to what is in force, through a pull request at a forge, over HTTP. */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listAudit, listSchedules, PLATFORM, readConfiguration } from "../../../engine/store/index.ts";
import { syncMain, watchMain, type Review } from "../../../server/review/index.ts";
import { hasGitBackend } from "../../support/github/git-backend.ts";
import { openForgeWorkspace, TOKEN, type ForgeWorkspace } from "../../support/github/workspace.ts";
import { openStage, type PersonCaller, type Stage } from "../../support/callers.ts";

const tenant = (id: string) => `tenant: ${id}\ntitle: ${id} Ltd\nsubdomain: ${id}\npreset: aptem\nconnections:\n  aptem: { config: { tenant_host: ${id} } }\n`;

if (!hasGitBackend) console.warn("no git http-backend here: pull requests are not tested");

describe.skipIf(!hasGitBackend)("a change and its pull request", () => {
  let at: Stage;
  let there: ForgeWorkspace;
  let review: Review;
  let ada: PersonCaller;
  let ben: PersonCaller;
  const said: string[] = [];
  beforeAll(async () => {
    there = await openForgeWorkspace({ "tenants/acme.yaml": tenant("acme"), "tenants/bolt.yaml": tenant("bolt") }, {
      settings: "  people: { super_admin@platform.example: ada-l }\n",
      people: { "ada-l": { permission: "admin" }, octocat: { permission: "write" }, reader: { permission: "read" } },
    });
    at = await openStage({ workspace: there.workspace, forges: there.forges, references: there.references, logLevel: "debug", logStream: { write: (line) => { said.push(line); } } });
    review = { db: at.rig.database.db, keyring: at.rig.keyring, workspace: there.workspace, forges: there.forges };
    expect(await syncMain(review, { acceptHistory: true })).toMatchObject({ status: "applied" });
    ada = at.as("super_admin");
    ben = await at.person("super_admin", "platform");
  });
  afterAll(async () => {
    await at?.close();
    await there?.close();
  });

  let minutes = 1;
  const every = (id = "acme") => [{ file: `tenants/${id}.yaml`, set: [{ pointer: "/flows/learners/from/every", value: `${++minutes}m` }] }];
  const answer = async (who: PersonCaller, method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: unknown) => {
    const { statusCode, body: text } = await who.call(method, url, body);
    said.push(text);
    const json = (text === "" ? {} : JSON.parse(text)) as Record<string, any>;                     // eslint-disable-line @typescript-eslint/no-explicit-any
    return { ...json, statusCode, code: json["error"]?.code as string | undefined } as Record<string, any>;
  };
  const proposed = async (edits: unknown = every()) => {
    const change = await answer(ada, "POST", "/api/changes", { title: "Sync more often", description: "They asked for it.", edits, propose: true });
    expect(change["statusCode"], JSON.stringify(change)).toBe(201);
    return change;
  };
  const look = (id: string) => answer(ada, "GET", `/api/changes/${id}`);
  const sync = () => answer(ada, "POST", "/api/configuration/sync", {});
  const apply = (id: string) => answer(ben, "POST", `/api/changes/${id}/apply`);
  const scheduleOf = async (id = "acme") => (await listSchedules(review.db, id)).find(({ flow }) => flow === "learners")!.schedule;
  const pull = () => there.hub.pulls.at(-1)!;
  const branches = async () => (await there.hub.bare.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/studio")).split("\n").filter(Boolean).toSorted();
  const openPulls = () => there.hub.pulls.filter(({ state }) => state === "open");

  test("proposed, it is a pull request with its plan; edited, the same one; reviewed there and applied here, it is merged and in force", async () => {
    const change = await proposed();
    expect(change).toMatchObject({ status: "proposed", pull_request: { number: 1, state: "open", review: "waiting", url: `${there.hub.origin}/acme/plugboard-config/pull/1` } });
    expect(pull()).toMatchObject({ title: "Sync more often", base: "main", head: change["branch"], sha: change["commit"], body: expect.stringMatching(/\| ~ \| `flows\.learners\.schedule` \| every 1h\b.* → every 2m\b/) });
    expect(pull().body).toContain(`https://plugboard.example.com/changes/${change["id"]}`);
    expect(there.hub.statuses).toMatchObject([{ sha: change["commit"], state: "success", context: "plugboard/plan", description: "safe: 1 of 2 tenants changes" }]);
    expect(await there.hub.bare.authorOf(change["commit"])).toEqual({ name: ada.email, email: ada.email });

    const draft = await answer(ada, "POST", `/api/changes/${change["id"]}/propose`);
    expect(draft).toMatchObject({ status: "proposed", branch: change["branch"], pull_request: { number: 1 } });
    expect([there.hub.pulls.length, await there.hub.bare.headOf(change["branch"])]).toEqual([1, draft["commit"]]);

    await there.hub.review(1, "octocat", "APPROVED");
    expect(await sync()).toMatchObject({ status: "current" });
    expect(await look(change["id"])).toMatchObject({ status: "approved", approved: true, decided_by: expect.stringContaining("octocat at 127.0.0.1"), pull_request: { review: "approved", reviewers: ["octocat"] } });
    const applied = await apply(change["id"]);
    expect(applied).toMatchObject({ statusCode: 200, changed: ["acme"], change: { status: "applied", applied_by: ben.email, pull_request: { state: "merged" } } });
    expect(pull()).toMatchObject({ mergedAs: applied["commit"], mergedBy: "plugboard-app" });
    expect(await scheduleOf()).toEqual({ every_seconds: 120 });
    expect([(await there.workspace.main()).commit, await there.hub.bare.headOf("main"), await there.hub.bare.headOf(change["branch"])]).toEqual([applied["commit"], applied["commit"], undefined]);
    expect(await readFile(path.join(there.folder, "tenants/acme.yaml"), "utf8")).toContain("every: 2m");
    expect((await answer(ada, "GET", "/api/configuration"))).toMatchObject({ drift: false, alarm: null, forge: { name: expect.stringContaining("acme/plugboard-config"), trouble: null } });
    expect((await listAudit(review.db, PLATFORM, { subject: change["id"], limit: 10 })).map(({ action }) => action)).toEqual(["change.applied", "change.approved", "change.rebased", "change.proposed", "change.drafted"]);
  });

  test("what does not count at the forge does not approve: its author, a reader, a program, an earlier commit, one that was taken back", async () => {
    const { id } = await proposed();
    const { number } = pull();
    for (const [login, more] of [["ada-l", {}], ["reader", {}], ["renovate[bot]", { type: "Bot" }], ["octocat", { commit: "a".repeat(40) }]] as const) await there.hub.review(number, login, "APPROVED", more);
    await sync();
    expect(await look(id)).toMatchObject({ status: "proposed", approved: false, pull_request: { review: "waiting", reviewers: [], note: "ada-l is its author; reader may not write to the repository; octocat approved an earlier commit" } });
    expect(await apply(id)).toMatchObject({ statusCode: 409, code: "CHANGE_STATUS" });
    await there.hub.review(number, "octocat", "APPROVED");
    await sync();
    expect(await look(id)).toMatchObject({ status: "approved" });
    await there.hub.review(number, "octocat", "DISMISSED");
    expect(await apply(id)).toMatchObject({ statusCode: 409, code: "CHANGE_STATUS" });
    expect(await look(id)).toMatchObject({ status: "proposed", approved: false, decided_by: null });
    // An approval here is not the forge's to take back.
    expect(await answer(ben, "POST", `/api/changes/${id}/approve`, { plan_hash: (await look(id))["plan_hash"] })).toMatchObject({ status: "approved" });
    await sync();
    expect(await look(id)).toMatchObject({ status: "approved", decided_by: ben.email });
    expect(await apply(id)).toMatchObject({ statusCode: 200 });
  });

  test("merged there, in whatever way, it is applied by itself; closed there, it is rejected", async () => {
    const [squashed, closed] = [await proposed(), await proposed(every("bolt"))];
    const [one, two] = openPulls();
    await there.hub.mergeAs(one!.number, "octocat", "squash");
    there.hub.closeAs(two!.number);
    const stop = watchMain(review, () => undefined, 20);
    try {
      await expect.poll(async () => (await look(squashed["id"]))["status"], { timeout: 20_000 }).toBe("applied");
    } finally {
      await stop();
    }
    expect(await look(squashed["id"])).toMatchObject({ merged_commit: one!.mergedAs, pull_request: { state: "merged" } });
    expect(await scheduleOf()).toEqual({ every_seconds: (minutes - 1) * 60 });
    expect(await look(closed["id"])).toMatchObject({ status: "rejected", reason: expect.any(String), pull_request: { state: "closed" } });
  });

  test("taken back here, its pull request is closed with the reason, and the branch is gone", async () => {
    const change = await proposed();
    expect(await answer(ada, "POST", `/api/changes/${change["id"]}/reject`, { reason: "Not yet" })).toMatchObject({ status: "rejected", pull_request: { state: "closed" } });
    expect(pull()).toMatchObject({ state: "closed", comments: ["Not yet"] });
    expect(await there.hub.bare.headOf(change["branch"])).toBeUndefined();
  });

  test("somebody else's commit on its branch is neither applied nor written over, and the status says so", async () => {
    const change = await proposed();
    await there.hub.review(pull().number, "octocat", "APPROVED");
    await sync();
    const foreign = await there.hub.bare.commit(change["branch"], { "tenants/bolt.yaml": `${tenant("bolt")}flows: { learners: { enabled: false } }\n` }, "And this");
    expect(await apply(change["id"])).toMatchObject({ statusCode: 409, code: "CHANGE_STALE" });
    expect(there.hub.statuses.at(-1)).toMatchObject({ sha: foreign, state: "failure" });
    expect(await look(change["id"])).toMatchObject({ status: "proposed", pull_request: { note: expect.stringContaining(foreign.slice(0, 7)) } });
    expect(await answer(ada, "POST", `/api/changes/${change["id"]}/propose`)).toMatchObject({ statusCode: 409, code: "CHANGE_FORGE_BRANCH" });
    expect(await there.hub.bare.headOf(change["branch"])).toBe(foreign);
    await answer(ada, "POST", `/api/changes/${change["id"]}/reject`);
    expect(await there.hub.bare.headOf(change["branch"])).toBe(foreign);                           // theirs, so it stays
    expect(pull().state).toBe("closed");
  });

  test("main moves on there: a change of the same file is stale until it is made anew, in the same pull request", async () => {
    const change = await proposed();
    await there.hub.bare.commit("main", { "tenants/acme.yaml": (await readFile(path.join(there.folder, "tenants/acme.yaml"), "utf8")).replace("acme Ltd", "Acme Limited") }, "A better title");
    await sync();
    expect(there.hub.statuses.at(-1)).toMatchObject({ sha: change["commit"], state: "failure", description: expect.stringContaining("tenants/acme.yaml") });
    await answer(ben, "POST", `/api/changes/${change["id"]}/approve`, { plan_hash: change["plan_hash"] });
    expect(await apply(change["id"])).toMatchObject({ code: "CHANGE_STALE" });
    expect(pull().state).toBe("open");
    const anew = await answer(ada, "POST", `/api/changes/${change["id"]}/propose`);
    expect(anew).toMatchObject({ status: "proposed", pull_request: { number: pull().number } });
    await answer(ben, "POST", `/api/changes/${change["id"]}/approve`, { plan_hash: anew["plan_hash"] });
    expect(await apply(change["id"])).toMatchObject({ statusCode: 200, changed: ["acme"] });
  });

  test.each([
    ["before the branch", { on: ({ path: of }: { path: string }) => of.endsWith("/info/refs"), status: 503 }, "CHANGE_FORGE_UNREACHABLE"],
    ["between branch and pull request", { on: ({ method, path: of }: { method: string; path: string }) => method === "POST" && of.endsWith("/pulls"), status: 502, json: {} }, "CHANGE_FORGE_UNREACHABLE"],
    ["when the pull request is made and the answer is lost", { on: ({ method, path: of }: { method: string; path: string }) => method === "POST" && of.endsWith("/pulls"), losesAnswer: true }, "CHANGE_FORGE_UNREACHABLE"],
    ["between pull request and status", { on: ({ path: of }: { path: string }) => of.includes("/statuses/"), status: 403, json: { message: "Resource not accessible by integration" } }, "CHANGE_FORGE_DENIED"],
  ])("cut short %s, it stays a draft; proposed again, under another title, it has one pull request", async (_, fault, code) => {
    const before = await branches();
    const draft = await answer(ada, "POST", "/api/changes", { title: "Sync more often", edits: every() });
    there.hub.fault(fault);
    expect(await answer(ada, "POST", `/api/changes/${draft["id"]}/propose`)).toMatchObject({ code, error: { hint: expect.any(String) } });
    const now = await look(draft["id"]);
    expect(now).toMatchObject({ status: "draft", plan_hash: null, pull_request: null });
    await answer(ada, "PUT", `/api/changes/${draft["id"]}`, { version: now["version"], title: "Sync much more often" });
    const change = await answer(ada, "POST", `/api/changes/${draft["id"]}/propose`);
    expect(change).toMatchObject({ status: "proposed", pull_request: { number: pull().number } });
    expect(openPulls()).toMatchObject([{ title: "Sync much more often", head: change["branch"], sha: change["commit"] }]);
    expect(await branches()).toEqual([...before, change["branch"]].toSorted());
    await answer(ada, "POST", `/api/changes/${draft["id"]}/reject`);
  });

  test("of a proposal in one step that is cut short nothing stays, here or there", async () => {
    const before = [(await answer(ada, "GET", "/api/changes?author=me"))["data"].length, await branches()];
    there.hub.fault({ on: ({ path: of }) => of.includes("/statuses/"), status: 500, json: {} });
    expect(await answer(ada, "POST", "/api/changes", { title: "Sync more often", edits: every(), propose: true })).toMatchObject({ statusCode: 503, code: "CHANGE_FORGE_UNREACHABLE" });
    expect([(await answer(ada, "GET", "/api/changes?author=me"))["data"].length, await branches()]).toEqual(before);
    expect(openPulls()).toEqual([]);
  });

  test("dead between pull request and row, between merge and row: the next try goes on", async () => {
    const draft = await answer(ada, "POST", "/api/changes", { title: "Sync more often", edits: every() });
    const gone = (when: () => Promise<boolean>): Review => ({ ...review, db: { ...review.db, pool: new Proxy(review.db.pool, { get: (pool, name) => name !== "connect" ? Reflect.get(pool, name) : async () => { if (await when()) throw Object.assign(new Error("gone"), { code: "ECONNREFUSED" }); return pool.connect(); } }) } });
    const { applyChange, propose } = await import("../../../server/review/index.ts");
    const actor = { kind: "user", id: ada.id, name: ada.email } as const;
    await expect(propose(gone(async () => openPulls().length > 0), draft["id"], actor)).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    expect([(await look(draft["id"]))["status"], openPulls().length]).toEqual(["draft", 1]);
    const change = await answer(ada, "POST", `/api/changes/${draft["id"]}/propose`);
    expect([change["status"], openPulls().length]).toEqual(["proposed", 1]);
    await answer(ben, "POST", `/api/changes/${draft["id"]}/approve`, { plan_hash: change["plan_hash"] });
    await expect(applyChange(gone(async () => pull().mergedAs !== undefined), draft["id"], { ...actor, id: ben.id, name: ben.email })).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    expect([(await look(draft["id"]))["status"], pull().mergedAs === undefined]).toEqual(["approved", false]);
    expect(await apply(draft["id"])).toMatchObject({ statusCode: 200, changed: ["acme"], commit: pull().mergedAs });
    // The merge's answer lost on the way is the same.
    const other = await proposed();
    await answer(ben, "POST", `/api/changes/${other["id"]}/approve`, { plan_hash: other["plan_hash"] });
    there.hub.fault({ on: ({ method }) => method === "PUT", losesAnswer: true });
    expect(await apply(other["id"])).toMatchObject({ code: "CHANGE_FORGE_UNREACHABLE" });
    expect(await look(other["id"])).toMatchObject({ status: "approved" });
    expect(await apply(other["id"])).toMatchObject({ statusCode: 200, commit: pull().mergedAs });
  });

  test("what needs no review goes to the forge's main first; where that refuses it, nothing moves", async () => {
    const { commitToMain } = await import("../../../server/organisations/configuration.ts");
    const actor = { kind: "user", id: ada.id, name: ada.email } as const;
    await commitToMain(review, [{ file: "tenants/crest.yaml", text: tenant("crest") }], "Create crest", actor);
    const here = (await there.workspace.main()).commit;
    expect(await there.hub.bare.headOf("main")).toBe(here);
    await there.hub.bare.protect("main", true);
    await expect(commitToMain(review, [{ file: "tenants/delta.yaml", text: tenant("delta") }], "Create delta", actor)).rejects.toMatchObject({ code: "CHANGE_FORGE_PUSH", message: expect.stringContaining("GH006") });
    await there.hub.bare.protect("main", false);
    expect([(await there.workspace.main()).commit, await there.hub.bare.headOf("main"), existsSync(path.join(there.folder, "tenants/delta.yaml"))]).toEqual([here, here, false]);
    expect(await sync()).toMatchObject({ status: "applied" });
  });

  test("a forge that cannot be looked at is said where changes are, until it can", async () => {
    there.hub.fault({ on: () => true, status: 401 });
    expect(await sync()).toMatchObject({ code: "CHANGE_FORGE_SIGN_IN" });
    expect(await answer(ada, "GET", "/api/configuration")).toMatchObject({ alarm: null, forge: { trouble: { code: "CHANGE_FORGE_SIGN_IN", hint: expect.stringContaining("forge.token") } } });
    await sync();
    expect(await answer(ada, "GET", "/api/configuration")).toMatchObject({ forge: { trouble: null } });
  });

  test("a customer's own people are not led to the operator's repository", async () => {
    const admin = at.as("tenant_admin");
    const mine = await answer(admin, "GET", "/api/changes");
    expect(mine["data"].length).toBeGreaterThan(0);
    expect(mine["data"].every(({ pull_request: seen }: { pull_request: unknown }) => seen === null)).toBe(true);
    expect(await answer(admin, "GET", "/api/configuration")).toMatchObject({ forge: null });
  });

  test("rules of the forge are said, and nothing moves", async () => {
    const change = await proposed();
    await answer(ben, "POST", `/api/changes/${change["id"]}/approve`, { plan_hash: change["plan_hash"] });
    there.hub.rules.requiredReviews = 1;
    const before = [(await there.workspace.main()).commit, await scheduleOf()];
    expect(await apply(change["id"])).toMatchObject({ statusCode: 409, code: "CHANGE_FORGE_MERGE", error: { message: expect.stringContaining("At least 1 approving review") } });
    expect([(await there.workspace.main()).commit, await scheduleOf(), (await look(change["id"]))["status"]]).toEqual([...before, "approved"]);
    there.hub.rules.requiredReviews = 0;
    expect(await apply(change["id"])).toMatchObject({ statusCode: 200 });
  });

  test("a rollback is pushed; where main is protected it holds all the same, and its revert is a pull request", async () => {
    const before = await scheduleOf();
    const rolled = await answer(ben, "POST", "/api/configuration/rollback", {});
    expect(rolled).toMatchObject({ unreverted: null });
    expect([await there.hub.bare.headOf("main"), await scheduleOf()]).toEqual([rolled["commit"], expect.not.objectContaining(before as object)]);
    await there.hub.bare.protect("main", true);
    const again = await answer(ben, "POST", "/api/configuration/rollback", {});
    expect(again).toMatchObject({ commit: null, unreverted: { code: "CHANGE_UNREVERTED", message: expect.stringMatching(/GH006: Protected branch.*proposed as http:\S+\/pull\/\d+/) } });
    expect(await scheduleOf()).toEqual(before);
    await there.hub.mergeAs(openPulls()[0]!.number, "octocat");
    expect(await sync()).toMatchObject({ status: "applied" });
    expect([await scheduleOf(), (await readConfiguration(review.db)).alarm]).toEqual([before, undefined]);
    await there.hub.bare.protect("main", false);
  });

  test("a history that was rewritten there is not taken in unasked; commits that are only here are nobody's to drop", async () => {
    const good = await there.hub.bare.headOf("main");
    const last = await readConfiguration(review.db);
    await there.hub.bare.git("update-ref", "refs/heads/main", `${good}~2`);
    await there.hub.bare.commit("main", { "README.md": "Rewritten\n" }, "Rewritten");
    expect(await sync()).toMatchObject({ status: "refused", alarm: { code: "CHANGE_FORCE_PUSHED" } });
    expect((await readConfiguration(review.db)).revision).toBe(last.revision);
    await there.hub.bare.git("update-ref", "refs/heads/main", good!);
    expect(await sync()).toMatchObject({ status: "current" });
    const { commitDirect } = await import("../../../server/review/index.ts");
    const { commit } = await commitDirect(there.workspace.repository, { files: every("bolt") as never, message: "By hand, here", author: { name: "Cleo", email: "cleo@example.com" } });
    expect(await sync()).toMatchObject({ statusCode: 409, code: "CHANGE_FORGE_MAIN", error: { hint: expect.stringContaining("git push") } });
    expect(await answer(ada, "POST", "/api/changes", { title: "On top", edits: every(), propose: true })).toMatchObject({ code: "CHANGE_FORGE_MAIN" });
    expect((await there.workspace.main()).commit).toBe(commit);
  });

  test("its credential is in no answer, log line, error, commit or file", async () => {
    const forms = [TOKEN, Buffer.from(`x-access-token:${TOKEN}`).toString("base64"), Buffer.from(TOKEN).toString("base64").slice(0, 24)];
    const files = async function* (dir: string): AsyncGenerator<string> {
      for (const name of await readdir(dir, { recursive: true })) { const file = path.join(dir, name); if ((await stat(file)).isFile()) yield file; }
    };
    expect(said.length).toBeGreaterThan(100);
    for (const form of forms) expect(said.filter((text) => text.includes(form))).toEqual([]);
    for await (const file of files(there.folder)) for (const form of forms) expect([file, (await readFile(file)).includes(form)]).toEqual([file, false]);
    const log = JSON.stringify([await listAudit(review.db, PLATFORM, { limit: 500 }), there.hub.pulls, there.hub.statuses]);
    for (const form of forms) expect(log.includes(form)).toBe(false);
    expect(there.hub.requests.every(({ path: of, query }) => !`${of}${query}`.includes(TOKEN))).toBe(true);
  });
});
