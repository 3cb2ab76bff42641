import { execFile } from "node:child_process";
import fs from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot, runCommand } from "../../support/command.ts";

let folder: string;
let root: string;
const author = { name: "Ada", email: "ada@example.com" };
const put = async (file: string, text: string) => { await mkdir(path.dirname(path.join(root, file)), { recursive: true }); await writeFile(path.join(root, file), text); };
const commit = async (message: string, ...files: string[]) => { for (const filepath of files) await git.add({ fs, dir: root, filepath }); return git.commit({ fs, dir: root, message, author }); };
const plan = (...words: string[]) => runCommand(["plan", ...words], { cwd: root });
const ACME = "tenant: acme\ntitle: Acme\npreset: aptem\nflows:\n  learners:\n    from: { every: 15m }   # often\n";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-plan-"));
  root = path.join(folder, "ws");
  expect((await runCommand(["init", "ws"], { cwd: folder })).code).toBe(0);
  await put("tenants/acme.yaml", ACME);
  await put("tenants/bolt.yaml", "tenant: bolt\ntitle: Bolt\npreset: aptem\n");
  await commit("Tenants", "tenants/acme.yaml", "tenants/bolt.yaml");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("nothing changed: 0; something changed: 2, with what changes for whom and where it is written; a mistake: 1, with its place", async () => {
  const none = await plan();
  expect([none.code, none.stdout]).toEqual([0, "No changes.\n"]);

  await put("tenants/acme.yaml", ACME.replace("15m", "5m"));
  const some = await plan();
  expect([some.code, some.stdout]).toEqual([2, "acme  Acme  safe\n  ~ flows.learners.schedule  every 15m, all of it every 7d → every 5m, all of it every 7d   tenants/acme.yaml:6\n\n1 of 2 tenants changes, safe\n"]);
  const json = JSON.parse((await plan("--json")).stdout);
  expect(json).toMatchObject({ ok: true, risk: "safe", unchanged: 1, files: [{ file: "tenants/acme.yaml", change: "changed" }], data: null, tenants: [{ tenant: "acme", changes: [{ before: { every_seconds: 900 }, after: { every_seconds: 300 }, to: { line: 6 } }] }] });

  await put("tenants/acme.yaml", ACME.replace("15m", "often"));
  const wrong = await plan();
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain("tenants/acme.yaml:6:20");
  await put("tenants/acme.yaml", ACME.replace("15m", "5m"));
});

test("with another base, against that one; what is no base and what is no option exit with 1, not with 2", async () => {
  await commit("Acme more often", "tenants/acme.yaml");
  expect((await plan()).code).toBe(0);
  expect((await plan("--base", "main~1")).code).toBe(2);
  for (const words of [["--base", "--upload-pack=touch x"], ["--nope"]]) expect((await plan(...words)).code, words.join(" ")).toBe(1);
  expect((await runCommand(["plan"], { cwd: folder })).stderr).toContain("MANIFEST_NO_WORKSPACE");
});

test("tenants that change in the same way are told once", async () => {
  await put("presets/aptem/preset.yaml", (await readFile(path.join(projectRoot, "presets/aptem/preset.yaml"), "utf8")).replaceAll("every: 1h", "every: 2h").replaceAll("every: 1d", "every: 2d"));
  for (const id of ["coastal", "delta"]) await put(`tenants/${id}.yaml`, `tenant: ${id}\ntitle: ${id}\npreset: aptem\n`);
  await commit("Two more", "tenants/coastal.yaml", "tenants/delta.yaml");
  const { stdout } = await plan();
  expect(stdout).toContain("bolt, coastal, delta  3 tenants  safe");
  await rm(path.join(root, "presets"), { recursive: true });
});

test.skipIf(process.platform === "win32")("the workflow that `init` writes posts the plan of a pull request, as a build server has it", async () => {
  const workflow = parse(await readFile(path.join(root, ".github/workflows/plugboard.yml"), "utf8"));
  const steps = workflow.jobs.check.steps as { name?: string; run?: string; env?: Record<string, string> }[];
  expect(steps.flatMap(({ run }) => run ?? []).slice(0, 3)).toEqual(["npm install --global plugboard", "plugboard validate", "plugboard test"]);
  expect(workflow.permissions).toEqual({ contents: "read", "pull-requests": "write" });
  // A build server has no branch of its own: a commit, and what main is at its origin.
  const main = await git.resolveRef({ fs, dir: root, ref: "main" });
  await put("tenants/bolt.yaml", "tenant: bolt\ntitle: Bolt Ltd\npreset: aptem\n");
  const head = await commit("Bolt", "tenants/bolt.yaml");
  await git.writeRef({ fs, dir: root, ref: "refs/remotes/origin/main", value: main });
  await git.checkout({ fs, dir: root, ref: head });
  await git.deleteBranch({ fs, dir: root, ref: "main" });

  const bin = path.join(folder, "bin");
  await mkdir(bin);
  await writeFile(path.join(bin, "plugboard"), `#!/bin/sh\nexec "${process.execPath}" "${path.join(projectRoot, "server/cli/main.ts")}" "$@"\n`);
  await chmod(path.join(bin, "plugboard"), 0o755);
  const env = { ...process.env, NO_COLOR: "1", PATH: `${bin}:${process.env["PATH"]}`, BASE: "origin/main", RUNNER_TEMP: folder, GITHUB_STEP_SUMMARY: path.join(folder, "summary.md") };
  const step = steps.find(({ name }) => name === "Plan")!;
  await new Promise<void>((resolve, reject) => { execFile("sh", ["-e", "-c", step.run!], { cwd: root, env }, (error, stdout, stderr) => (error ? reject(new Error(stdout + stderr, { cause: error })) : resolve())); });
  const posted = await readFile(path.join(folder, "plan.md"), "utf8");
  expect(posted).toContain("## Plan: 1 of 4 tenants changes, safe");
  expect(posted).toContain("| ~ | `tenant.title` | Bolt → Bolt Ltd |");
  expect(await readFile(path.join(folder, "summary.md"), "utf8")).toBe(posted);
});
