/** A worker: slots that execute runs, the scheduler that makes them, the reaper that gives lost ones another attempt. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Transport } from "../components/kinds.ts";
import type { Clock, RunRequest } from "../run/ports.ts";
import { systemClock } from "../run/system-clock.ts";
import { buckets, type Keyring, type ReferenceResolver } from "../store/index.ts";
import { startDeliverer, type DelivererOptions } from "./deliverer.ts";
import { startDispatcher } from "./dispatcher.ts";
import { startEventWorker } from "./event-worker.ts";
import { createExecution, PlanCache } from "./execute-run.ts";
import type { Jobs } from "./jobs.ts";
import type { EventProbe } from "./process-events.ts";
import { startReaper } from "./reaper.ts";
import { startScheduler } from "./scheduler.ts";

export interface WorkerOptions {
  readonly jobs: Jobs;
  readonly keyring: Keyring;
  /** Reads secrets that are only named. @default none may be used */
  readonly references?: ReferenceResolver;
  /** Closed by whoever made it. */
  readonly transport: Transport;
  /** Runs at once. @default 4 */
  readonly slots?: number;
  /** Runs of one tenant at once in this worker. @default slots - 1, at least 1: there is always room for another tenant */
  readonly perTenant?: number;
  /** False: only runs that someone asks for. @default true */
  readonly schedules?: boolean;
  /** @default the system's */
  readonly clock?: Clock;
  /** Kill points of the fault rig. */
  readonly probe?: RunRequest["probe"];
  /** The same for events and the reads they ask for. */
  readonly eventProbe?: EventProbe;
  /** False: events wait for another worker. @default true */
  readonly events?: boolean;
  /** False: changes and deliveries wait for another worker. Or how this one delivers, where tests say otherwise. @default true */
  readonly deliveries?: boolean | DeliverySettings;
  /** @default 30 days each */
  readonly retention?: Retention;
  onError(cause: Error): void;
}

/** Days that processed events, and finished deliveries, are kept. */
export interface Retention { readonly events?: number; readonly deliveries?: number }

export type DeliverySettings = Pick<DelivererOptions, "performer" | "slots" | "leaseSeconds" | "loopLimit" | "pollMilliseconds" | "probe" | "add">;

export interface Worker {
  /** Names this worker in runs and checkpoints: host, process, and a few random letters. */
  readonly owner: string;
  /** Runs under way. */
  readonly active: number;
  /**
   * Claims nothing more, lets every run end at its page, waits for them at most so long.
   * @returns false when a run was left: its lease runs out and another worker goes on.
   */
  stop(graceMilliseconds?: number): Promise<boolean>;
}

/** Less than the 30 s that process managers wait between SIGTERM and SIGKILL. */
const GRACE_MILLISECONDS = 25_000;

export function startWorker(options: WorkerOptions): Worker {
  const { jobs: { db, queue, board, onJob, onEvent, onDelivery }, keyring, transport, onError } = options;
  const owner = `${hostname()}:${process.pid}:${randomBytes(3).toString("hex")}`;
  const execute = createExecution({
    db, keyring, queue, board, transport, clock: options.clock ?? systemClock, owner, onError,
    ...(options.probe === undefined ? {} : { probe: options.probe }), ...(options.references === undefined ? {} : { references: options.references }), putBack: (milliseconds) => dispatcher.wakeIn(milliseconds),
  });
  const dispatcher = startDispatcher({
    queue, execute, onError, ...(options.slots === undefined ? {} : { slots: options.slots }), ...(options.perTenant === undefined ? {} : { perTenant: options.perTenant }),
  });
  const forget = onJob(() => dispatcher.wake());
  const events = options.events === false ? undefined : startEventWorker({
    db, keyring, transport, clock: options.clock ?? systemClock, owner, plans: new PlanCache(db), onEvent, onError,
    ...(options.references === undefined ? {} : { references: options.references }), ...(options.eventProbe === undefined ? {} : { probe: options.eventProbe }),
    ...(options.retention?.events === undefined ? {} : { keepDays: options.retention.events }),
  });
  const deliverer = options.deliveries === false ? undefined : startDeliverer({
    db, keyring, transport, clock: options.clock ?? systemClock, owner, plans: new PlanCache(db), buckets: buckets(db), onError,
    ...(options.references === undefined ? {} : { references: options.references }), ...(typeof options.deliveries === "object" ? options.deliveries : {}),
    ...(options.retention?.deliveries === undefined ? {} : { keepDays: options.retention.deliveries }),
  });
  const forgetDeliveries = onDelivery(() => deliverer?.wake());
  const reaper = startReaper({ db, queue, onError });
  const scheduler = options.schedules === false ? undefined : startScheduler({ db, queue, onError });
  return {
    owner,
    get active() { return dispatcher.active; },
    async stop(graceMilliseconds = GRACE_MILLISECONDS) {
      forget();
      forgetDeliveries();
      const [ended] = await Promise.all([dispatcher.stop(graceMilliseconds), scheduler?.stop(), reaper.stop(), events?.stop(), deliverer?.stop(graceMilliseconds)]);
      return ended;
    },
  };
}
