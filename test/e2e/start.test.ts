/** `npm start`, from outside: the command that package.json runs, in an empty folder, with its own database. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectRoot, runCommand, startCommand } from "../support/command.ts";

let folder: string;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-start-"));
  port = await freePort();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Summary { ok: boolean; flows: Record<string, string | number>[]; entities: Record<string, number> }
const summaryOf = (stdout: string): Summary => JSON.parse(stdout.trim().split("\n").at(-1)!) as Summary;
const once = (env: Record<string, string> = {}, args: readonly string[] = []) => runCommand(["start", "--once", "--json", ...args], { cwd: folder, env: { PORT: String(port), ...env } });

test("npm start runs this command, after installing what is missing", async () => {
  const { scripts } = JSON.parse(await readFile(path.join(projectRoot, "package.json"), "utf8")) as { scripts: Record<string, string> };
  expect(scripts).toMatchObject({ prestart: "node server/bootstrap.mjs", start: "node server/cli/main.ts start", pretest: "node server/bootstrap.mjs" });
});

test("the first run reads everything, the second only what changed, and every run balances", { timeout: 120_000 }, async () => {
  const first = await once();
  expect(first.stderr).not.toContain("error");
  expect(first.code).toBe(0);
  const before = summaryOf(first.stdout);
  expect(before.ok).toBe(true);
  expect(before.flows).toHaveLength(10);
  for (const flow of before.flows) {
    expect(flow).toMatchObject({ status: "succeeded", mode: "full", quarantined: 0 });
    expect(flow["read"]).toBe(sum(flow, ["stored", "unchanged", "superseded", "deleted", "filtered", "quarantined"]));
    expect(flow["stored"]).toBe(sum(flow, ["created", "updated"]));
  }

  const second = await once();
  expect(second.code).toBe(0);
  const after = summaryOf(second.stdout);
  for (const flow of after.flows) {
    expect(flow).toMatchObject({ status: "succeeded", mode: "incremental" });
    const earlier = before.flows.find((each) => each["tenant"] === flow["tenant"] && each["flow"] === flow["flow"])!;
    expect(flow["read"]).toBeGreaterThan(0);
    expect(flow["read"]).toBeLessThan(Number(earlier["read"]) / 2);
  }
  expect(Object.keys(after.entities).toSorted()).toEqual(["application", "candidate", "contact", "employer", "job", "learner"]);
  // Acme's employers come from two systems: fewer rows than contributions, because some are the same company.
  const contributions = before.flows.filter((flow) => /employers/.test(String(flow["flow"]))).reduce((total, flow) => total + Number(flow["stored"]), 0);
  expect(before.entities["employer"]).toBeLessThan(contributions);
});

test("it stays up, answers, ends in order when asked, and goes on after a kill", { timeout: 120_000 }, async () => {
  const up = startCommand(["start"], { cwd: folder, env: { PORT: String(port) } });
  await up.printed("Up.");
  const key = (await readFile(path.join(folder, ".plugboard", "api-key"), "utf8")).trim();
  const get = (route: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${route}`, { headers: { authorization: `Bearer ${key}` } });
  expect((await get("/readyz")).status).toBe(200);
  expect(await (await get("/api/records/learner?tenant=acme&limit=1")).json()).toMatchObject({ data: [{ labels: { LMS_Provider: "Aptem" } }] });
  expect((await fetch(`http://127.0.0.1:${port}/api/runs?tenant=acme`)).status).toBe(401);

  const other = await runCommand(["start", "--once"], { cwd: folder, env: { PORT: String(await freePort()) } });
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("is running in it already");

  up.child.kill("SIGKILL");
  await up.ended;
  const again = startCommand(["start"], { cwd: folder, env: { PORT: String(port) } });
  await again.printed("Up.");
  expect((await get("/readyz")).status).toBe(200);
  again.child.kill("SIGTERM");
  expect((await again.ended).code).toBe(0);
});

test("a taken port is one clear sentence, and nothing was started", async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => { holder.listen(0, "127.0.0.1", resolve); });
  const taken = (holder.address() as AddressInfo).port;
  const { code, stderr } = await once({ PORT: String(taken) });
  holder.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`SERVER_PORT_TAKEN  Port ${taken} is taken by another program.`);
  expect(stderr).not.toContain("    at ");
});

test("an unreachable DATABASE_URL is one clear sentence without its password", async () => {
  const { code, stderr } = await once({ DATABASE_URL: "postgres://someone:topsecret@127.0.0.1:1/nowhere" });
  expect(code).toBe(1);
  expect(stderr).toContain("STORE_UNREACHABLE");
  expect(stderr).not.toContain("topsecret");
  expect(stderr).not.toContain("    at ");
});

test("a broken data folder is one clear sentence", async () => {
  const broken = await mkdtemp(path.join(tmpdir(), "plugboard-broken-"));
  await writeFile(path.join(broken, "file"), "");
  const { code, stderr } = await once({}, ["--data", path.join(broken, "file", "data")]);
  await rm(broken, { recursive: true, force: true });
  expect(code).toBe(1);
  expect(stderr).toContain("STORE_DATA_FOLDER");
  expect(stderr).not.toContain("    at ");
});

const sum = (flow: Record<string, string | number>, fields: readonly string[]): number => fields.reduce((total, field) => total + Number(flow[field]), 0);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => { const { port: free } = probe.address() as AddressInfo; probe.close(() => resolve(free)); });
  });
}
