/**
 * The push rig: a provider that pushes as the worst of them do, a receiver that fails as the worst of them do, and between them a
 * server and two workers that are killed and stopped at every step, over a database that goes away. What was accepted must be
 * processed once; what had to leave must have arrived, under one id, in its key's order; and it must all end by itself.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { openJobs, triggerRun } from "../../../engine/jobs/index.ts";
import { read } from "../../../engine/manifest/read.ts";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { createKeyring, generateKey, makeEndpoint, migrate, openDatabase, putOutgoingEndpoint, saveRevision, setConnection } from "../../../engine/store/index.ts";
import { makeStorm, type Blow, type Point } from "./blows.ts";
import { ENDPOINT, fixtureFiles, SECRET, TENANT, TOKEN } from "./fixture.ts";
import { AUDIT, judge, violationsOf, type PushFindings } from "./judge.ts";
import type { PushMutant } from "./mutants.ts";
import { spawnProcess, type RigProcess } from "./processes.ts";
import { startPushingProvider, type PushingProvider, type SenderFaults } from "./provider.ts";
import { startFlakyReceiver, type FlakyReceiver, type ReceiverFault } from "./receiver.ts";

export interface PushRigOptions {
  readonly seed: number;
  /** Events that the provider sends, over three feeds. */
  readonly events: number;
  readonly kills: number;
  /** Processes that are stopped, and wake when another has taken over. */
  readonly stops: number;
  /** How often the database goes away. */
  readonly cuts: number;
  /** Who is struck. @default both */
  readonly who?: "worker" | "server";
  /** Where workers die. @default everywhere */
  readonly points?: readonly Point[];
  readonly mutant?: PushMutant | undefined;
  /** A database of its own, empty or migrated; its user must be a superuser. */
  readonly databaseUrl: string;
  /** Makes the whole of PostgreSQL die at once and start again. @default its sessions are cut */
  readonly restartDatabase?: () => Promise<void>;
  log(line: string): void;
}

export interface PushReport {
  readonly seed: number;
  readonly mutant: PushMutant | null;
  readonly kills: number;
  /** By point; `anywhere` and `server` from outside. */
  readonly killedAt: Readonly<Record<string, number>>;
  readonly zombies: number;
  readonly cuts: number;
  /** Points that were not reached in time: the worker was killed where it was. */
  readonly missed: number;
  /** Events accepted, copies of them that came, hints. */
  readonly events: number;
  readonly copies: number;
  readonly senderFaults: SenderFaults;
  readonly receiverFaults: Readonly<Record<ReceiverFault, number>>;
  readonly deliveries: number;
  readonly attempts: number;
  /** Attempts of which nobody saw the end, and lookups of what they did. */
  readonly unknown: number;
  readonly lookups: number;
  readonly seconds: number;
  /** From the last blow until everything was accepted, processed and delivered; null: it never was. */
  readonly recoverySeconds: number | null;
  readonly findings: PushFindings;
  readonly violations: readonly string[];
}

const FAULT_SHARE = 0.25;
const EVENTS_PER_SECOND = 300;
/** How long a worker may take to reach the point where it dies. */
const POINT_MILLISECONDS = 12_000;
/** Of the events; the others trickle while a blow waits for its point, and come when the storm is over. */
const PACED_SHARE = 0.6;
const TRICKLE_MILLISECONDS = 100;
/** Longer than a worker's lease on what it sends. */
const STOPPED_MILLISECONDS = 11_500;
/** What a process that died had sent is done by then. */
const DONE_MILLISECONDS = 600;
const AWAKE_MILLISECONDS = 1_500;
/** A server that is stopped so long answers after its senders have come again. */
const SERVER_STOPPED_MILLISECONDS = 2_500;
const HURRY_MILLISECONDS = 200;
/** Everything must settle in this time, on a busy machine; a mutant that loses something may leave it hanging. */
const PATIENCE_MILLISECONDS = { engine: 240_000, mutant: 20_000 } as const;

export async function runPushRig(options: PushRigOptions): Promise<PushReport> {
  const begun = Date.now();
  const blows = makeStorm(options);
  const provider = await startPushingProvider({ seed: options.seed, events: options.events, perSecond: EVENTS_PER_SECOND, faultShare: FAULT_SHARE });
  const receiver = await startFlakyReceiver({ seed: options.seed, faultShare: FAULT_SHARE });
  await migrate({ url: options.databaseUrl });
  const admin = new pg.Pool({ connectionString: options.databaseUrl, max: 3, application_name: "rig" });
  admin.on("error", () => undefined);                      // its next query says the same, to whoever asks it
  await admin.query(AUDIT);
  const set = await configure(options, provider, receiver);
  const crew = new Crew(options, blows, admin, { ...set, port: await freePort(), hosts: [provider.url, receiver.url].map((url) => new URL(url).host), receiverUrl: receiver.url });
  try {
    await crew.begin();
    const sending = provider.send({ orders: `${crew.serverUrl}${set.addresses.orders}`, people: `${crew.serverUrl}${set.addresses.people}`, hints: `${crew.serverUrl}${set.addresses.hints}` });
    for (const blow of blows) {
      provider.allow(Math.ceil((provider.total * PACED_SHARE) / blows.length));
      // While it waits for its point there is always something to do.
      const trickle = setInterval(() => provider.allow(1), TRICKLE_MILLISECONDS);
      await crew.strike(blow).finally(() => clearInterval(trickle));
    }
    await crew.awake();
    provider.calm();
    receiver.calm();
    provider.allow(provider.total);
    const calm = Date.now();
    const patience = PATIENCE_MILLISECONDS[options.mutant === undefined ? "engine" : "mutant"];
    const settled = await within(sending.then(() => true), patience) === true && await crew.settled(calm + patience);
    const recoverySeconds = settled ? seconds(calm) : null;
    provider.stop();
    await crew.dismiss();
    const findings = await judge(admin, provider, receiver);
    const one = async <Row extends object>(text: string): Promise<Row> => (await admin.query<Row>(text)).rows[0]!;
    const { copies } = await one<{ copies: number }>("select coalesce(sum(copies), 0)::int as copies from plugboard.events");
    const { deliveries, attempts, unknown } = await one<{ deliveries: number; attempts: number; unknown: number }>("select (select count(*)::int from plugboard.deliveries) as deliveries, count(*)::int as attempts, count(*) filter (where outcome is null or outcome = 'unknown')::int as unknown from plugboard.delivery_attempts");
    return {
      seed: options.seed, mutant: options.mutant ?? null, kills: Object.values(crew.killedAt).reduce((sum, count) => sum + count, 0), killedAt: crew.killedAt, zombies: crew.zombies, cuts: crew.cuts, missed: crew.missed,
      events: provider.accepted, copies, senderFaults: provider.faults, receiverFaults: receiver.faults, deliveries, attempts, unknown, lookups: receiver.lookups, seconds: seconds(begun), recoverySeconds, findings,
      violations: [...violationsOf(findings), ...settled ? [] : [`not settled after ${patience / 1000} s: ${await crew.open()}`], ...crew.broken],
    };
  } finally {
    provider.stop();
    await crew.dismiss();
    await admin.end();
    await provider.close();
    await receiver.close();
  }
}

interface Configured { readonly databaseUrl: string; readonly key: string; readonly addresses: Readonly<Record<"orders" | "people" | "hints", string>> }

/** The configuration in force, the connections entered, the addresses made, a first load asked for. */
async function configure({ databaseUrl, mutant }: PushRigOptions, provider: PushingProvider, receiver: FlakyReceiver): Promise<Configured> {
  const db = await openDatabase({ url: databaseUrl, applicationName: "rig", max: 2 });
  const key = generateKey();
  const keyring = await createKeyring({ value: key });
  const workspace = read([{ layer: "workspace", label: "", files: fixtureFiles() }]);
  const { plan, problems } = resolvePlan(workspace, TENANT);
  if (workspace.problems.length + problems.length > 0) throw new Error(`the rig's own configuration is wrong: ${JSON.stringify([...workspace.problems, ...problems])}`);
  await saveRevision(db, { id: createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16), plans: [plan] });
  await setConnection(db, keyring, TENANT, "crm", { connector: "crm", config: { url: provider.url }, secrets: { key: SECRET } });
  await setConnection(db, keyring, TENANT, "shop", { connector: "shop", config: { url: receiver.url }, secrets: { token: TOKEN } });
  const { secret } = await putOutgoingEndpoint(db, keyring, TENANT, ENDPOINT, `${receiver.url}/hook`);
  if (mutant !== "no-outbox") receiver.trust(secret!);       // that one does not sign: it must fail for what it loses
  const address = async (feed: string): Promise<string> => `/webhooks/crm/${(await makeEndpoint(db, TENANT, { connector: "crm", connection: "crm", feed }, "rig")).token}`;
  const addresses = { orders: await address("orders"), people: await address("people"), hints: await address("hints") };
  const jobs = await openJobs({ db, works: false, onError: () => undefined });
  await triggerRun(jobs.queue, db, TENANT, { flow: "archive", connection: "crm", trigger: "api", requestedBy: "rig" });
  await jobs.close();
  keyring.close();
  await db.close();
  return { databaseUrl, key, addresses };
}

/** Everything on its way: one statement, so that nothing slips from one table to the next unseen. */
const ON_ITS_WAY = `select
  (select count(*) from plugboard.events where status in ('pending', 'reading'))::int as events, (select count(*) from plugboard.pending_reads)::int as reads, (select count(*) from plugboard.row_changes)::int as changes,
  (select count(*) from plugboard.deliveries where status in ('queued', 'sending', 'waiting'))::int as deliveries, (select count(*) from plugboard.runs where status in ('queued', 'running', 'waiting'))::int as runs`;

/**
 * What waits for minutes by schedule is due now: schedules are tried elsewhere. What a stopped process holds locked is left alone.
 * A notification, because the rig's statements send none.
 */
const HURRY = [
  "update plugboard.breakers set opened_until = now() where opened_until > now()",
  `update plugboard.deliveries d set due_at = now() from (select tenant_id, id from plugboard.deliveries where status in ('queued', 'waiting') and due_at > now() for update skip locked) late where d.tenant_id = late.tenant_id and d.id = late.id`,
  `with moved as (
     update plugboard.pending_reads p set due_at = now() from (select tenant_id, connection, stream, key from plugboard.pending_reads where lease_until is null and due_at > now() for update skip locked) late
     where p.tenant_id = late.tenant_id and p.connection = late.connection and p.stream = late.stream and p.key = late.key returning 1),
   due as (
     update plugboard.events e set due_at = now() from (select tenant_id, id from plugboard.events where status = 'pending' and due_at > now() for update skip locked) late
     where e.tenant_id = late.tenant_id and e.id = late.id returning 1)
   select pg_notify('plugboard_events', '') where exists (select 1 from moved) or exists (select 1 from due)`,
];

/** The processes: a server, two workers, one of each ready to follow, some stopped. */
class Crew {
  readonly killedAt: Record<string, number> = {};
  zombies = 0;
  cuts = 0;
  missed = 0;
  readonly serverUrl: string;
  readonly #options: PushRigOptions;
  readonly #admin: pg.Pool;
  readonly #settings: Omit<Parameters<typeof spawnProcess>[1], "name" | "mutant">;
  readonly #all: RigProcess[] = [];
  readonly #haunts: Promise<void>[] = [];
  #hired = 0;
  /** Workers at a time. */
  readonly #crewed: number;
  /** How many more of each the storm will need. */
  readonly #needed: { server: number; worker: number };
  readonly #spares: { server?: RigProcess | undefined; worker?: RigProcess | undefined } = {};
  #server!: RigProcess;
  readonly #workers: RigProcess[] = [];
  #turn = 0;
  readonly #over = new AbortController();
  #hurry: Promise<void> | undefined;

  constructor(options: PushRigOptions, blows: readonly Blow[], admin: pg.Pool, settings: Omit<Parameters<typeof spawnProcess>[1], "name" | "mutant">) {
    this.#options = options;
    this.#admin = admin;
    this.#settings = settings;
    this.serverUrl = `http://127.0.0.1:${settings.port}`;
    this.#crewed = options.who === "server" ? 1 : 2;
    this.#needed = { server: 1, worker: this.#crewed };
    for (const { who, what } of blows) if (who === "worker" || (who === "server" && what === "kill")) this.#needed[who] += 1;
  }

  async begin(): Promise<void> {
    this.#hurry = this.#hurryUp();
    await Promise.all([this.#putServer(), ...Array.from({ length: this.#crewed }, (_, slot) => this.#putWorker(slot))]);
  }

  async strike(blow: Blow): Promise<void> {
    if (blow.who === "database") return this.#cut(blow.afterMilliseconds);
    if (blow.who === "server") return blow.what === "kill" ? this.#killServer(blow.afterMilliseconds) : this.#stopServer(blow.afterMilliseconds);
    const slot = this.#turn++ % 2;
    const worker = this.#workers[slot]!;
    if (blow.at === undefined) await pause(blow.afterMilliseconds);
    const reached = blow.at !== undefined && await worker.strike(blow, POINT_MILLISECONDS);
    if (blow.what === "stop" && reached) {
      this.#options.log(`SIGSTOP ${worker.name} at ${blow.at} ${blow.nth}`);
      this.#haunts.push(this.#haunt(worker));
    } else {
      if (blow.at !== undefined && !reached) this.missed += 1;
      worker.kill("SIGKILL");
      await worker.gone;
      this.#count(reached ? blow.at : "anywhere");
      this.#options.log(`kill -9 ${worker.name} ${reached ? `at ${blow.at} ${blow.nth}` : `anywhere${blow.at === undefined ? "" : ` (${blow.at} was not reached)`}`}`);
      this.#haunts.push(this.#bury(worker));
    }
    await this.#putWorker(slot);
  }

  /** When every stopped process has woken up, and has had its time. */
  async awake(): Promise<void> { await Promise.all(this.#haunts); }

  /** Until nothing is on its way, or time is over. */
  async settled(until: number): Promise<boolean> {
    for (; Date.now() < until; await pause(50)) {
      const open = await this.#counts();
      if (open !== undefined && Object.values(open).every((count) => count === 0)) return true;
    }
    return false;
  }

  async open(): Promise<string> { return JSON.stringify(await this.#counts()); }

  /** Processes that ended by themselves: no fault from outside may make them. */
  get broken(): string[] { return this.#all.flatMap(({ brokeDown }) => (brokeDown === undefined ? [] : [`broke down: ${brokeDown}`])); }

  async dismiss(): Promise<void> {
    this.#over.abort();
    await this.#hurry;
    for (const each of this.#all) each.kill("SIGKILL");
    await Promise.all(this.#all.map(({ gone }) => gone));
  }

  async #counts(): Promise<Record<string, number> | undefined> {
    return this.#admin.query<Record<string, number>>(ON_ITS_WAY).then(({ rows }) => rows[0], () => undefined);
  }

  async #killServer(after: number): Promise<void> {
    await pause(after);
    this.#server.kill("SIGKILL");
    await this.#server.gone;
    this.#count("server");
    this.#options.log(`kill -9 ${this.#server.name}`);
    await this.#putServer();
  }

  /** What it was sent meanwhile comes again, and it finds both when it wakes up. */
  async #stopServer(after: number): Promise<void> {
    await pause(after);
    this.#server.kill("SIGSTOP");
    this.zombies += 1;
    this.#options.log(`SIGSTOP ${this.#server.name}`);
    await pause(SERVER_STOPPED_MILLISECONDS);
    this.#server.kill("SIGCONT");
  }

  async #haunt(zombie: RigProcess): Promise<void> {
    const woken = Date.now() + STOPPED_MILLISECONDS;
    // What it holds locked PostgreSQL takes from it, by itself after 20 s; what it was reading is given to another.
    await pause(1_000);
    await this.#statement("select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = current_database() and application_name = $1 and state like 'idle in transaction%'", [zombie.name]);
    await this.#lapse(zombie);
    await pause(woken - Date.now());
    zombie.kill("SIGCONT");
    this.zombies += 1;
    await pause(AWAKE_MILLISECONDS);
    this.#options.log(`${zombie.name} woke up`);
    zombie.kill("SIGKILL");
    await zombie.gone;
    await this.#bury(zombie);
  }

  async #cut(after: number): Promise<void> {
    await pause(after);
    this.cuts += 1;
    this.#options.log("the database goes away");
    if (this.#options.restartDatabase !== undefined) return this.#options.restartDatabase();
    await this.#statement("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> 'rig' and pid <> pg_backend_pid()");
  }

  /** Leases of a process that is gone end now, not in minutes. */
  async #bury(dead: RigProcess): Promise<void> {
    await this.#lapse(dead);
    await pause(DONE_MILLISECONDS);
    await this.#statement("update plugboard.deliveries set lease_until = now(), due_at = now() where owner like $1 and status = 'sending'", [`%:${dead.pid}:%`]);
    // It may have been the one that was to try a target which others wait for: that place is given away after two minutes.
    await this.#statement("update plugboard.breakers set probing_until = null where probing_until is not null");
  }

  /** Of one that is only stopped, those that are asked for in the transaction that they guard: what it was about to send waits for its lease. */
  async #lapse({ pid }: RigProcess): Promise<void> {
    await this.#statement("update plugboard.pending_reads set lease_until = now() where owner like $1 and lease_until > now()", [`%:${pid}:%`]);
    await this.#statement("update plugboard.runs set lease_until = now() where owner like $1 and status = 'running'", [`%:${pid}:%`]);
  }

  async #hurryUp(): Promise<void> {
    for (; !this.#over.signal.aborted; await pause(HURRY_MILLISECONDS)) for (const text of HURRY) await this.#admin.query(text).catch(() => undefined);
  }

  /** The database may be away. */
  async #statement(text: string, values: unknown[] = []): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (await this.#admin.query(text, values).then(() => true, () => false)) return;
      await pause(100);
    }
  }

  async #putServer(): Promise<void> { this.#server = await this.#next("server"); }
  async #putWorker(slot: number): Promise<void> { this.#workers[slot] = await this.#next("worker"); }

  /** The one that waits, and another one in its place when the storm goes on. */
  async #next(kind: "server" | "worker"): Promise<RigProcess> {
    const next = this.#spares[kind] ?? this.#hire(kind);
    this.#needed[kind] -= 1;
    this.#spares[kind] = this.#needed[kind] > 0 ? this.#hire(kind) : undefined;
    await next.ready();
    await next.go();
    return next;
  }

  #hire(kind: "server" | "worker"): RigProcess {
    this.#hired += 1;
    const hired = spawnProcess(kind, { ...this.#settings, name: `${kind}-${this.#hired}`, mutant: this.#options.mutant }, (message) => this.#options.log(`  ${kind}: ${message}`));
    this.#all.push(hired);
    return hired;
  }

  #count(point: string): void { this.killedAt[point] = (this.killedAt[point] ?? 0) + 1; }
}

const seconds = (since: number): number => Math.round((Date.now() - since) / 100) / 10;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, Math.max(0, milliseconds)); });

async function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => { timer = setTimeout(() => resolve(undefined), milliseconds); });
  try { return await Promise.race([promise, late]); } finally { clearTimeout(timer); }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}
