import { hostname } from "node:os";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import pc from "picocolors";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { triggerRun } from "../../../engine/jobs/index.ts";
import type { TenantPlan } from "../../../engine/plan/index.ts";
import { endLeasesOf, entityCounts, findApiKey, getRun, setConnection, setConnectionStatus, type Run } from "../../../engine/store/index.ts";
import { hashApiKey } from "../../api/keys.ts";
import { startDemo, type Demo } from "../../demo/index.ts";
import { demoPeople, signInFile, type DemoPerson } from "../../demo/people.ts";
import { apiKeyFile, databaseUrlFile, openInstallation, readApiKey, type Installation } from "../../installation.ts";
import { isAlive } from "../../process-alive.ts";
import { createServer, DEFAULT_PORT, issueKey, listen, settingsOf } from "../../main.ts";
import { builtStudio } from "../../studio.ts";
import { allowPrivate, dataFolder, readWorkspace, retention, returnOrigins, type LocatedWorkspace } from "../../workspace/locate.ts";
import { findWorkspace } from "../../workspace/read-tree.ts";
import { applyLocated } from "../apply.ts";
import { print, printJson, say } from "../output.ts";
import { progressBoard } from "../progress.ts";
import { serveWorkspace } from "../serve-review.ts";
import { referencesOf } from "../references.ts";
import { quarantineNotes } from "../quarantine-note.ts";
import { describeRun, secondsOf, succeeded, watchRuns, type WatchedRun } from "../watch-runs.ts";

interface StartOptions { once?: boolean; json?: boolean; port?: number; host?: string; workspace?: string; data?: string; slots?: number; databaseUrl?: string }

export function registerStart(program: Command): void {
  program.command("start")
    .description("start everything: database, server, worker, and a demo workspace when you have none of your own")
    .option("--once", "run every flow once, then exit: 0 only if all succeeded")
    .option("--json", "print one JSON document with what was synced (the last line of stdout)")
    .option("--port <port>", `of the HTTP server (default: PORT, else ${DEFAULT_PORT})`, whole(0, 65_535))
    .option("--host <address>", "the HTTP server listens on (default: HOST, else 127.0.0.1)")
    .option("--workspace <dir>", "your workspace (default: the nearest folder upwards with a workspace.yaml, else the demo)")
    .option("--data <dir>", "data folder (default: .plugboard)")
    .option("--database-url <url>", "another PostgreSQL than the embedded one (default: DATABASE_URL)")
    .option("--slots <number>", "runs at once (default: PLUGBOARD_SLOTS, else 4)", whole(1, 200))
    .addHelpText("after", "\nEnvironment: DATABASE_URL, PORT, PLUGBOARD_KEK (key-encryption key, 32 bytes in base64)")
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  const cwd = process.cwd();
  const settings = settingsOf(process.env);
  const [host, port] = [options.host ?? settings.host, options.port ?? settings.port];
  const own = options.workspace ?? findWorkspace(cwd);
  const data = dataFolder(options.data, own === undefined ? undefined : path.resolve(cwd, own), cwd);
  const stop = new AbortController();
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => { for (const step of closing.splice(0).reverse()) await step(); };
  onSignals(stop, close);

  try {
    // The port first: it is the most likely thing to be wrong, and nothing has to be undone yet.
    if (port !== 0) await refuseTakenPort(port, host);
    const installation = await openInstallation({ data, databaseUrl: options.databaseUrl ?? settings.databaseUrl, migrateUrl: settings.migrateUrl, kek: settings.kek, kekOld: settings.kekOld, vault: settings.vault, works: true, log: say, onError: (cause) => say(pc.dim(`  ${cause.message}`)) });
    closing.push(() => installation.close());
    await lock(data, closing);
    // What a killed start left running here goes on now, not when its lease runs out.
    await endLeasesOf(installation.db, isGone);
    const demo = own === undefined ? await openDemo(data, closing) : undefined;
    const located = readWorkspace(demo?.workspaceDir ?? path.resolve(cwd, own!), cwd);
    const plans = await applyLocated(installation.db, located);
    for (const { tenant, connection, config, secrets, account } of demo?.connections ?? []) {
      const plan = plans.get(tenant);
      const planned = plan?.connections[connection];
      if (plan === undefined || planned === undefined) continue;                // somebody took it out
      const { id: connector } = plan.connectors[planned.connector]!;
      await setConnection(installation.db, installation.keyring, tenant, connection, { connector, config, secrets });
      if (account !== undefined) await setConnectionStatus(installation.db, tenant, connection, "ok", {}, account);
    }

    const people = demo === undefined ? [] : await demoPeople(installation.db, data);
    const key = await ownApiKey(installation, data);
    await writeFile(databaseUrlFile(data), `${installation.url}\n`, { mode: 0o600 });
    const [mayReach, references] = [allowPrivate(located.workspace), referencesOf(located.workspace, process.env)];
    const served = await serveWorkspace(located.root, installation, { allowPrivate: mayReach, references, publicUrl: settings.publicUrl });
    closing.push(() => served.close());
    const server = await createServer({ workspace: served.workspace, forges: served.forges, db: installation.db, jobs: installation.jobs, keyring: installation.keyring, domain: settings.domain, publicUrl: settings.publicUrl, returnOrigins: returnOrigins(located.workspace), allowPrivate: mayReach, references, studio: options.once === true ? undefined : await builtStudio(say), ...(settings.trustProxy === undefined ? {} : { trustProxy: settings.trustProxy }) });
    closing.push(() => server.close());
    const address = await listen(server, { host, port });
    const slots = options.slots ?? settings.slots;
    installation.work({ allowPrivate: mayReach, retention: retention(located.workspace), references, schedules: options.once !== true, ...(slots === undefined ? {} : { slots }) });

    const begunAt = Date.now();
    const runs = await runAll(installation, plans, stop.signal);
    const seconds = (Date.now() - begunAt) / 1000;
    const entities = await countEntities(installation, plans);
    const ok = runs.every(succeeded);
    if (!options.json || !options.once) report({ runs, seconds, entities, demo, located, people, key, data, address: options.once ? undefined : address, installation, cwd });
    if (options.json) printJson(summary(runs, entities, seconds, ok));
    if (options.once) {
      await close();
      process.exit(ok ? 0 : 1);
    }
    for (const run of runs) for (const line of await quarantineNotes(installation.db, run)) say(line);
    await demo?.live({ db: installation.db, keyring: installation.keyring, address });
    tellRuns(installation);
    say(pc.dim("\nUp. Flows run on their schedules; commits to the workspace take effect within seconds. Ctrl-C stops."));
  } catch (thrown) {
    await close();
    if (stop.signal.aborted) return;
    throw thrown;
  }
}

// ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The first signal ends pages and closes in order; the second one does not wait. */
function onSignals(stop: AbortController, close: () => Promise<void>): void {
  let asked = false;
  const end = (): void => {
    if (asked) process.exit(130);
    asked = true;
    say("\nStopping: runs end their page first. Once more to stop at once.");
    stop.abort(new Error("stopped"));
    close().then(() => process.exit(0), () => process.exit(1));
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}

/** One process per data folder: two would start the stand-ins twice and move their addresses under each other. */
async function lock(data: string, closing: (() => Promise<unknown>)[]): Promise<void> {
  const file = path.join(data, "start.pid");
  for (let tries = 0; ; tries++) {
    try {
      await writeFile(file, String(process.pid), { flag: "wx" });
      closing.push(() => rm(file, { force: true }));
      return;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EEXIST" || tries > 2) throw thrown;
      const holder = Number(await readFile(file, "utf8").catch(() => ""));
      if (holder > 0 && isAlive(holder)) throw new PlugboardError("STORE_DATA_FOLDER", { folder: data, detail: `Plugboard is running in it already (process ${holder})`, suggestion: "Stop that one first, or choose another folder with --data." });
      await rm(file, { force: true });
    }
  }
}

/** Owners are named host:process:letters. */
function isGone(owner: string): boolean {
  const [host, pid] = owner.split(":");
  return host === hostname() && Number(pid) !== process.pid && !isAlive(Number(pid));
}

/** A line for every run that ends from now on. */
function tellRuns({ jobs, db }: Installation): void {
  jobs.board.watch(({ tenant, run: id, status }) => {
    if (status === undefined) return;
    void getRun(db, tenant, id).then(async (run) => {
      if (!run) return;
      say(`${pc.dim(new Date().toISOString().slice(11, 19))}  ${succeeded(run) ? pc.green("✓") : pc.red("✗")} ${tenant}/${run.flow}  ${describeRun(run)}`);
      if (run.error) say(`          ${run.error.message}${run.error.hint ? `  ${run.error.hint}` : ""}`);
      for (const line of await quarantineNotes(db, run)) say(line);
    }).catch(() => undefined);                             // the database is gone: that is told elsewhere
  });
}

async function openDemo(data: string, closing: (() => Promise<unknown>)[]): Promise<Demo> {
  const demo = await startDemo({ folder: data, log: say });
  closing.push(() => demo.close());
  return demo;
}

/** The operator's key of this data folder; a new one when the database does not know it (any more). */
async function ownApiKey({ db }: Installation, data: string): Promise<string> {
  const kept = await readApiKey(data);
  if (kept !== undefined && (await findApiKey(db, hashApiKey(kept))) !== undefined) return kept;
  const key = await issueKey(db, { name: "operator, made by plugboard start", scopes: ["*"] });
  const file = await open(apiKeyFile(data), "w", 0o600);
  await file.writeFile(`${key}\n`);
  await file.close();
  return key;
}

async function refuseTakenPort(wanted: number, host: string): Promise<void> {
  const { createServer: createSocket } = await import("node:net");
  await new Promise<void>((resolve, reject) => {
    const probe = createSocket();
    probe.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE" ? taken(wanted) : error));
    probe.listen(wanted, host, () => probe.close(() => resolve()));
  });
}

const taken = (wanted: number): PlugboardError => new PlugboardError("SERVER_PORT_TAKEN", { port: wanted, other: wanted + 1 });

// ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function runAll({ db, jobs }: Installation, plans: ReadonlyMap<string, TenantPlan>, signal: AbortSignal): Promise<Run[]> {
  const watched: WatchedRun[] = [];
  for (const [tenant, plan] of plans) {
    for (const flow of Object.values(plan.flows)) {
      if (!flow.enabled) continue;
      const created = await triggerRun(jobs.queue, db, tenant, { flow: flow.name, connection: flow.connection, trigger: "start" });
      if (created?.run) watched.push({ tenant, flow: flow.name, run: created.run.id });
    }
  }
  const board = progressBoard();
  try {
    return await watchRuns(jobs, watched, board, signal);
  } finally {
    board.close();
  }
}

type Counts = Readonly<Record<string, number>>;

async function countEntities({ db }: Installation, plans: ReadonlyMap<string, TenantPlan>): Promise<Counts> {
  const total: Record<string, number> = {};
  for (const tenant of plans.keys()) for (const [entity, rows] of Object.entries(await entityCounts(db, tenant))) total[entity] = (total[entity] ?? 0) + rows;
  return total;
}

// ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function summary(runs: readonly Run[], entities: Counts, seconds: number, ok: boolean): object {
  return {
    ok, seconds: round(seconds),
    flows: runs.map((run) => {
      const { read, created, updated, unchanged, superseded, deleted, filtered, quarantined, swept, pages } = run.counters;
      return {
        tenant: run.tenant, flow: run.flow, status: run.status, mode: run.mode, read, stored: created + updated, created, updated, unchanged, superseded, deleted, filtered, quarantined, swept, pages,
        seconds: round(secondsOf(run)), ...(run.error ? { error: run.error } : {}),
      };
    }),
    entities,
  };
}

interface Told { runs: readonly Run[]; seconds: number; entities: Counts; demo: Demo | undefined; located: LocatedWorkspace; people: readonly DemoPerson[]; key: string; data: string; /** Where the server listens; absent when it is about to stop. */ address: string | undefined; installation: Installation; cwd: string }

function report({ runs, seconds, entities, demo, located, people, key, data, address, installation, cwd }: Told): void {
  const columns = ["read", "created", "updated", "unchanged", "deleted", "filtered", "quarantined"] as const;
  const rows = runs.map((run) => [`${run.tenant}/${run.flow}`, run.mode ?? "", ...columns.map((column) => run.counters[column].toLocaleString("en")), `${secondsOf(run).toFixed(1)} s`, run.status]);
  print(`\n${pc.bold(`${runs.filter(succeeded).length} of ${runs.length} flows succeeded`)} in ${seconds.toFixed(1)} s`);
  print(table(["flow", "mode", ...columns, "time", "result"], rows));
  for (const run of runs) if (run.error) print(`  ${pc.red("✗")} ${run.tenant}/${run.flow}: ${run.error.code} ${run.error.message}${run.error.hint ? `\n    hint: ${run.error.hint}` : ""}`);
  print(`\nRows now: ${Object.entries(entities).map(([entity, rows]) => `${rows.toLocaleString("en")} ${entity}`).join(" · ") || "none"}`);
  if (address === undefined) return;
  const tenant = runs[0]?.tenant ?? [...located.workspace.tenants.keys()][0] ?? "<tenant>";
  const relative = (file: string): string => path.relative(cwd, file) || ".";
  print(`\n${pc.bold("Open")}
  ${address}/docs   the HTTP API
  curl -H "Authorization: Bearer $(cat ${relative(apiKeyFile(data))})" "${address}/api/records/${Object.keys(entities)[0] ?? "<entity>"}?tenant=${tenant}&limit=2"
  ${relative(located.root)}   the workspace, a Git repository${demo ? "; its README says what to try" : ""}
  npx plugboard explain ${tenant}   where each value comes from`);
  if (installation.embedded) print(`  psql "$(cat ${relative(databaseUrlFile(data))})"   views entities.<entity> and entities.<entity>_by_origin`);
  if (people.length > 0) {
    const width = Math.max(...people.map(({ email }) => email.length));
    print(`\n${pc.bold("Sign in")} at ${address}/ (kept in ${relative(signInFile(data))})\n${people.map(({ email, password, role }) => `  ${email.padEnd(width)}  ${password}   ${role}`).join("\n")}`);
  }
  print(`\nThe API key is in ${relative(apiKeyFile(data))}: ${key.slice(0, 8)}…`);
}

/** Columns as wide as their widest cell; numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => `  ${row.map((cell, column) => (/^[\d.,]+( s)?$/.test(cell) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join("  ").trimEnd()}`;
  const titles = head.map((title, column) => (rows.length > 0 && /^[\d.,]+( s)?$/.test(rows[0]![column]!) ? title.padStart(widths[column]!) : title));
  return [pc.dim(line(titles)), ...rows.map(line)].join("\n");
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

const whole = (least: number, most: number) => (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  return value;
};
