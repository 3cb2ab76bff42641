import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { InvalidArgumentError, Option, type Command } from "commander";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError, type Problem } from "../../../engine/errors/plugboard-error.ts";
import { resolvePlan, type TenantPlan } from "../../../engine/plan/index.ts";
import { createMemoryBuckets } from "../../../engine/run/memory-buckets.ts";
import { createMemoryStore, memoryRows } from "../../../engine/run/memory-store.ts";
import { createMemoryTokens } from "../../../engine/run/memory-tokens.ts";
import type { PageCommit, RunMode, RunPorts, RunResult } from "../../../engine/run/ports.ts";
import { runFlow } from "../../../engine/run/run-flow.ts";
import { systemClock } from "../../../engine/run/system-clock.ts";
import { allowPrivate, locateWorkspace, readWorkspace, refuseErrors, type LocatedWorkspace } from "../../workspace/locate.ts";
import { collectSet, enteredValues } from "../connection-values.ts";
import { print, printJson, say } from "../output.ts";
import { progressBoard } from "../progress.ts";
import { describeResult } from "../result.ts";
import { environmentNames, runInDatabase } from "../run-in-database.ts";

interface RunOptions {
  workspace?: string;
  set: readonly string[];
  to: "stdout" | "jsonl" | "db";
  out?: string;
  map?: string;
  raw?: boolean;
  mode?: RunMode;
  limit?: number;
  tenant?: string;
  data?: string;
  json?: boolean;
}

/** Reasons shown while a stream runs by itself; a wrong mapping gives one for every record. */
const SHOWN_REASONS = 5;
/** The tenant, and the entity of unmapped records, of a stream that is run without a tenant. */
const LOCAL = "local";
const ANY_RECORD = JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "record", title: "Record", type: "object", additionalProperties: true });

export function registerRun(program: Command): void {
  program.command("run")
    .description("run one stream (hubspot.companies) to stdout, a file or the database, or one flow of a tenant (acme employers)")
    .argument("<target>", "<connector>.<stream>, <connection>.<stream> with --tenant, or a tenant's id")
    .argument("[flow]", "the tenant's flow")
    .option("--set <field=value>", "a config value or secret; env:NAME and file:PATH read it from there (repeatable)", collectSet, [])
    .addOption(new Option("--to <target>", "where records go").choices(["stdout", "jsonl", "db"]).default("stdout"))
    .option("--out <file>", "with --to jsonl: the file (default <stream>.jsonl)")
    .option("--map <mapping>", "map records before printing them (default: the stream's only mapping; none: --raw)")
    .option("--raw", "print records as the provider sent them")
    .addOption(new Option("--mode <mode>", "read everything, or only what changed").choices(["full", "incremental"]))
    .option("--limit <records>", "stop after about so many records", positive)
    .option("--tenant <id>", "the tenant that a connection or a database run belongs to")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .option("--data <dir>", "data folder for --to db (default: <workspace>/.plugboard)")
    .option("--json", "print one JSON document with the result at the end")
    .addHelpText("after", `
Config values also come from the environment: PLUGBOARD_<CONNECTOR>_<FIELD>, for example PLUGBOARD_HUBSPOT_ACCESS_TOKEN.

Examples:
  plugboard run hubspot.companies --set access_token=env:TOKEN --limit 10
  plugboard run hubspot.companies --raw --to jsonl --out companies.jsonl
  plugboard run acme employers --mode full`)
    .action(async (target: string, flow: string | undefined, options: RunOptions) => {
      const cwd = process.cwd();
      const root = locateWorkspace(options.workspace, cwd);
      const request = chooseRequest(readWorkspace(root, cwd), target, flow, options, cwd);
      const { plan, problems } = resolvePlan(request.located.workspace, request.tenant);
      // A place in the tenant that was made for this run is a place in no file.
      refuseErrors([...request.located.workspace.problems, ...problems].map((problem) => (request.made && problem.at?.file.endsWith(`tenants/${request.tenant}.yaml`) ? withoutPlace(problem) : problem)));
      const result = request.to === "db"
        ? await runInDatabase({ ...request, plan, root, data: options.data, sets: options.set, ...(options.mode ? { mode: options.mode } : {}) })
        : await runToLines(request, plan, options);
      if (options.json) printJson({ tenant: request.tenant, flow: request.flow, ...result, ok: isOk(result) });
      if (!isOk(result)) process.exitCode = 1;
    });
}

const isOk = (result: RunResult): boolean => result.status === "succeeded" || result.status === "succeeded_with_quarantine";

export interface ChosenRun {
  readonly located: LocatedWorkspace;
  readonly tenant: string;
  readonly flow: string;
  readonly to: RunOptions["to"];
  /** The stream is run by itself: the tenant and its flow were made for it. */
  readonly made: boolean;
}

/** A stream that is run by itself becomes the only flow of a tenant that is laid over the workspace: one way to run anything. */
function chooseRequest(located: LocatedWorkspace, target: string, flow: string | undefined, options: RunOptions, cwd: string): ChosenRun {
  const { workspace, root } = located;
  const [name = "", stream] = target.split(".");
  if (stream === undefined) {
    if (!workspace.tenants.has(target)) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant: target, suggestion: `For a stream write <connector>.<stream>; for a tenant: ${suggest(target, workspace.tenants.keys())}` });
    const { flows: reading, change_flows: sending = {} } = resolvePlan(workspace, target).plan;
    const flows = Object.keys(reading);
    const [only] = flows;
    if (flow === undefined && flows.length === 1) return { located, tenant: target, flow: only!, to: "db", made: false };
    if (flow === undefined) throw usage(`Tenant '${target}' has several flows: name one.`, `plugboard run ${target} ${flows[0] ?? "<flow>"}   (${flows.join(", ")})`);
    if (!flows.includes(flow)) throw new PlugboardError("PLAN_UNKNOWN_FLOW", { tenant: target, flow, suggestion: Object.hasOwn(sending, flow) ? `'${flow}' sends when ${sending[flow]!.entity} changes, and is not run: plugboard preview ${target} ${flow} shows what it would send` : suggest(flow, flows) });
    return { located, tenant: target, flow, to: "db", made: false };
  }

  const tenant = options.tenant ?? LOCAL;
  const own = workspace.tenants.has(tenant) ? resolvePlan(workspace, tenant).plan : undefined;
  const existing = own && Object.values(own.flows).find((each) => (each.connection === name || each.connector === name) && each.stream === stream);
  if (existing && options.to === "db") return { located, tenant, flow: existing.name, to: "db", made: false };
  const connector = own?.connections[name]?.connector ?? name;
  if (!workspace.connectors.has(connector)) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Connector", name: connector, suggestion: suggest(connector, workspace.connectors.keys()) });
  const mapping = options.raw ? undefined : (options.map ?? onlyMapping(located, connector, stream));
  const entity = mapping === undefined ? "record" : entityOf(located, mapping);
  if (mapping === undefined && options.to === "db")
    throw usage(`Nothing maps ${connector}.${stream} to an entity, so the database has no place for it.`, `Write mappings/${connector}/<name>.yaml with 'from: ${connector}.${stream}', or use --to stdout.`);
  const id = own ? tenant : LOCAL;
  const manifest = { tenant: id, title: "Command line", subdomain: id, connections: { [name]: { connector } }, flows: { [stream]: { from: { stream: `${name}.${stream}` }, ...(mapping === undefined ? {} : { map: mapping }), to: entity, ...(options.limit === undefined ? {} : { caps: { records: options.limit } }) } } };
  const extra: Record<string, string> = { [`tenants/${id}.yaml`]: JSON.stringify(manifest, undefined, 1), ...(mapping === undefined ? { "schemas/entities/record.schema.json": ANY_RECORD } : {}) };
  return { located: readWorkspace(root, cwd, extra), tenant: id, flow: stream, to: options.to, made: true };
}

function onlyMapping({ workspace }: LocatedWorkspace, connector: string, stream: string): string | undefined {
  const fitting = [...workspace.mappings.entries()].filter(([, manifests]) => manifests.at(-1)?.value["from"] === `${connector}.${stream}`).map(([id]) => id);
  if (fitting.length > 1) throw usage(`Several mappings read ${connector}.${stream}: ${fitting.join(", ")}.`, `Choose one: --map ${fitting[0]}, or --raw.`);
  return fitting[0];
}

function entityOf({ workspace }: LocatedWorkspace, mapping: string): string {
  const manifest = workspace.mappings.get(mapping)?.at(-1);
  if (!manifest) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Mapping", name: mapping, suggestion: suggest(mapping, workspace.mappings.keys()) });
  return String(manifest.value["to"]);
}

/** Reads the stream into lines of JSON; nothing is kept but what is printed. */
async function runToLines(chosen: ChosenRun, plan: TenantPlan, options: RunOptions): Promise<RunResult> {
  const flow = plan.flows[chosen.flow]!;
  const connector = plan.connectors[flow.connector]!;
  const { config, secrets } = enteredValues(connector, { id: flow.connection, plan: plan.connections[flow.connection] }, options.set, process.env, environmentNames(chosen.tenant, flow.connection, connector.id));
  const file = options.to === "jsonl" ? (options.out ?? `${flow.stream}.jsonl`) : undefined;
  const sink = file === undefined ? process.stdout : createWriteStream(file);
  const board = progressBoard();
  const name = `${flow.connection}.${flow.stream}`;
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  let printed = 0;
  let refused = 0;

  const write = async (page: PageCommit): Promise<void> => {
    const lines = page.records.slice(0, options.limit === undefined ? undefined : Math.max(0, options.limit - printed))
      .map(({ key, data, raw }) => JSON.stringify(flow.map ? { external_id: key, ...data } : raw));
    printed += lines.length;
    if (lines.length > 0 && !sink.write(`${lines.join("\n")}\n`)) await once(sink, "drain");
    for (const { key, code, reason } of page.quarantined) {
      refused += 1;
      if (refused <= SHOWN_REASONS) board.note(`  ! ${key ?? "(no key)"}  ${code}  ${reason}`);
      else if (refused === SHOWN_REASONS + 1) board.note("  ! more records were refused; the result counts them");
    }
  };
  const transport = createTransport({ allowPrivate: allowPrivate(chosen.located.workspace) });
  const ports: RunPorts = {
    store: createMemoryStore({ rows: memoryRows(), keepRows: false, onPage: write }),
    transport,
    buckets: createMemoryBuckets(Date.now),
    clock: systemClock,
    token: createMemoryTokens(),
    // What ended the run is said at the end.
    log: (line) => { if (line.level === "warn") board.note(`  ! ${line.message}`); },
    progress: (progress) => board.update(name, progress),
  };
  const startedAt = Date.now();
  try {
    const result = await runFlow({ run: createHash("sha256").update(`${name}${startedAt}`).digest("hex").slice(0, 12), attempt: 1, plan, flow: chosen.flow, connection: { config: { ...config, ...secrets } }, mode: options.mode ?? "full", signal: stop.signal }, ports);
    // A limit that was asked for is a success, not a cap that was hit.
    const ended: RunResult = options.limit !== undefined && result.error?.code === "RUN_CAP" ? withoutError(result) : result;
    board.finish(name, isOk(ended), describeResult(ended, (Date.now() - startedAt) / 1000));
    board.close();
    if (ended.error) say(`error  ${ended.error.code}  ${ended.error.message}${ended.error.hint ? `\n  hint: ${ended.error.hint}` : ""}${ended.error.next ? `\n  next: ${ended.error.next}` : ""}`);
    if (file !== undefined && !options.json) print(`${printed} records written to ${file}`);
    return ended;
  } finally {
    process.off("SIGINT", interrupt);
    await transport.close();
    if (file !== undefined) { sink.end(); await finished(sink); }
  }
}

function withoutError({ error: _, ...result }: RunResult): RunResult {
  return { ...result, status: "succeeded" };
}

function withoutPlace({ at: _, ...problem }: Problem): Problem {
  return problem;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

const usage = (detail: string, suggestion: string): PlugboardError => new PlugboardError("CLI_USAGE", { detail, suggestion });
