/** A process of the rig as the rig sees it: a server or a worker that is ready, told to go, told where to die, and dies. */
import { fork, type ChildProcess } from "node:child_process";
import os from "node:os";
import path from "node:path";
import type { Blow, Point } from "./blows.ts";
import type { PushMutant } from "./mutants.ts";

/** Dozens of them start one after the other: they need not compile the same files each time. */
const NODE_COMPILE_CACHE = path.join(os.tmpdir(), "plugboard-faults-compile-cache");

export interface ProcessSettings {
  readonly databaseUrl: string;
  /** `application_name` of its database sessions. */
  readonly name: string;
  readonly key: string;
  /** Where a server listens. */
  readonly port: number;
  /** Private addresses that a worker may reach. */
  readonly hosts: readonly string[];
  /** Of the receiver, for a worker that is wrong on purpose. */
  readonly receiverUrl: string;
  readonly mutant?: PushMutant | undefined;
}

/** To a process. */
export type Order = { readonly type: "go" } | { readonly type: "blow"; readonly blow: Blow & { readonly at: Point } };
/** From a process. */
export type Word =
  | { readonly type: "ready" } | { readonly type: "going" }
  /** It stops itself (SIGSTOP) right after this. */
  | { readonly type: "stopping" }
  /** What a worker's `onError` was told. */
  | { readonly type: "error"; readonly message: string };

export interface RigProcess {
  readonly name: string;
  readonly pid: number;
  readonly alive: boolean;
  /** Once it could work. @throws when it dies before. */
  ready(): Promise<void>;
  /** Begins to work; resolves when it does. */
  go(): Promise<void>;
  /** Resolves when it died there, or stopped there. False: it did not get there in time. */
  strike(blow: Blow & { readonly at: Point }, patienceMilliseconds: number): Promise<boolean>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  /** Why it ended by itself, which it never should. */
  readonly brokeDown: string | undefined;
}

/** A stopped process would outlive a rig that is interrupted: nothing but this signal reaches it. */
const living = new Set<ChildProcess>();
process.on("exit", () => { for (const child of living) child.kill("SIGKILL"); });

export function spawnProcess(kind: "server" | "worker", settings: ProcessSettings, onError: (message: string) => void): RigProcess {
  const child = fork(new URL(`./${kind}.ts`, import.meta.url), { env: { ...process.env, NODE_COMPILE_CACHE, FAULTS_PUSH: JSON.stringify(settings) }, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  living.add(child);
  let said = "";
  let broke: string | undefined;
  child.stderr!.setEncoding("utf8").on("data", (text: string) => { said = (said + text).slice(-2_000); });
  const [ready, going, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let stopped = Promise.withResolvers<void>();
  for (const { promise } of [ready, going]) promise.catch(() => undefined);          // a spare that dies unused
  child.on("message", (word: Word) => {
    if (word.type === "ready") ready.resolve();
    if (word.type === "going") going.resolve();
    if (word.type === "stopping") stopped.resolve();
    if (word.type === "error") onError(word.message);
  });
  child.on("error", (error) => { ready.reject(error); going.reject(error); gone.resolve(); });
  child.on("exit", (code, signal) => {
    living.delete(child);
    if (signal === null) broke = `${settings.name} ended by itself (exit ${code}): ${said}`;
    const died = new Error(broke ?? `${settings.name} was killed (${signal})`);
    ready.reject(died);
    going.reject(died);
    gone.resolve();
  });
  const alive = () => child.exitCode === null && child.signalCode === null;
  return {
    name: settings.name, pid: child.pid ?? -1,
    get alive() { return alive(); },
    get brokeDown() { return broke; },
    gone: gone.promise,
    ready: () => ready.promise,
    go: () => { child.send({ type: "go" } satisfies Order, () => undefined); return going.promise; },
    async strike(blow, patienceMilliseconds) {
      stopped = Promise.withResolvers();
      child.send({ type: "blow", blow } satisfies Order, () => undefined);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => { timer = setTimeout(() => resolve(false), patienceMilliseconds); });
      try { return await Promise.race([Promise.race([gone.promise, stopped.promise]).then(() => true), late]); } finally { clearTimeout(timer); }
    },
    kill: (signal) => { if (alive()) child.kill(signal); },
  };
}

// ── inside of a process ─────────────────────────────────────────────────────────────────────────────────────────────

export const settingsOfProcess = (): ProcessSettings => JSON.parse(process.env["FAULTS_PUSH"]!) as ProcessSettings;

/** Resolves when the rig can have heard it: what comes next may be a signal. */
export const say = (word: Word): Promise<void> => new Promise((resolve) => process.send!(word, () => resolve()));

/** The database may be down just now. */
export async function whenUp<Value>(open: () => Promise<Value>): Promise<Value> {
  for (let tries = 0; ; tries++) {
    try {
      return await open();
    } catch (thrown) {
      if (tries >= 200) throw thrown;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }
}

/** Says that it is ready, waits for the word, and hands on every later order. */
export async function untilTold(onOrder: (order: Order) => void = () => undefined): Promise<void> {
  process.on("disconnect", () => process.exit(1));         // the rig is gone
  await new Promise<void>((resolve) => {
    process.on("message", (order: Order) => { if (order.type === "go") resolve(); else onOrder(order); });
    void say({ type: "ready" });
  });
}
