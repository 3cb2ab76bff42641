/**
 * Every command of the README is run, in its order, as it is written; so is what `plugboard init` tells a newcomer. A
 * command that this file does not know how to run fails the test: add it to `runners`.
 */
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { read, validateWorkspace } from "../../engine/manifest/index.ts";
import { projectRoot, runCommand, startCommand, type Finished, type Started } from "../support/command.ts";

const run = promisify(execFile);
const TICKETS = Array.from({ length: 230 }, (_, index) => ({ id: index + 1, subject: `Ticket ${index + 1}`, state: { name: "open" }, updated_at: new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString() }));

let folder: string;
let provider: Server;
let address: string;
/** The demo that the README's requests are sent to: started by the first of them. */
let demo: { readonly up: Started; readonly home: string; readonly port: number } | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-readme-"));
  // The provider of init's README: a page by limit and offset, a key in a header, a filter by date.
  provider = createServer((request, response) => {
    const url = new URL(request.url!, "http://localhost");
    const say = (status: number, body: object): void => { response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)); };
    if (request.headers["x-api-key"] !== "k-123") return say(401, { error: "unknown key" });
    if (url.pathname === "/me") return say(200, { id: 7 });
    if (url.pathname !== "/tickets") return say(404, {});
    const since = url.searchParams.get("updated_since");
    const fitting = TICKETS.filter(({ updated_at }) => since === null || updated_at >= since);
    const offset = Number(url.searchParams.get("offset"));
    return say(200, { tickets: fitting.slice(offset, offset + Number(url.searchParams.get("limit"))) });
  });
  await new Promise<void>((resolve) => { provider.listen(0, "127.0.0.1", resolve); });
  address = `127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
afterAll(async () => {
  demo?.up.child.kill("SIGTERM");
  await demo?.up.ended;
  provider.close();
  await rm(folder, { recursive: true, force: true });
});

/** Lines of the `sh` blocks, continued lines joined, in the order of the page. */
const commandsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].flatMap(([, block]) => block!.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#")));

/** As a shell splits a line: single quotes keep what is between them. */
const wordsOf = (line: string): string[] => [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);

const plugboard = (args: string): Promise<Finished> =>
  runCommand(wordsOf(args.replaceAll("https://desk.example.com", `http://${address}`)), { cwd: folder, env: { DESK_KEY: "k-123", PORT: "0" } });

/** What each kind of command must do; the first that fits is used. */
const runners: readonly { readonly fits: RegExp; readonly run: (command: string) => Promise<void> }[] = [
  // In test/e2e/start.test.ts, which runs the very command of the script; and this suite is `npm test`.
  { fits: /^npm (start|test)/, run: async () => {} },
  { fits: /^npx plugboard init /, run: async (command) => {
    const { code, stdout } = await plugboard(command.replace("npx plugboard ", ""));
    expect(stdout).toContain("first commit");
    expect(code).toBe(0);
    await writeWhatItsReadmeShows();
  } },
  { fits: /^npx plugboard run .*--to stdout$/, run: async (command) => {
    const { code, stdout, stderr } = await plugboard(command.replace("npx plugboard ", ""));
    expect(stderr).toContain("230 read");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n").map((line) => JSON.parse(line) as object)).toHaveLength(230);
  } },
  { fits: /^npx plugboard (eval|preview) /, run: async (command) => {
    await writeFile(path.join(folder, "company.json"), JSON.stringify({ id: "7", properties: { name: "Acme", domain: "ACME.example" } }));
    const { code, stdout } = await plugboard(command.replace("npx plugboard ", ""));
    expect(stdout).toContain('"acme.example"');
    expect(code).toBe(0);
  } },
  { fits: /^npx plugboard start --workspace/, run: async (command) => {
    const up = startCommand(command.replace("npx plugboard ", "").split(/ +/), { cwd: folder, env: { PORT: "0" } });
    await up.printed("Up.");
    up.child.kill("SIGTERM");
    const { code, stdout } = await up.ended;
    expect(stdout).toContain("1 of 1 flows succeeded");
    expect(code).toBe(0);
  } },
  { fits: /^npx plugboard (validate|test|explain|connect|run|fmt) /, run: async (command) => {
    const { code, stdout, stderr } = await plugboard(command.replace("npx plugboard ", ""));
    expect(`${stdout}${stderr}`).not.toMatch(/\berror\b/);
    expect(code, `${command}\n${stdout}\n${stderr}`).toBe(0);
  } },
  { fits: /^curl /, run: runCurl },
];

/** The files of the README that `init` wrote, each under the path its first line or the line below it names. */
async function writeWhatItsReadmeShows(): Promise<void> {
  const workspace = path.join(folder, "my-workspace");
  const readme = await readFile(path.join(workspace, "README.md"), "utf8");
  const files = [...readme.matchAll(/```(?:yaml|json)\n([\s\S]*?)```(?:\n\n\(`([^`]+)`\))?/g)].map(([, text, below]) => ({ text: text!, file: below ?? / # (\S+\.yaml)/.exec(text!.split("\n")[0]!)?.[1] }));
  const settingsOnly = files.filter(({ file }) => file === undefined);
  const written = files.filter(({ file }) => file !== undefined);
  expect(written.map(({ file }) => file)).toEqual(["connectors/helpdesk/connector.yaml", "schemas/entities/ticket.schema.json", "mappings/helpdesk/ticket.yaml", "tenants/acme.yaml"]);
  // What has no file of its own is a part of workspace.yaml.
  for (const { text } of settingsOnly) expect(read([{ layer: "workspace", label: "", files: new Map([["workspace.yaml", `name: readme\n${text}`]]) }]).problems.filter(({ severity }) => severity === "error")).toEqual([]);
  for (const { file, text } of written) {
    await mkdir(path.dirname(path.join(workspace, file!)), { recursive: true });
    await writeFile(path.join(workspace, file!), text.replace('"*.example.com"', '"127.0.0.1"'));
  }
  const settings = path.join(workspace, "workspace.yaml");
  await writeFile(settings, (await readFile(settings, "utf8")).replace("allow_private: false", `allow_private: ["${address}"]`));
}

/** In the folder of a demo that is up, through a shell, because the README's line uses one. */
async function runCurl(command: string): Promise<void> {
  demo ??= await startDemo();
  const { stdout } = await run("sh", ["-c", command.replace("curl ", "curl -sS -f ").replace("localhost:4400", `127.0.0.1:${demo.port}`)], { cwd: demo.home });
  expect(Object.keys(JSON.parse(stdout) as object)).toContainEqual(expect.stringMatching(/^(data|runs)$/));
}

async function startDemo(): Promise<NonNullable<typeof demo>> {
  const home = path.join(folder, "demo");
  await mkdir(home, { recursive: true });
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const up = startCommand(["start"], { cwd: home, env: { PORT: String(port) } });
  demo = { up, home, port };                                // before it is up: whatever happens, it is stopped
  await up.printed("Up.");
  return demo;
}

test("every command of the README does what it says", { timeout: 300_000 }, async () => {
  const commands = commandsOf(await readFile(path.join(projectRoot, "README.md"), "utf8"));
  expect(commands.length).toBeGreaterThan(8);
  for (const command of commands) {
    const runner = runners.find(({ fits }) => fits.test(command));
    expect(runner, `nobody knows how to run: ${command}`).toBeDefined();
    await runner!.run(command);
  }
});

test("the manifest of the README's first screen is valid", async () => {
  const [, text] = /```yaml\n([\s\S]*?)```/.exec(await readFile(path.join(projectRoot, "README.md"), "utf8"))!;
  const workspace = read([{ layer: "workspace", label: "", files: new Map([["workspace.yaml", "name: readme\n"], ["connectors/manatal/connector.yaml", text!]]) }]);
  expect(validateWorkspace(workspace)).toEqual([]);
  expect(workspace.connectors.has("manatal")).toBe(true);
});

test("commands named in running text exist", async () => {
  const readme = await readFile(path.join(projectRoot, "README.md"), "utf8");
  const { scripts } = JSON.parse(await readFile(path.join(projectRoot, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/`npm (?:run )?([a-z:]+)/g)].map(([, script]) => script!);
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
  const { stdout } = await runCommand(["--help"], { cwd: projectRoot });
  const commands = [...readme.matchAll(/`(?:npx )?plugboard ([a-z]+)/g)].map(([, command]) => command!);
  expect(commands.filter((command) => !new RegExp(`^ {2}${command}\\b`, "m").test(stdout))).toEqual([]);
});
