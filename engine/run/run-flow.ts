/**
 * The interpreter: read page → decode → map → validate → commit, until the window is complete. The next page is fetched while the
 * last one is mapped and written, one ahead at most; commits are strictly in order. The run knows only ports.ts.
 */
import { PlugboardError, hintOf } from "../errors/plugboard-error.ts";
import { showSeconds } from "../components/shared/duration.ts";
import { toIso } from "../components/shared/instant.ts";
import type { Cursor, PageToken, Variables } from "../components/kinds.ts";
import type { ConnectorPlan, FlowPlan, HttpPlan, StreamPlan } from "../plan/types.ts";
import { afterPage, afterPass, beginPass, decideMode, during, keepToProviderClock, restart, resumable, type Pass } from "./checkpoint.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import { compileCursor, compileDoor, fetchPage, type Door, type FetchedPage } from "./fetch-page.ts";
import { PAGES_WITHOUT_PROGRESS, SeenKeys, tokenHash } from "./guards.ts";
import { compileMapper, type MappedPage, type PageMapper } from "./map-page.ts";
import { createPause } from "./pause.ts";
import { mapEntries, tellReplay } from "./replay-quarantine.ts";
import type { Checkpoint, Counters, LogLine, PageCommit, PageOutcome, Progress, RunMode, RunPorts, RunRequest, RunResult, SweepOutcome } from "./ports.ts";
import { createRedactor, type Redactor } from "./redact.ts";
import { Cancelled, Interrupted, PageTokenExpired, StreamSkipped, Waiting } from "./stops.ts";
import { effectiveConfig, secretsOf, withoutSecrets } from "./variables.ts";

/** A lease is 30 s: three heartbeats fit. It lives in the database, on real time, whatever clock the run is given. */
const HEARTBEAT_MILLISECONDS = 10_000;
/** Caps of one run where the flow sets none. A capped run is no loss: the next one goes on. */
const DEFAULT_CAPS = { pages: 100_000, records: 50_000_000, seconds: 86_400 } as const;
/** Below this many records a share says nothing. */
const SHARE_FROM_RECORDS = 20;

/**
 * Runs one flow once. Never throws for what can happen while running: the result says it, with what happens next. A worker that
 * lost its epoch gives `interrupted` with RUN_FENCED, and has stored nothing since.
 */
export async function runFlow(request: RunRequest, ports: RunPorts): Promise<RunResult> {
  const run = new FlowRun(request, ports);
  try {
    return await run.work();
  } catch (thrown) {
    return run.ended(thrown);
  } finally {
    run.close();
  }
}

interface CompiledFlow {
  readonly doors: { readonly list: Door | undefined; readonly changes: Door | undefined };
  readonly cursor: Cursor | undefined;
  readonly map: PageMapper;
}

class FlowRun {
  readonly #request: RunRequest;
  readonly #ports: RunPorts;
  readonly #redactor: Redactor;
  readonly #counters: Counters = { read: 0, created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: 0, quarantined: 0, swept: 0, pages: 0, requests: 0, retries: 0, bytes: 0 };
  /** Requests of pages that are not committed yet. */
  readonly #spent = { requests: 0, retries: 0, bytes: 0 };
  readonly #stop = new AbortController();
  #flow: FlowPlan | undefined;
  #mode: RunMode;
  #epoch = 0;
  #checkpoint: Checkpoint | undefined;
  #sweep: SweepOutcome | undefined;
  #waiting: Progress["waiting"];
  #heartbeat: NodeJS.Timeout | undefined;
  #fed = 0;
  /** Of the counters, what came from the quarantine: caps and thresholds are about what the provider sent. */
  readonly #replayed = { read: 0, quarantined: 0 };
  /** Of the quarantined: beyond what the contract covers. */
  #held = 0;

  constructor(request: RunRequest, ports: RunPorts) {
    this.#request = request;
    this.#ports = ports;
    this.#redactor = createRedactor([], request.plan.tenant.id);
    this.#mode = request.mode ?? "incremental";
  }

  async work(): Promise<RunResult> {
    const { plan } = this.#request;
    const flow = this.#flow = plan.flows[this.#request.flow];
    if (flow === undefined) throw new PlugboardError("PLAN_UNKNOWN_FLOW", { flow: this.#request.flow, tenant: plan.tenant.id, suggestion: "" });
    const connector = plan.connectors[flow.connector];
    const stream = connector?.streams[flow.stream];
    if (connector === undefined || stream === undefined) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: connector === undefined ? "Connector" : "Stream", name: connector === undefined ? flow.connector : flow.stream, suggestion: "" });
    const pulled = connector.http !== undefined && (stream.list ?? stream.changes) !== undefined;
    if (!pulled && !isPushed(connector, flow.stream)) throw new PlugboardError("RUN_REQUEST", { where: `streams.${flow.stream}`, detail: "it has no request to read its records with", suggestion: "Only its webhook or upload brings records." });

    const config = effectiveConfig(connector, plan.connections[flow.connection], this.#request.connection.config);
    for (const secret of secretsOf(connector, config)) this.#redactor.learn(secret);
    const compiled = compileFlow(flow, stream, connector, connector.http, plan.entities[flow.to.entity]);

    const begun = await this.#ports.store.begin();
    this.#epoch = begun.epoch;
    this.#checkpoint = begun.checkpoint;
    this.#startHeartbeat();
    await this.#probe("begun");
    const base: Variables = {
      config, account: this.#request.connection.account, tenant: plan.tenant, inputs: plan.inputs, connection: { id: flow.connection },
      // Empty means that every field is read: then the variable is absent, and requests leave it out.
      select: flow.select.length === 0 ? undefined : flow.select, with: stream.with,
    };
    // Before the pass begins: what a full one then does not see was written before it, and ends.
    await this.#replayQuarantine(compiled.map, withoutSecrets(connector, base));
    if (connector.http === undefined || !pulled) return this.#result(this.#counters.quarantined > 0 ? "succeeded_with_quarantine" : "succeeded");      // its events bring the rest
    const pass = await this.#openPass(flow, compiled, base);
    const exchange = this.#exchange(connector, connector.http, flow, config);
    return await this.#readPass(pass, flow, compiled, connector, exchange, base);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#stop.abort(new Interrupted("the run is over"));
  }

  // ── the quarantine ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tries refused records again, page by page, because the configuration has changed since or a person asked. The checkpoint stays. */
  async #replayQuarantine(map: PageMapper, base: Variables): Promise<void> {
    const { clock, store } = this.#ports;
    const now = clock.now();
    const variables = { ...base, now, run: { id: this.#request.run, started_at: toIso(now), mode: this.#mode } };
    const total = { read: 0, created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: 0, quarantined: 0 };
    for (;;) {
      const entries = await store.quarantineToReplay(this.#request.replay);
      if (entries.length === 0) break;
      const mapped = await mapEntries(entries, map, variables);
      await this.#probe("mapped");
      const outcome = await this.#store({ ...mapped, gone: [], checkpoint: this.#checkpoint ?? {}, requests: 0, retries: 0, bytes: 0 });
      this.#replayed.read += outcome.read;
      this.#replayed.quarantined += outcome.quarantined;
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcome[name];
      this.#show();
      await this.#probe("after_commit");
      if (this.#request.signal.aborted) throw new Interrupted("the worker stops");
      const cancelled = await store.cancelRequested();
      if (cancelled !== undefined) throw new Cancelled(cancelled.by);
    }
    if (total.read > 0) this.#log({ level: total.quarantined > 0 ? "warn" : "info", event: "replay", message: tellReplay(total), data: total });
  }

  // ── the pass ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The unfinished pass of the checkpoint, or a new one. */
  async #openPass(flow: FlowPlan, { doors, cursor }: CompiledFlow, base: Variables): Promise<Pass> {
    const { clock } = this.#ports;
    const checkpoint = this.#checkpoint;
    const doorOf = (mode: RunMode): Door => (mode === "incremental" ? (doors.changes ?? doors.list) : (doors.list ?? doors.changes))!;
    const going = resumable(checkpoint, this.#request.mode, (mode) => doorOf(mode).name);
    if (going !== undefined) {
      this.#mode = going.mode;
      this.#log({ level: "info", event: "checkpoint", message: `Goes on with the ${going.mode} pass begun at ${going.begun_at}: ${this.#place()}.` });
      return going;
    }
    const now = clock.now();
    const mode = this.#mode = decideMode(checkpoint, { asked: this.#request.mode, incremental: cursor !== undefined || doors.changes !== undefined, sweepSeconds: flow.sweep_seconds, now });
    const from = mode === "incremental" ? checkpoint?.from : undefined;
    const window = cursor === undefined ? { ...(from === undefined ? {} : { from }), to: toIso(now) } : await cursor.window(from, now, { ...base, now });
    if (from !== undefined && Date.parse(from) > now) this.#log({ level: "warn", event: "checkpoint", message: `The checkpoint ${from} lies in the future; the window begins at ${window.from ?? window.to} instead.` });
    return beginPass(checkpoint, mode, window, doorOf(mode).name, doorOf(mode).pagination.first(), now);
  }

  async #readPass(opened: Pass, flow: FlowPlan, compiled: CompiledFlow, connector: ConnectorPlan, exchange: Exchange, base: Variables): Promise<RunResult> {
    const { clock, store } = this.#ports;
    const { cursor, doors } = compiled;
    const door = (opened.mode === "incremental" ? (doors.changes ?? doors.list) : (doors.list ?? doors.changes))!;
    const ordered = cursor?.ordered === true;
    const first = door.pagination.first();
    const started = clock.now();
    const caps = { ...DEFAULT_CAPS, ...flow.caps };
    let seenKeys = new SeenKeys();
    /** The pass as it lives here; what the checkpoint keeps may differ for ordered streams. */
    let pass = opened;
    let highest: number | undefined;
    /** Not the pass's first page in the provider's eyes. */
    let beyondFirst = opened.pages > 0;

    const fetch = (token: PageToken): Promise<FetchedPage> => fetchPage(token, pass, {
      door, exchange, connector, cursor, beyondFirst,
      base: { ...base, now: clock.now(), run: { id: this.#request.run, started_at: opened.begun_at, mode: opened.mode } },
    });
    let pending = quietly(fetch(pass.page));
    for (;;) {
      let page: FetchedPage;
      try {
        page = await pending;
      } catch (thrown) {
        if (!(thrown instanceof PageTokenExpired) || pass.restarted === true) throw forgottenTwice(thrown, door);
        this.#log({ level: "warn", event: "checkpoint", message: `The provider has forgotten the page token (${thrown.status}); the window is read again from its first page, once.` });
        pass = restart(pass, first);
        // Everything that comes now was seen before; that is no loop.
        seenKeys = new SeenKeys();
        highest = undefined;
        beyondFirst = false;
        pending = quietly(fetch(pass.page));
        continue;
      }
      beyondFirst = true;
      if (page.incomplete !== undefined && pass.complete) {
        pass = { ...pass, complete: false };
        this.#log({ level: "warn", event: "sweep", message: `This pass deletes nothing: ${page.incomplete}.` });
      }
      if (page.date !== undefined && pass.pages === 0 && cursor !== undefined) {
        pass = keepToProviderClock(pass, (await cursor.window(pass.window.from, Math.min(page.date, clock.now()), { ...page.variables })).to);
      }

      const stop = this.#stopAfter(page, caps, started);
      const hash = page.next === undefined ? undefined : tokenHash(page.next);
      const repeated = hash !== undefined && (pass.tokens.includes(hash) || hash === tokenHash(page.token));
      const goOn = page.next !== undefined && !repeated && stop === undefined;
      if (goOn) pending = quietly(fetch(page.next!));

      const mapped = await compiled.map(page.records, page.variables);
      await this.#probe("mapped");
      if (stop?.error !== undefined) pass = { ...pass, complete: false };
      const read = { token: page.token, next: page.next ?? page.token, cursors: mapped.cursors, first };
      const moved = page.next === undefined
        ? { pass: { ...pass, pages: pass.pages + 1 }, live: { ...pass, pages: pass.pages + 1 }, seen: highest }
        : afterPage(pass, read, ordered, highest);
      if (moved.live.disordered === true && pass.disordered !== true) this.#log({ level: "warn", event: "checkpoint", message: `${flow.stream} says \`ordered: true\`, but a record came out of order; this pass goes on by page token.` });
      highest = moved.seen;
      pass = moved.live;
      await this.#commit(mapped, during(this.#checkpoint, moved.pass), pass);

      this.#checkQuarantine(flow);
      if (repeated) throw new PlugboardError("RUN_PAGE_TOKEN_REPEATED", { host: page.host, token: shorten(JSON.stringify(page.next)), stream: flow.stream });
      if (page.next === undefined) break;
      const keyless = mapped.seen.length === 0 && mapped.quarantined.length + mapped.filtered > 0;
      const without = keyless ? 0 : seenKeys.pagesWithoutNew(mapped.seen);
      if (without >= PAGES_WITHOUT_PROGRESS) throw new PlugboardError("RUN_NO_PROGRESS", { pages: without, stream: flow.stream });
      if (stop !== undefined) throw stop.error ?? stop.reason;
      const cancelled = await store.cancelRequested();
      if (cancelled !== undefined) throw new Cancelled(cancelled.by);
    }
    return await this.#complete(pass);
  }

  /** Whether this page is the last one of this run, though not of the stream. */
  #stopAfter(page: FetchedPage, caps: Readonly<Record<"pages" | "records" | "seconds", number>>, started: number): { error?: PlugboardError; reason?: unknown } | undefined {
    if (page.next === undefined) return undefined;
    if (this.#request.signal.aborted) return { reason: new Interrupted("the worker stops") };
    if (this.#counters.pages + 1 >= caps.pages) return { error: capped(caps.pages, "pages") };
    if (this.#counters.read - this.#replayed.read + page.records.length >= caps.records) return { error: capped(caps.records, "records") };
    if (this.#ports.clock.now() - started >= caps.seconds * 1000) return { error: capped(caps.seconds, "seconds") };
    return undefined;
  }

  async #commit(mapped: MappedPage, checkpoint: Checkpoint, pass: Pass): Promise<void> {
    const outcome = await this.#store({
      records: mapped.records, dropped: mapped.dropped, gone: [], quarantined: mapped.quarantined, filtered: mapped.filtered, checkpoint, ...this.#spent,
      ...(pass.sweep === undefined ? {} : { sweep: { number: pass.sweep, seen: mapped.seen } }),
    });
    this.#checkpoint = checkpoint;
    this.#counters.pages += 1;
    this.#held += outcome.held ?? 0;
    this.#show();
    this.#log({ level: "debug", event: "page", message: `Page ${this.#counters.pages}: ${outcome.read} read, ${outcome.quarantined} quarantined.` });
    await this.#probe("after_commit");
  }

  /** Commits a page and counts what became of it. */
  async #store(page: PageCommit): Promise<PageOutcome> {
    await this.#probe("before_commit");
    const outcome = await this.#ports.store.commitPage(page, this.#epoch);
    for (const name of ["requests", "retries", "bytes"] as const) {
      this.#spent[name] -= page[name];
      this.#counters[name] += page[name];
    }
    for (const name of ["read", "created", "updated", "unchanged", "superseded", "deleted", "filtered", "quarantined"] as const) this.#counters[name] += outcome[name];
    this.#fed += page.records.length + page.dropped.length + page.quarantined.length + page.filtered;
    return outcome;
  }

  async #complete(pass: Pass): Promise<RunResult> {
    const checkpoint = afterPass(this.#checkpoint, pass, this.#ports.clock.now());
    const sweep = pass.sweep !== undefined && pass.complete ? { number: pass.sweep } : undefined;
    await this.#probe("before_complete");
    this.#sweep = await this.#ports.store.completePass(checkpoint, sweep, this.#epoch);
    this.#checkpoint = checkpoint;
    this.#counters.swept += this.#sweep.swept;
    if (this.#sweep.held !== undefined) this.#log({ level: "warn", event: "sweep", message: `The sweep did not see ${this.#sweep.held.missing} of ${this.#sweep.held.live} rows: it waits for a person, nothing was deleted.` });
    await this.#probe("after_complete");
    this.#show();
    this.#checkBalance();
    return this.#result(this.#counters.quarantined > 0 ? "succeeded_with_quarantine" : "succeeded");
  }

  // ── checks ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #checkQuarantine({ quarantine }: FlowPlan): void {
    const read = this.#counters.read - this.#replayed.read;
    const quarantined = this.#counters.quarantined - this.#replayed.quarantined - this.#held;
    const tooMany = quarantined > quarantine.count;
    if (tooMany || (read >= SHARE_FROM_RECORDS && quarantined / read > quarantine.share)) {
      throw new PlugboardError("RUN_QUARANTINE_THRESHOLD", { count: quarantined, read, threshold: tooMany ? quarantine.count : `${Math.round(quarantine.share * 1000) / 10} %` });
    }
  }

  /** Every record that was read is accounted for, once. */
  #checkBalance(): void {
    const { read, created, updated, unchanged, superseded, deleted, filtered, quarantined } = this.#counters;
    const sum = created + updated + unchanged + superseded + deleted + filtered + quarantined;
    if (read !== sum || read !== this.#fed) throw new PlugboardError("RUN_BALANCE", { read: this.#fed, sum });
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What was thrown, as a result. */
  ended(thrown: unknown): RunResult {
    const stopped = this.#stop.signal.aborted ? this.#stop.signal.reason : thrown;
    if (stopped instanceof Waiting) {
      const at = toIso(stopped.until);
      const error = new PlugboardError("RUN_WAITING", { until: at, say: stopped.reason });
      this.#log({ level: "warn", event: "wait", message: `${this.#redactor.text(stopped.reason)} The run is put aside until ${at} (${showSeconds((stopped.until - this.#ports.clock.now()) / 1000)}).` });
      return { ...this.#result("waiting", error, `goes on at ${at}, ${this.#place()}`), resume_at: stopped.until };
    }
    if (stopped instanceof StreamSkipped) {
      const stream = this.#flow?.stream ?? "";
      this.#log({ level: "warn", event: "skipped", message: new PlugboardError("RUN_STREAM_SKIPPED", { stream, say: stopped.reason }).message });
      return this.#settled(() => ({ ...this.#result(this.#counters.quarantined > 0 ? "succeeded_with_quarantine" : "succeeded"), skipped: this.#redactor.text(stopped.reason) }));
    }
    if (stopped instanceof Cancelled) return this.#settled(() => this.#result("cancelled", new PlugboardError("RUN_CANCELLED", { by: stopped.by }), `the next run goes on, ${this.#place()}`));
    if (stopped instanceof PlugboardError && stopped.code === "RUN_FENCED") return this.#result("interrupted", stopped, "the other worker goes on");
    if (stopped instanceof Interrupted || (this.#request.signal.aborted && !(stopped instanceof PlugboardError))) return this.#result("interrupted");
    return this.#failed(stopped);
  }

  #settled(result: () => RunResult): RunResult {
    try {
      this.#checkBalance();
      return result();
    } catch (unbalanced) {
      return this.#failed(unbalanced);
    }
  }

  #failed(thrown: unknown): RunResult {
    // What is no coded error is a bug of ours; its message may hold anything, so it goes through the redactor too.
    const error = thrown instanceof PlugboardError ? thrown : new PlugboardError("RUN_INTERNAL", { detail: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) });
    const next = error.entry.retry === "never" ? `does not try again by itself; ${this.#place()}` : `the next run goes on, ${this.#place()}`;
    const result = this.#result("failed", error, next);
    this.#log({ level: "error", event: "failed", message: `${result.error!.code} ${result.error!.message} next: ${next}` });
    return result;
  }

  #result(status: RunResult["status"], error?: PlugboardError, next?: string): RunResult {
    const spent = this.#spent;
    const counters = { ...this.#counters, requests: this.#counters.requests + spent.requests, retries: this.#counters.retries + spent.retries, bytes: this.#counters.bytes + spent.bytes };
    const clean = error && this.#redactor.error(error);
    const hint = clean && hintOf(clean.code, clean.params);
    return {
      status, mode: this.#mode, counters, checkpoint: this.#checkpoint,
      ...(this.#sweep === undefined ? {} : { sweep: this.#sweep }),
      ...(clean === undefined ? {} : { error: { code: clean.code, message: clean.message, ...(hint ? { hint } : {}), ...(next === undefined ? {} : { next: this.#redactor.text(next) }) } }),
    };
  }

  /** Where a run would go on from here: `at page.after=51200 of the window from 2026-03-01T09:00:00Z (1,200 records stored)`. */
  #place(): string {
    const { created, updated, unchanged } = this.#counters;
    const stored = `(${(created + updated + unchanged).toLocaleString("en")} records stored)`;
    const pass = this.#checkpoint?.pass;
    const window = (from: string | undefined): string => (from === undefined ? "the first window" : `the window from ${from}`);
    if (pass === undefined) return `from the beginning of ${window(this.#checkpoint?.from)} ${stored}`;
    const [token] = Object.entries(pass.page);
    return `at ${token === undefined ? "the first page" : `page.${token[0]}=${shorten(String(token[1]))}`} of ${window(pass.window.from)} ${stored}`;
  }

  // ── ports ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #exchange(connector: ConnectorPlan, http: HttpPlan, flow: FlowPlan, config: Variables): Exchange {
    const signal = AbortSignal.any([this.#request.signal, this.#stop.signal]);
    const show = (waiting: Progress["waiting"]): void => {
      this.#waiting = waiting;
      this.#show();
    };
    return createExchange({
      connector, http, config: config as never, ports: this.#ports, signal, redactor: this.#redactor, spent: this.#spent,
      owner: { connector: connector.id, tenant: this.#request.plan.tenant.id, connection: flow.connection, account: this.#request.connection.account?.id },
      pause: createPause({ clock: this.#ports.clock, signal, show, alive: { store: this.#ports.store, epoch: this.#epoch } }),
      log: (line) => { this.#log(line); },
      probe: (point) => this.#probe(point),
    });
  }

  #startHeartbeat(): void {
    this.#heartbeat = setInterval(() => {
      this.#ports.store.heartbeat(this.#epoch).catch((thrown: unknown) => {
        // A database that does not answer now may answer at the commit; a lost epoch never comes back.
        if (thrown instanceof PlugboardError && thrown.code === "RUN_FENCED") this.#stop.abort(thrown);
      });
    }, HEARTBEAT_MILLISECONDS);
    this.#heartbeat.unref();
  }

  #probe(point: Parameters<NonNullable<RunRequest["probe"]>>[0]): void | Promise<void> {
    return this.#request.probe?.(point);
  }

  #log(line: LogLine): void {
    this.#ports.log({ ...line, message: this.#redactor.text(line.message), ...(line.data === undefined ? {} : { data: this.#redactor.data(line.data) }) });
  }

  #show(): void {
    const from = this.#checkpoint?.pass?.window.from ?? this.#checkpoint?.from;
    this.#ports.progress({
      counters: { ...this.#counters }, ...(from === undefined ? {} : { checkpoint: from }),
      ...(this.#waiting === undefined ? {} : { waiting: { ...this.#waiting, reason: this.#redactor.text(this.#waiting.reason) } }),
    });
  }
}

function compileFlow(flow: FlowPlan, stream: StreamPlan, connector: ConnectorPlan, http: HttpPlan | undefined, entity: Parameters<typeof compileMapper>[4]): CompiledFlow {
  const cursor = compileCursor(stream, flow.stream);
  return {
    cursor,
    doors: {
      list: http && stream.list && compileDoor("list", stream.list, stream, flow.stream, connector, http),
      changes: http && stream.changes && compileDoor("changes", stream.changes, stream, flow.stream, connector, http),
    },
    map: compileMapper(flow.to.entity, stream, flow.stream, flow.map, entity, cursor),
  };
}

/** Whether a webhook or a queue brings records of the stream. */
const isPushed = ({ webhooks, queues }: ConnectorPlan, stream: string): boolean =>
  [...Object.values(webhooks ?? {}), ...Object.values(queues ?? {})].some(({ events }) => Object.values(events).some((event) => event.stream === stream));

/** A prefetched page may fail while nobody waits for it yet; whoever awaits it later gets the failure. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

const capped = (limit: number, unit: string): PlugboardError => new PlugboardError("RUN_CAP", { limit, unit });

function forgottenTwice(thrown: unknown, door: Door): unknown {
  if (!(thrown instanceof PageTokenExpired)) return thrown;
  return new PlugboardError("RUN_HTTP_STATUS", { host: "the provider", status: thrown.status, request: door.call.request.where, detail: ": it forgot the page token a second time", suggestion: "Read smaller windows." });
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

