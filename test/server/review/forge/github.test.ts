/** GitHub over HTTP, against a stand-in that says what GitHub's documentation says. No database is needed. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTransport } from "../../../../engine/components/transport/http.ts";
import type { Transport } from "../../../../engine/components/kinds.ts";
import type { PlugboardError } from "../../../../engine/errors/plugboard-error.ts";
import type { ReferenceResolver } from "../../../../engine/store/index.ts";
import type { Forge } from "../../../../server/review/forge/forge.ts";
import { createGitHub } from "../../../../server/review/forge/github.ts";
import type { ForgeSettings } from "../../../../server/review/forge/settings.ts";
import { hasGitBackend } from "../../../support/github/git-backend.ts";
import { startGitHub, type GitHub } from "../../../support/github/stand-in.ts";

const TOKEN = "github_pat_canary_11AAAAAA0abcdefgh";
const BRANCH = "studio/ada/more-often-1a2b3c";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs1", format: "pem" } });
/** References are what they say here; how they are looked up is tested where that is done. */
const references: ReferenceResolver = { check: () => undefined, resolve: async (reference) => ({ "env:GITHUB_TOKEN": TOKEN, "env:OLD_TOKEN": "github_pat_revoked_11", "file:app.pem": privateKey })[reference] ?? "" };

if (!hasGitBackend) console.warn("no git http-backend here: what needs a forge is not tested");

describe.skipIf(!hasGitBackend)("GitHub", () => {
  let folder: string;
  let hub: GitHub;
  let transport: Transport;
  let head: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "plugboard-github-"));
    transport = createTransport({ allowPrivate: ["127.0.0.1"] });
  });
  afterAll(async () => {
    await transport.close();
    await rm(folder, { recursive: true, force: true });
  });
  let count = 0;
  /** What both clocks say, and how far that of GitHub is ahead. */
  let [now, slow] = [Date.now(), 0];
  beforeEach(async () => {
    [now, slow] = [Date.now(), 0];
    hub = await startGitHub({ folder: path.join(folder, String(++count)), tokens: { [TOKEN]: "plugboard-app" }, people: { grace: { permission: "write", email: "grace@example.com" }, reader: { permission: "read" } }, app: { id: 4711, installation: 99, publicKey }, now: () => now + slow });
    const empty = await hub.bare.git("hash-object", "-t", "tree", "-w", "/dev/null");
    await hub.bare.git("update-ref", "refs/heads/main", await hub.bare.git("commit-tree", empty, "-m", "Begin"));
    await hub.bare.git("update-ref", `refs/heads/${BRANCH}`, "refs/heads/main");
    head = await hub.bare.commit(BRANCH, { "a.yaml": "a: 1\n" }, "A", "grace@example.com");
    return () => hub.close();
  });
  const forge = (settings: Partial<ForgeSettings> = {}): Forge =>
    createGitHub({ type: "github", repository: hub.repository, branch: "main", api: hub.api, remote: hub.remote, merge: "merge", people: {}, token: "env:GITHUB_TOKEN", ...settings }, { transport, references, publicUrl: "https://plugboard.example.com" }, () => now);
  const app = (): Forge => forge({ token: undefined, app: { id: 4711, installation: 99, private_key: "file:app.pem" } } as unknown as Partial<ForgeSettings>);
  const asked = { branch: BRANCH, title: "More often", body: "The plan" };
  const failing = async (work: Promise<unknown>): Promise<PlugboardError> => work.then(() => { throw new Error("it succeeded"); }, (thrown: PlugboardError) => thrown);
  const called = (method: string, end: string) => hub.requests.filter((request) => request.method === method && request.path.endsWith(end));

  test("a branch has one pull request, however often it is asked for, and the newest text", async () => {
    const github = forge();
    const first = await github.openPullRequest(asked);
    expect(first).toMatchObject({ number: 1, state: "open", head, opener: "plugboard-app", url: `${hub.origin}/acme/plugboard-config/pull/1` });
    expect(await github.openPullRequest({ ...asked, title: "Much more often", body: "Another plan" })).toMatchObject({ number: 1 });
    expect(hub.pulls).toMatchObject([{ number: 1, title: "Much more often", body: "Another plan", base: "main" }]);
    expect(called("POST", "/pulls")).toHaveLength(1);
    expect(hub.requests[0]).toMatchObject({ headers: { accept: "application/vnd.github+json", authorization: `Bearer ${TOKEN}`, "x-github-api-version": "2022-11-28", "user-agent": "plugboard" } });
  });

  test("one that somebody opened between the look and the request is taken, not told as an error", async () => {
    await forge().openPullRequest(asked);
    hub.fault({ on: ({ method, path: at }) => method === "GET" && at.endsWith("/pulls"), status: 200, json: [] });
    expect(await forge().openPullRequest({ ...asked, body: "Another plan" })).toMatchObject({ number: 1 });
    expect(called("POST", "/pulls").map(({ status }) => status)).toEqual([201, 422]);
  });

  test("reviews of all pages are read, and a 304 costs nothing", async () => {
    const github = forge();
    await github.openPullRequest(asked);
    for (let each = 0; each < 130; each++) await hub.review(1, `person-${each}`, "COMMENTED");
    await hub.review(1, "grace", "APPROVED");
    for (const _ of [1, 2]) expect((await github.reviews(1)).at(-1)).toEqual({ by: "grace", isPerson: true, says: "approved", commit: head });
    expect(called("GET", "/reviews").map(({ status, query }) => [status, query])).toEqual([[200, "?per_page=100"], [200, "?per_page=100&page=2"], [304, "?per_page=100"], [304, "?per_page=100&page=2"]]);
  });

  test("a review that begins a second page is not missed, though the first one is as it was", async () => {
    const github = forge();
    await github.openPullRequest(asked);
    for (let each = 0; each < 100; each++) await hub.review(1, `person-${each}`, "COMMENTED");
    expect(await github.reviews(1)).toHaveLength(100);
    await hub.review(1, "grace", "CHANGES_REQUESTED");
    expect((await github.reviews(1)).at(-1)).toMatchObject({ by: "grace", says: "changes_requested" });
  });

  test("it knows the author of a commit by their address, and who may decide", async () => {
    const github = forge();
    expect(await github.authorOf(head)).toBe("grace");
    expect(await github.authorOf(await hub.bare.commit(BRANCH, { "b.yaml": "b: 1\n" }, "B", "nobody@example.com"))).toBeUndefined();
    expect(await Promise.all(["grace", "reader", "stranger"].map((login) => github.mayDecide(login)))).toEqual([true, false, false]);
  });

  test("it merges the commit that was reviewed, and says why it does not", async () => {
    const github = forge();
    await github.openPullRequest(asked);
    const merge = (at = head, how: ForgeSettings["merge"] = "merge") => forge({ merge: how }).merge(1, { head: at, title: "More often (#1)", message: "" });
    hub.rules.requiredReviews = 1;
    expect(await failing(merge())).toMatchObject({ code: "CHANGE_FORGE_MERGE", message: expect.stringContaining("At least 1 approving review is required") });
    hub.rules.requiredReviews = 0;
    hub.rules.allowed = ["squash"];
    expect(await failing(merge())).toMatchObject({ code: "CHANGE_FORGE_MERGE", hint: expect.stringContaining("forge.merge") });
    const moved = await hub.bare.commit(BRANCH, { "b.yaml": "b: 1\n" }, "B");
    expect(await failing(merge())).toMatchObject({ code: "CHANGE_FORGE_MERGE" });
    expect(await failing(merge(head, "squash"))).toMatchObject({ code: "CHANGE_STALE", message: expect.stringContaining("Head branch was modified") });
    const commit = await merge(moved, "squash");
    expect(await hub.bare.headOf("main")).toBe(commit);
    expect(await github.pullRequest(1)).toMatchObject({ state: "merged", merged: commit, merger: "plugboard-app", head: moved });
    expect(await failing(merge(moved, "squash"))).toMatchObject({ code: "CHANGE_FORGE_MERGE", message: expect.stringContaining("not mergeable") });
  });

  test("a status says what the plan comes to, as short as it must be", async () => {
    await forge().setStatus(head, { state: "success", description: "x".repeat(200), url: "https://plugboard.example.com/changes/1" });
    expect(hub.statuses).toEqual([{ sha: head, state: "success", description: `${"x".repeat(139)}…`, context: "plugboard/plan", target_url: "https://plugboard.example.com/changes/1" }]);
  });

  test.each([
    ["a token that is none", { settings: { token: "env:OLD_TOKEN" } }, "CHANGE_FORGE_SIGN_IN", /forge\.token/],
    ["a repository it may not see", { settings: { repository: "acme/other" } }, "CHANGE_FORGE_NOT_FOUND", /forge\.repository/],
    ["a permission it lacks", { lacks: ["pull_requests"] }, "CHANGE_FORGE_DENIED", /pull_requests=read/],
    ["a base that is not there", { settings: { branch: "trunk" } }, "CHANGE_FORGE_REFUSED", /forge\.branch/],
    ["a text too long", { body: "x".repeat(65_537) }, "CHANGE_FORGE_REFUSED", /Correct what it names/],
    ["a server that fails", { fault: { status: 502, json: { message: "Server Error" } } }, "CHANGE_FORGE_UNREACHABLE", /again/],
    ["a page instead of an answer", { fault: { status: 503, json: "<html>" } }, "CHANGE_FORGE_UNREACHABLE", /again/],
    ["the primary limit", { fault: { status: 403, json: { message: "API rate limit exceeded for user ID 1." }, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 900) } } }, "CHANGE_FORGE_LIMITED", /in (8\d\d|900) s/],
    ["a secondary limit that says how long", { fault: { status: 429, json: { message: "You have exceeded a secondary rate limit." }, headers: { "retry-after": "77" } } }, "CHANGE_FORGE_LIMITED", /in 77 s/],
    ["a secondary limit that does not", { fault: { status: 403, json: { message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." } } }, "CHANGE_FORGE_LIMITED", /in 60 s/],
    ["a repository that was renamed", { fault: { status: 307, json: {}, headers: { location: "https://api.github.com/repositories/1/pulls" } } }, "CHANGE_FORGE_SETTINGS", /forge\.repository/],
  ] as const)("%s is told with what to do, and nobody's token", async (_, how, code, hint) => {
    const { settings = {}, lacks = [], body = "", fault } = how as { settings?: Partial<ForgeSettings>; lacks?: "pull_requests"[]; body?: string; fault?: object };
    hub.rules.lacks = [...lacks];
    if (fault) hub.fault({ on: () => true, ...fault });
    const thrown = await failing(forge(settings).openPullRequest({ ...asked, body }));
    expect([thrown.code, thrown.hint]).toEqual([code, expect.stringMatching(hint)]);
    expect(`${thrown.message} ${thrown.hint} ${JSON.stringify(thrown)} ${thrown.stack} ${JSON.stringify(thrown.params)}`).not.toMatch(/github_pat/);
  });

  test("once limited, it is not asked again before it said so", async () => {
    const github = forge();
    hub.fault({ on: () => true, status: 429, json: { message: "You have exceeded a secondary rate limit." }, headers: { "retry-after": "30" } });
    expect(await failing(github.pullRequest(1))).toMatchObject({ code: "CHANGE_FORGE_LIMITED", retryAfterSeconds: 30 });
    now += 10_000;
    expect(await failing(github.pullRequest(1))).toMatchObject({ code: "CHANGE_FORGE_LIMITED", retryAfterSeconds: 20 });
    expect(hub.requests).toHaveLength(1);
    now += 20_001;
    expect(await failing(github.pullRequest(1))).toMatchObject({ code: "CHANGE_FORGE_NOT_FOUND" });
  });

  test("an app's token is fetched once, renewed a minute before it ends, and after it was revoked", async () => {
    const github = app();
    hub.rules.tokenSeconds = 600;
    await Promise.all([github.openPullRequest(asked), github.authorOf(head)]);
    const fetched = () => called("POST", "/access_tokens").length;
    expect([fetched(), hub.pulls[0]!.opener]).toEqual([1, "plugboard[bot]"]);
    now += 535_000;
    await github.pullRequest(1);
    expect(fetched()).toBe(1);
    now += 6_000;
    await github.pullRequest(1);
    expect(fetched()).toBe(2);
    hub.fault({ on: ({ path: at }) => at.endsWith("/pulls/1"), status: 401, json: { message: "Bad credentials" } });
    expect(await github.pullRequest(1)).toMatchObject({ number: 1 });
    expect(fetched()).toBe(3);
    hub.fault({ on: ({ path: at }) => at.endsWith("/pulls/1"), times: 2, status: 401, json: { message: "Bad credentials" } });
    expect(await failing(github.pullRequest(1))).toMatchObject({ code: "CHANGE_FORGE_SIGN_IN", hint: expect.stringContaining("forge.app") });
  });

  test("an app whose clock is wrong, whose key is none, or that is not installed is told so", async () => {
    const wrong = (settings: object) => failing(forge({ token: undefined, app: { id: 4711, installation: 99, private_key: "file:app.pem", ...settings } } as unknown as Partial<ForgeSettings>).pullRequest(1));
    expect(await wrong({ id: 12 })).toMatchObject({ code: "CHANGE_FORGE_SIGN_IN" });
    expect(await wrong({ installation: 98 })).toMatchObject({ code: "CHANGE_FORGE_NOT_FOUND", message: expect.stringContaining("installation") });
    expect(await wrong({ private_key: "env:GITHUB_TOKEN" })).toMatchObject({ code: "CHANGE_FORGE_SETTINGS", message: expect.not.stringContaining(TOKEN) });
    slow = -3_600_000;
    expect(await wrong({})).toMatchObject({ code: "CHANGE_FORGE_SIGN_IN", message: expect.stringMatching(/claim|JSON web token/) });
  });

  test("addresses inside are not reached because a file says so", async () => {
    const guarded = createTransport();
    const github = createGitHub({ type: "github", repository: hub.repository, branch: "main", api: hub.api, remote: hub.remote, merge: "merge", people: {}, token: "env:GITHUB_TOKEN" }, { transport: guarded, references });
    expect(await failing(github.pullRequest(1))).toMatchObject({ code: "RUN_EGRESS" });
    expect(hub.requests).toHaveLength(0);
    await guarded.close();
  });
});
