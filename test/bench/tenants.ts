/**
 * Many organisations: 10,000 with three flows each. What one of them costs must not grow with how many others there are, and one
 * that has very much to do must not make a quiet one wait. Each figure stands beside the same thing with few organisations, or
 * written by hand, in the same run. Provider, scheduler and worker are this process; PostgreSQL is another.
 */
import { createServer as createHttp } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import pg from "pg";
import { createTransport } from "../../engine/components/transport/http.ts";
import { openJobs, startWorker, triggerRun } from "../../engine/jobs/index.ts";
import { startScheduler, type Scheduler } from "../../engine/jobs/scheduler.ts";
import { read, type Workspace } from "../../engine/manifest/index.ts";
import { resolveAll, resolvePlan, type TenantPlan } from "../../engine/plan/index.ts";
import { createKeyring, openDatabase, saveRevision, type Database } from "../../engine/store/index.ts";

const FLOWS = ["learners", "employers", "programmes"] as const;
const BY_HAND_TICKS = 3000;
const QUEUED = 10_000;
const TRIGGERS = 50;
/** What a provider takes to answer the busy tenant. */
const ANSWER_MILLISECONDS = 10;

const files = (port: number, tenants: number): Map<string, string> => new Map([
  ["workspace.yaml", "name: bench\negress: { allow_private: true }\n"],
  ["connectors/bench/connector.yaml", `connector: bench
title: Bench
http: { base_url: "http://127.0.0.1:${port}" }
streams:
${FLOWS.map((flow) => `  ${flow}: { get: /${flow}, key: id, records: items }`).join("\n")}
`],
  ["schemas/entities/person.schema.json", JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string" }, email: { type: "string" }, custom: { type: "object" } } })],
  ...FLOWS.map((flow): [string, string] => [`mappings/bench/${flow}.yaml`, `mapping: bench/${flow}\nfrom: bench.${flow}\nto: person\nfields: { name: first & " " & last, email: $lowercase(email) }\n`]),
  ["presets/bench/preset.yaml", `preset: bench
title: Bench
connections: { bench: { connector: bench, labels: { Provider: Bench } } }
flows:
${FLOWS.map((flow) => `  ${flow}: { from: { stream: bench.${flow}, every: 1h }, map: bench/${flow}, to: person }`).join("\n")}
`],
  ...Array.from({ length: tenants }, (_, index): [string, string] => [`tenants/${nameOf(index)}.yaml`, `tenant: ${nameOf(index)}\ntitle: Customer ${index}\nsubdomain: ${nameOf(index)}\npreset: bench\nflows: { learners: { from: { every: 15m } } }\n`]),
]);
const nameOf = (index: number): string => `t${String(index).padStart(5, "0")}`;

export async function measureTenants(url: string, key: string, tenants: number): Promise<object> {
  const provider = createHttp((request, response) => {
    asked.get(request.url!.slice(1))?.(performance.now());
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end('{"items":[]}'), request.url === "/learners" ? ANSWER_MILLISECONDS : 0);
  });
  /** Stream → who waits for its next request. */
  const asked = new Map<string, (at: number) => void>();
  await new Promise<void>((resolve) => { provider.listen(0, "127.0.0.1", resolve); });
  const { port } = provider.address() as AddressInfo;

  const planned = planOfOne(port, tenants);
  const db = await openDatabase({ url, max: 8, applicationName: "plugboard bench" });
  const applied = await apply(db, planned.plans, tenants);
  const tick = await scheduleTick(db, url, tenants);
  const wait = await quietTenant(db, url, key, planned.plans, asked);
  await db.close();
  provider.close();
  return { tenants, flows: FLOWS.length, plan: planned.figures, applied, tick, wait };
}

// ── planning ────────────────────────────────────────────────────────────────────────────────────────────────────────

function planOfOne(port: number, tenants: number): { plans: TenantPlan[]; figures: object } {
  const few = read([{ layer: "workspace", label: "", files: files(port, 10) }]);
  const before = heap();
  const begun = performance.now();
  const many = read([{ layer: "workspace", label: "", files: files(port, tenants) }]);
  const readSeconds = (performance.now() - begun) / 1000;
  const workspaceBytes = heap() - before;
  // In turn, so that both see the same machine; the first ones warm up.
  const times = { few: [] as number[], many: [] as number[] };
  for (let index = 0; index < 120; index++) {
    times.few.push(timed(() => resolvePlan(few, nameOf(index % 10))));
    times.many.push(timed(() => resolvePlan(many, nameOf((index * 83) % tenants))));
  }
  const [ofFew, ofMany] = [median(times.few.slice(20)), median(times.many.slice(20))];
  const all = performance.now();
  const plans = planAll(many);
  const allSeconds = (performance.now() - all) / 1000;
  console.log(`plan of one among ${tenants.toLocaleString("en")} tenants: ${ofMany.toFixed(2)} ms, among 10: ${ofFew.toFixed(2)} ms: ratio ${(ofMany / ofFew).toFixed(2)}`);
  console.log(`  all of them: read ${readSeconds.toFixed(1)} s, planned ${allSeconds.toFixed(1)} s; the workspace in memory ${megabytes(workspaceBytes)} MB, with all plans ${megabytes(heap() - before)} MB`);
  return { plans, figures: { one_ms: ofMany, one_of_ten_ms: ofFew, ratio: ofMany / ofFew, read_seconds: readSeconds, all_seconds: allSeconds, workspace_bytes: workspaceBytes } };
}

function planAll(workspace: Workspace): TenantPlan[] {
  const { plans, problems } = resolveAll(workspace);
  const errors = [...workspace.problems, ...problems].filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(`the benchmark's own configuration is wrong: ${JSON.stringify(errors[0])}`);
  return [...plans.values()];
}

async function apply(db: Database, plans: TenantPlan[], tenants: number): Promise<object> {
  const first = performance.now();
  await saveRevision(db, { id: "bench-tenants", plans });
  const firstSeconds = (performance.now() - first) / 1000;
  // One customer changes: everybody else's plan is looked at and stays.
  const [one, ...others] = plans as [TenantPlan, ...TenantPlan[]];
  const changed = { ...one, tenant: { ...one.tenant, title: "Another title" } };
  const again = performance.now();
  const { changed: names } = await saveRevision(db, { id: "bench-tenants-2", plans: [changed, ...others] });
  const againSeconds = (performance.now() - again) / 1000;
  if (names.length !== 1) throw new Error(`one tenant changed, and ${names.length} were told`);
  console.log(`apply of ${tenants.toLocaleString("en")} new tenants: ${firstSeconds.toFixed(1)} s (${(firstSeconds / tenants * 1000).toFixed(2)} ms each); of a change of one of them: ${againSeconds.toFixed(1)} s`);
  return { first_seconds: firstSeconds, one_changed_seconds: againSeconds };
}

// ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function scheduleTick(db: Database, url: string, tenants: number): Promise<object> {
  const onError = (cause: Error): void => { console.error(cause.message); };
  const jobs = await openJobs({ db, works: false, onError });
  const start = (): Scheduler => startScheduler({ db, queue: jobs.queue, pollMilliseconds: 86_400_000, onError });
  const first = start();                                   // works out every first tick
  await first.look();
  await first.stop();
  const admin = new pg.Client({ connectionString: url, options: "-c search_path=plugboard,pg_temp" });
  await admin.connect();

  await admin.query("create temporary table by_hand (tenant int, flow int, due_at timestamptz, primary key (tenant, flow)); create temporary table runs_by_hand (id bigserial primary key, tenant int, flow int, at timestamptz); create temporary table jobs_by_hand (id bigserial primary key, run bigint, data jsonb)");
  await admin.query("insert into by_hand select n / 3, n % 3, now() from generate_series(0, $1 - 1) n", [BY_HAND_TICKS]);
  const byHand = performance.now();
  for (let index = 0; index < BY_HAND_TICKS; index++) {
    await admin.query("begin");
    await admin.query("update by_hand set due_at = now() + interval '1 hour' where tenant = $1 and flow = $2", [Math.floor(index / 3), index % 3]);
    const { rows: [run] } = await admin.query("insert into runs_by_hand (tenant, flow, at) values ($1, $2, now()) returning id", [Math.floor(index / 3), index % 3]);
    await admin.query("insert into jobs_by_hand (run, data) values ($1, '{}')", [run.id]);
    await admin.query("commit");
  }
  const byHandEach = (performance.now() - byHand) / BY_HAND_TICKS;

  await admin.query("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
  const before = heap();
  const begun = performance.now();
  const scheduler = start();
  await scheduler.look();                                  // after the one that it begins with
  const seconds = (performance.now() - begun) / 1000;
  const made = Number((await admin.query("select count(*) as n from runs where trigger = 'schedule' and status = 'queued'")).rows[0].n);
  const bytes = heap() - before;
  const idle = [];
  for (let index = 0; index < 20; index++) { const at = performance.now(); await scheduler.look(); idle.push(performance.now() - at); }
  if (made !== tenants * FLOWS.length) throw new Error(`${tenants * FLOWS.length} flows were due and ${made} runs were made`);
  const each = seconds * 1000 / made;
  console.log(`schedule tick, ${made.toLocaleString("en")} flows due at once: ${seconds.toFixed(1)} s, ${each.toFixed(2)} ms a run; by hand (a transaction of three statements, without tenants) ${byHandEach.toFixed(2)} ms: ratio ${(each / byHandEach).toFixed(1)}; a look with nothing due ${median(idle).toFixed(1)} ms; memory ${bytes > 0 ? "+" : ""}${megabytes(bytes)} MB`);
  await scheduler.stop();
  await jobs.close();
  await admin.query("delete from run_log; delete from runs; delete from pgboss.job");
  await admin.end();
  return { due: made, seconds, each_ms: each, by_hand_each_ms: byHandEach, idle_ms: median(idle), heap_bytes: bytes };
}

// ── fairness ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The busy tenant has a flow for each of its runs: a flow has one queued run at most. The quiet one asks now and then. */
async function quietTenant(db: Database, url: string, key: string, plans: TenantPlan[], asked: Map<string, (at: number) => void>): Promise<object> {
  const keyring = await createKeyring({ value: key });
  const onError = (cause: Error): void => { console.error(cause.message); };
  const jobs = await openJobs({ db, works: true, onError });
  const transport = createTransport({ allowPrivate: true });
  const [model, quiet] = [plans[0]!, plans[1]!];
  const names = Array.from({ length: QUEUED }, (_, index) => `flow_${index}`);
  const busy: TenantPlan = { ...model, flows: Object.fromEntries(names.map((name) => { const { schedule: _, ...flow } = model.flows["learners"]!; return [name, { ...flow, name }]; })) };
  await saveRevision(db, { id: "bench-busy", plans: [busy, ...plans.slice(1)] });
  let worker = startWorker({ jobs, keyring, transport, schedules: false, onError });

  const waits = async (): Promise<number[]> => {
    const found: number[] = [];
    for (let index = 0; index < TRIGGERS; index++) {
      const reached = Promise.withResolvers<number>();
      asked.set("employers", reached.resolve);
      const at = performance.now();
      const created = await triggerRun(jobs.queue, db, quiet.tenant.id, { flow: "employers", connection: "bench", trigger: "api" });
      found.push(await reached.promise - at);
      for (let over = false; !over; await pause(10)) over = (await admin.query("select 1 from runs where id = $1 and finished_at is not null", [created!.run!.id])).rowCount === 1;
    }
    return found.toSorted((a, b) => a - b);
  };
  const admin = new pg.Client({ connectionString: url, options: "-c search_path=plugboard,pg_temp" });
  await admin.connect();
  const alone = await waits();

  await worker.stop(5000);                                 // so that all of them are queued before the first is worked on
  const unqueued = names[Symbol.iterator]();
  await Promise.all(Array.from({ length: 6 }, async () => { for (const flow of unqueued) await triggerRun(jobs.queue, db, busy.tenant.id, { flow, connection: "bench", trigger: "api" }); }));
  const left = async (): Promise<number> => Number((await admin.query("select count(*) as n from runs where status = 'queued'")).rows[0].n);
  const atFirst = await left();
  worker = startWorker({ jobs, keyring, transport, schedules: false, onError });
  const beside = await waits();
  const atLast = await left();
  const [p50, p99] = [quantile(beside, 0.5), quantile(beside, 0.99)];
  console.log(`a quiet tenant's wait, trigger to first request, ${TRIGGERS} times: beside one with ${atFirst.toLocaleString("en")} queued runs (${atLast.toLocaleString("en")} left at the end) p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; alone p50 ${quantile(alone, 0.5).toFixed(0)} ms, p99 ${quantile(alone, 0.99).toFixed(0)} ms`);
  await worker.stop(5000);
  await transport.close();
  await jobs.close();
  await admin.end();
  keyring.close();
  return { queued_at_first: atFirst, queued_at_last: atLast, p50_ms: p50, p99_ms: p99, alone_p50_ms: quantile(alone, 0.5), alone_p99_ms: quantile(alone, 0.99) };
}

// ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Bytes that are really held. */
const heap = (): number => { collect(); return process.memoryUsage().heapUsed; };
const timed = (work: () => unknown): number => { const begun = performance.now(); work(); return performance.now() - begun; };
const median = (numbers: readonly number[]): number => quantile(numbers.toSorted((a, b) => a - b), 0.5);
const quantile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0);
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
