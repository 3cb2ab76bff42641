/** `plugboard explain` and `plugboard preset` as they are typed, in a workspace of their own. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = fileURLToPath(new URL("../../../server/cli/main.ts", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-explain-"));
  await mkdir(path.join(folder, "tenants"));
  await writeFile(path.join(folder, "workspace.yaml"), "name: Test\ncatalogue: builtin\n");
  await writeFile(path.join(folder, "tenants/acme.yaml"), "tenant: acme\npreset: aptem-hubspot\nflows: { learners: { from: { every: 15m } } }\n");
});
afterAll(() => rm(folder, { recursive: true }));

const plugboard = (...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } }, (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }));
  });

test("explain prints the value, its file, line and layer, and what it hides", async () => {
  const { code, stdout } = await plugboard("explain", "acme", "flows.learners.from.every");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^flows\.learners\.from\.every: 15m\n {2}tenants\/acme\.yaml:3:37 {2}tenant\n {2}hides 1h {2}\(builtin\)\/presets\/aptem-hubspot\/preset\.yaml:\d+:\d+ {2}preset\n$/);
});

test("explain --json is one document; an unknown path or tenant ends with 1 and its code", async () => {
  const { stdout } = await plugboard("explain", "acme", "flows.learners.from", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ tenant: "acme", values: [{ path: "flows.learners.from.stream", origin: { layer: "preset" } }, { value: "15m" }, { value: "7d" }] });
  const [nothing, nobody] = await Promise.all([plugboard("explain", "acme", "flows.lerners"), plugboard("explain", "acne")]);
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringMatching(/PLAN_UNKNOWN_PATH[^]*did you mean 'flows\.learners'/)]);
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringMatching(/PLAN_UNKNOWN_TENANT[^]*did you mean 'acme'/)]);
});

test("preset release freezes the head once, list and show know it", async () => {
  const first = await plugboard("preset", "release", "aptem-hubspot", "--json");
  expect(JSON.parse(first.stdout)).toEqual({ preset: "aptem-hubspot", release: 1, file: "presets/aptem-hubspot/releases/1.yaml" });
  expect(await readFile(path.join(folder, "presets/aptem-hubspot/releases/1.yaml"), "utf8")).toMatch(/^# yaml-language-server: .*\n.*\nrelease: 1\n/);
  const [again, listed, shown, compared] = [await plugboard("preset", "release", "aptem-hubspot"), await plugboard("preset", "list", "--json"), await plugboard("preset", "show", "aptem-hubspot@1"), await plugboard("preset", "diff", "aptem-hubspot@1", "aptem-hubspot", "--json")];
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("PLAN_RELEASE_EXISTS")]);
  expect(JSON.parse(listed.stdout).presets).toContainEqual(expect.objectContaining({ id: "aptem-hubspot", releases: [1], tenants: [{ id: "acme", release: 1 }] }));
  expect(shown.stdout).toContain("release: 1");
  expect(JSON.parse(compared.stdout).changes.map(({ kind }: { kind: string }) => kind)).toEqual(["preset"]);
});
