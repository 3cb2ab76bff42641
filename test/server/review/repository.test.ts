import { execFileSync } from "node:child_process";
import fs, { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, readFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commitFiles, setBranch } from "../../../server/review/commit.ts";
import { commitDirect, commitOf, headOf, openRepository, readTreeAt } from "../../../server/review/index.ts";
import { locked } from "../../../server/review/lock.ts";
import { branchOf, isRefName } from "../../../server/review/refs.ts";

const author = { name: "Ada", email: "ada@example.com" };
let folder: string;
let marker: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "plugboard-repository-"));
  marker = path.join(folder, "marker-that-must-not-appear");
  await git.init({ fs, dir: folder, defaultBranch: "main" });
  await put("workspace.yaml", "name: Test\n");
  await put("tenants/acme.yaml", "tenant: acme\ntitle: Acme\n");
  await git.commit({ fs, dir: folder, message: "Begin", author });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function put(file: string, text: string): Promise<void> {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
  await git.add({ fs, dir: folder, filepath: file });
}
const set = (value: string) => [{ file: "tenants/acme.yaml", set: [{ pointer: "/title", value }] }];

const HOSTILE_REFS = (mark: string) => [
  `--upload-pack=touch ${mark}`, "-c", `-ccore.pager=touch ${mark}`, `ext::sh -c touch% ${mark}`, "file:///etc/passwd", "main\nevil", "main@{0}", "@{-1}", "../../config", "refs/../HEAD", "a..b", "a//b", "a/.b", "a.lock", "a/b.lock", "-", "",
  "a b", "a~", "a^", "a:b", "a?b", "a*b", "a[b", "a\\b", "a\u0000b", `$(touch ${mark})`, `\`touch ${mark}\``, "a;b", "x".repeat(300), "/etc/passwd", "trailing/", "trailing.", "~1", "main~9999",
];

test("no name of a ref is anything but a name: each is refused before Git sees it, and nothing runs", async () => {
  const repository = await openRepository(folder);
  for (const ref of HOSTILE_REFS(marker)) {
    await expect(commitOf(repository, ref), JSON.stringify(ref)).rejects.toMatchObject({ code: "CHANGE_BAD_REF" });
    expect(() => branchOf(ref, ref, "abc123")).not.toThrow();                   // whatever people and titles are called
    expect(isRefName(branchOf(ref, ref, "abc123"))).toBe(true);
    if (!/~\d+$/.test(ref)) await expect(setBranch(repository, ref, await headOf(repository))).rejects.toMatchObject({ code: "CHANGE_BAD_REF" });
  }
  for (const ref of ["config", "HEAD.lock", "index", "description"]) await expect(commitOf(repository, ref)).rejects.toMatchObject({ code: "CHANGE_BAD_REF" });
  for (const ref of ["main", "HEAD", await headOf(repository), (await headOf(repository)).slice(0, 8)]) expect(await commitOf(repository, ref)).toBe(await headOf(repository));
  expect(existsSync(marker)).toBe(false);
});

test("hooks, filters, a file watcher and aliases of the repository do not run", async () => {
  const hook = `#!/bin/sh\ntouch ${marker}\n`;
  for (const name of ["pre-commit", "post-commit", "commit-msg", "post-merge", "post-checkout", "reference-transaction", "update", "post-index-change"]) {
    writeFileSync(path.join(folder, ".git/hooks", name), hook, { flag: "w" });
    chmodSync(path.join(folder, ".git/hooks", name), 0o755);
  }
  writeFileSync(path.join(folder, ".git/evil.sh"), hook);
  chmodSync(path.join(folder, ".git/evil.sh"), 0o755);
  const config = path.join(folder, ".git/config");
  writeFileSync(config, `${readFileSync(config, "utf8")}[core]\n\tfsmonitor = ${folder}/.git/evil.sh\n\thooksPath = ${folder}/.git/hooks\n\teditor = touch ${marker}\n[filter "evil"]\n\tsmudge = touch ${marker}\n\tclean = touch ${marker}\n\trequired = true\n[diff]\n\texternal = touch ${marker}\n`);
  writeFileSync(path.join(folder, ".gitattributes"), "*.yaml filter=evil diff=evil\n");
  const repository = await openRepository(folder);
  await commitDirect(repository, { files: set("Acme Ltd"), message: "Title", author });
  expect((await readTreeAt(repository, await headOf(repository))).files.get("tenants/acme.yaml")).toBe("tenant: acme\ntitle: Acme Ltd\n");
  expect(readFileSync(path.join(folder, "tenants/acme.yaml"), "utf8")).toContain("Acme Ltd");
  expect(existsSync(marker)).toBe(false);
});

test("a link, a submodule and names that leave the folder are refused, whoever committed them", async () => {
  const repository = await openRepository(folder);
  const head = await headOf(repository);
  const blob = await git.writeBlob({ ...repository.at, blob: new TextEncoder().encode("../../../etc/passwd") });
  const cases: [string, { mode: string; path: string; type: "blob" | "commit" | "tree"; oid: string }][] = [
    ["is a link", { mode: "120000", path: "evil.yaml", type: "blob", oid: blob }],
    ["is a submodule", { mode: "160000", path: "evil.yaml", type: "commit", oid: head }],
    [".GIT", { mode: "100644", path: ".GIT", type: "blob", oid: blob }],
    ["git~1", { mode: "100644", path: "git~1", type: "blob", oid: blob }],
    ["b.yaml", { mode: "100644", path: "a\\b.yaml", type: "blob", oid: blob }],
  ];
  for (const [detail, entry] of cases) {
    const tenants = await git.writeTree({ ...repository.at, tree: [entry] });
    const tree = await git.writeTree({ ...repository.at, tree: [{ mode: "040000", path: "tenants", type: "tree", oid: tenants }] });
    const commit = await git.writeCommit({ ...repository.at, commit: { tree, parent: [head], message: "evil", author: { ...author, timestamp: 0, timezoneOffset: 0 }, committer: { ...author, timestamp: 0, timezoneOffset: 0 } } });
    await expect(readTreeAt(repository, commit), entry.path).rejects.toMatchObject({ code: "CHANGE_GIT", params: { detail: expect.stringContaining(detail) } });
  }
});

test("a file too large is not configuration", async () => {
  const repository = await openRepository(folder);
  await put("tenants/big.yaml", `x: ${"y".repeat(2 * 1024 * 1024)}`);
  const commit = await git.commit({ fs, dir: folder, message: "Big", author });
  await expect(readTreeAt(repository, commit)).rejects.toMatchObject({ code: "CHANGE_GIT", params: { detail: expect.stringContaining("tenants/big.yaml") } });
});

test("a folder that is somebody's link to elsewhere is not written into", async () => {
  const elsewhere = mkdtempSync(path.join(tmpdir(), "plugboard-elsewhere-"));
  try {
    symlinkSync(elsewhere, path.join(folder, "mappings"));
    const repository = await openRepository(folder);
    await expect(commitDirect(repository, { files: [{ file: "mappings/x/y.yaml", text: "mapping: x/y\n" }], message: "Into it", author })).rejects.toMatchObject({ code: "CHANGE_GIT" });
    expect(fs.readdirSync(path.join(elsewhere, "x"))).toEqual([]);
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

test("names and messages of people cannot forge a commit's header", async () => {
  const repository = await openRepository(folder);
  const { commit } = await commitDirect(repository, { files: set("B"), message: "Title\u0000\u001b[2J\n\nauthor Evil <e@e> 0 +0000", author: { name: "Ada\ncommitter Evil <evil@example.com> 0 +0000", email: "a>\n<b" } });
  const read = (await git.readCommit({ ...repository.at, oid: commit })).commit;
  expect(read.author).toMatchObject({ name: "Adacommitter Evil evil@example.com 0 +0000", email: "ab" });
  expect(read.committer).toMatchObject({ name: "Plugboard" });
});

test("writers of several processes take turns; the lock of one that died is taken over", async () => {
  const repository = await openRepository(folder);
  const order: string[] = [];
  await Promise.all(["a", "b", "c"].map((name) => locked(repository.gitdir, async () => { order.push(`${name}+`); await Promise.resolve(); order.push(`${name}-`); })));
  expect(order).toEqual(["a+", "a-", "b+", "b-", "c+", "c-"]);
  const file = path.join(repository.gitdir, "plugboard.lock");
  writeFileSync(file, `${hostname()}:${process.ppid}:other`);                   // alive
  await expect(locked(repository.gitdir, async () => "in", 60)).rejects.toMatchObject({ code: "CHANGE_BUSY" });
  writeFileSync(file, `${hostname()}:999999999:dead`);
  expect(await locked(repository.gitdir, async () => "in", 2000)).toBe("in");
  expect(existsSync(file)).toBe(false);
});

test("twenty commits at once are twenty commits, none lost", async () => {
  const [one, two] = [await openRepository(folder), await openRepository(folder)];
  await Promise.all(Array.from({ length: 20 }, (_, index) => commitDirect(index % 2 ? one : two, { files: [{ file: `tenants/t${index}.yaml`, text: `tenant: t${index}\n` }], message: `t${index}`, author })));
  const log = await git.log({ ...one.at, ref: "main" });
  expect(log.length).toBe(21);
  expect([...(await readTreeAt(one, await headOf(one))).files.keys()].filter((file) => /tenants\/t\d+/.test(file)).length).toBe(20);
});

test("a bare repository and another branch in the working copy are changed without touching a file", async () => {
  await git.branch({ fs, dir: folder, ref: "mine", checkout: true });
  const repository = await openRepository(folder);
  const { commit } = await commitDirect(repository, { files: set("B"), message: "On main", author });
  expect([repository.main, await headOf(repository), readFileSync(path.join(folder, "tenants/acme.yaml"), "utf8")]).toEqual(["main", commit, "tenant: acme\ntitle: Acme\n"]);
  const bare = path.join(folder, "bare.git");
  fs.cpSync(path.join(folder, ".git"), bare, { recursive: true });
  const other = await openRepository(bare);
  const second = await commitFiles(other, { parents: [await headOf(other)], files: new Map([["tenants/acme.yaml", null]]), message: "Gone", author });
  expect([other.bare, [...(await readTreeAt(other, second)).files.keys()]]).toEqual([true, ["workspace.yaml"]]);
});

test.each([["a folder without Git", () => mkdirSync(path.join(folder, "plain")), "plain"], ["a worktree's link", () => { mkdirSync(path.join(folder, "linked")); writeFileSync(path.join(folder, "linked/.git"), "gitdir: ../.git/worktrees/x\n"); }, "linked"]])("%s is told as such", async (_, make, name) => {
  make();
  await expect(openRepository(path.join(folder, name))).rejects.toMatchObject({ code: "CHANGE_NO_REPOSITORY" });
});

test("what we write, Git itself finds right", async (context) => {
  try { execFileSync("git", ["--version"]); } catch { context.skip(); }
  const repository = await openRepository(folder);
  await commitDirect(repository, { files: [...set("B"), { file: "mappings/x/y.yaml", text: "mapping: x/y\n" }, { file: "tenants/b.yaml", text: "tenant: b\n" }], message: "Some", author });
  await commitDirect(repository, { files: [{ file: "mappings/x/y.yaml", remove: true }], message: "Less", author });
  expect(execFileSync("git", ["fsck", "--strict", "--full", "--no-dangling"], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })).toBe("");
  expect(execFileSync("git", ["status", "--porcelain"], { cwd: folder, encoding: "utf8" })).toBe("");
  expect(execFileSync("git", ["ls-tree", "-r", "--name-only", "HEAD"], { cwd: folder, encoding: "utf8" }).trim().split("\n")).toEqual(["tenants/acme.yaml", "tenants/b.yaml", "workspace.yaml"]);
});
