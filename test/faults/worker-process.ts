/** A worker as the rig sees it: a process that is told what to run and where to die. */
import { fork } from "node:child_process";
import os from "node:os";
import path from "node:path";
import type { Blow } from "./blows.ts";
import type { Mutant } from "./mutants.ts";

/** Dozens of workers start one after the other: they need not compile the same files each time. */
const NODE_COMPILE_CACHE = path.join(os.tmpdir(), "plugboard-faults-compile-cache");

/** To the worker. */
export interface Order {
  readonly run: string;
  readonly blow?: Exclude<Blow, { what: "kill_anywhere" }>;
  readonly mutant?: Mutant;
}

/** From the worker. */
export type Word =
  | { readonly type: "ready" }
  /** It stops itself (SIGSTOP) right after this. */
  | { readonly type: "stopping" }
  | { readonly type: "page" }
  /** `fenced`: it found that another had taken over. Else the run's status. */
  | { readonly type: "ended"; readonly status: string; readonly mode?: string | undefined; readonly error?: string | undefined };

export interface End { readonly signal: NodeJS.Signals | null; readonly status?: string | undefined; readonly mode?: string | undefined; readonly error?: string | undefined }

export interface RigWorker {
  readonly pages: number;
  readonly status: string | undefined;
  /** @throws when the process dies before. */
  ready(): Promise<void>;
  go(order: Order): void;
  /** When it has stored so many pages. Never, when it ends before. */
  committed(pages: number): Promise<void>;
  /** True once it has stopped itself; false when it ended instead. */
  stopped(patienceMilliseconds: number): Promise<boolean>;
  kill(signal: NodeJS.Signals): void;
  /**
   * How it ended. A worker that does not end in time is killed.
   * @throws when it broke down by itself: that is a fault of the rig or a bug of the engine, and no blow.
   */
  end(patienceMilliseconds: number): Promise<End>;
}

/** `settings` are what worker.ts reads from its environment. */
export function spawnWorker(settings: Readonly<Record<string, string>>): RigWorker {
  // stderr is kept: a worker that cannot even start must say why.
  const child = fork(new URL("./worker.ts", import.meta.url), { env: { ...process.env, NODE_COMPILE_CACHE, ...settings }, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  // A stopped worker would outlive a rig that is interrupted: nothing but this signal reaches it.
  const killWithRig = () => child.kill("SIGKILL");
  process.on("exit", killWithRig);
  child.on("exit", () => process.off("exit", killWithRig));
  let [said, pages] = ["", 0];
  let last: Omit<End, "signal"> = {};
  child.stderr!.setEncoding("utf8").on("data", (text: string) => { said = (said + text).slice(-2_000); });

  const ready = Promise.withResolvers<void>();
  const waiting: { readonly pages: number; readonly resolve: () => void }[] = [];
  const stopped = Promise.withResolvers<boolean>();
  const exited = Promise.withResolvers<End>();
  // Whoever waits for these hears of it; a spare that dies unused need not.
  ready.promise.catch(() => undefined);
  exited.promise.catch(() => undefined);
  child.on("message", (word: Word) => {
    if (word.type === "ready") ready.resolve();
    if (word.type === "page") {
      pages += 1;
      for (const one of waiting) if (one.pages <= pages) one.resolve();
    }
    if (word.type === "stopping") stopped.resolve(true);
    if (word.type === "ended") last = word;
  });
  child.on("error", (error) => {                           // it could not even be started
    ready.reject(error);
    stopped.resolve(false);
    exited.reject(error);
  });
  child.on("exit", (code, signal) => {
    ready.reject(new Error(`a worker died before it was ready: ${said || signal || code}`));
    stopped.resolve(false);
    if (code !== 0 && signal === null) exited.reject(new Error(`a worker broke down (exit ${code}): ${said}`));
    else exited.resolve({ signal, status: last.status, mode: last.mode, error: last.error });
  });

  const within = async <T>(promise: Promise<T>, milliseconds: number): Promise<T> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
    try { return await promise; } finally { clearTimeout(timer); }
  };
  return {
    get pages() { return pages; },
    get status() { return last.status; },
    ready: () => ready.promise,
    go: (order) => { child.send(order, () => undefined); },
    committed: (count) => new Promise((resolve) => { if (count <= pages) resolve(); else waiting.push({ pages: count, resolve }); }),
    stopped: (patience) => within(stopped.promise, patience),
    kill: (signal) => { if (child.exitCode === null && child.signalCode === null) child.kill(signal); },
    end: (patience) => within(exited.promise, patience),
  };
}
