/** A worker as the rig sees it: a process that is told what to run and where to die. */
import { fork } from "node:child_process";
import type { Blow } from "./blows.ts";
import type { Mutant } from "./mutants.ts";

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
  | { readonly type: "ended"; readonly status: string; readonly error?: string };

export interface End { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly status?: string | undefined; readonly error?: string | undefined }

export interface RigWorker {
  readonly pages: number;
  readonly status: string | undefined;
  /** @throws when the process dies before. */
  ready(): Promise<void>;
  go(order: Order): void;
  /** After the first page that it stored. */
  committed(): Promise<void>;
  /** True once it has stopped itself; false when it ended instead. */
  stopped(patienceMilliseconds: number): Promise<boolean>;
  kill(signal: NodeJS.Signals): void;
  /** How it ended. A worker that does not end in time is killed. */
  end(patienceMilliseconds: number): Promise<End>;
}

/** `settings` are what worker.ts reads from its environment. */
export function spawnWorker(settings: Readonly<Record<string, string>>): RigWorker {
  // stderr is kept: a worker that cannot even start must say why.
  const child = fork(new URL("./worker.ts", import.meta.url), { env: { ...process.env, ...settings }, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let [said, pages] = ["", 0];
  let last: { status?: string; error?: string | undefined } = {};
  child.stderr!.setEncoding("utf8").on("data", (text: string) => { said = (said + text).slice(-2_000); });

  const ready = Promise.withResolvers<void>();
  const committed = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<boolean>();
  const exited = Promise.withResolvers<End>();
  ready.promise.catch(() => undefined);                    // whoever waits for it hears of it; a spare that dies unused need not
  child.on("message", (word: Word) => {
    if (word.type === "ready") ready.resolve();
    if (word.type === "page") { pages += 1; committed.resolve(); }
    if (word.type === "stopping") stopped.resolve(true);
    if (word.type === "ended") last = { status: word.status, error: word.error };
  });
  child.on("exit", (code, signal) => {
    ready.reject(new Error(`a worker died before it was ready: ${said || signal || code}`));
    stopped.resolve(false);
    exited.resolve({ code, signal, status: last.status, error: last.error ?? (code ? said : undefined) });
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
    committed: () => committed.promise,
    stopped: (patience) => within(stopped.promise, patience),
    kill: (signal) => { if (child.exitCode === null && child.signalCode === null) child.kill(signal); },
    end: (patience) => within(exited.promise, patience),
  };
}
