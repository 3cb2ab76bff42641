/**
 * Expressions that nobody vouches for (typed into a preview, sent to an API) run in a thread with a memory limit that is
 * ended when it takes too long: no time limit inside an evaluation can interrupt one long built-in call.
 */
import { Worker } from "node:worker_threads";
import type { Bindings, EvaluationLimits, EvaluationProblem, FieldSource } from "../expression/index.ts";

export interface IsolatedRequest {
  /** One of the two: an expression, or the fields of a mapping (the value is then a FieldsResult). */
  readonly expression?: string;
  readonly fields?: Readonly<Record<string, FieldSource>>;
  readonly input: unknown;
  readonly bindings?: Bindings;
  readonly limits?: EvaluationLimits;
}

export type IsolatedReply = { readonly value: unknown } | { readonly problem: EvaluationProblem };

export interface IsolatedOptions {
  /** Megabytes of heap the thread may have. @default 128 */
  readonly megabytes?: number;
  /** Milliseconds beyond an evaluation's own time limit before the thread is ended. @default 200 */
  readonly graceMilliseconds?: number;
}

export interface IsolatedEvaluator {
  /** Requests wait for each other. Never rejects: what went wrong is a problem, also when the thread had to be ended. */
  evaluate(request: IsolatedRequest): Promise<IsolatedReply>;
  /** Ends the thread; what still waits gets a problem. */
  close(): Promise<void>;
}

const DEFAULT_MILLISECONDS = 1000;
/** A thread that has not come up by then never will. */
const START_MILLISECONDS = 10_000;

export function isolatedEvaluator({ megabytes = 128, graceMilliseconds = 200 }: IsolatedOptions = {}): IsolatedEvaluator {
  let worker: Promise<Worker> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  let ids = 0;

  const evaluateNow = async (request: IsolatedRequest): Promise<IsolatedReply> => {
    if (closed) return problem("CLOSED", "The evaluator is closed.");
    let current: Worker;
    try {
      current = await (worker ??= start(megabytes));
    } catch (thrown) {
      worker = undefined;
      return problem("WORKER", `The evaluation thread did not start: ${(thrown as Error).message}`);
    }
    const id = ++ids;
    const allowed = (request.limits?.milliseconds ?? DEFAULT_MILLISECONDS) + graceMilliseconds;
    return new Promise((resolve) => {
      const settle = (reply: IsolatedReply, usable: boolean) => {
        clearTimeout(timer);
        current.off("message", onMessage).off("error", onError).off("exit", onExit);
        if (usable) { resolve(reply); return; }
        worker = undefined;
        current.on("error", () => {});
        void current.terminate().then(() => { resolve(reply); });
      };
      const onMessage = (message: { id: number; reply: IsolatedReply }) => { if (message.id === id) settle(message.reply, true); };
      const onError = (thrown: Error & { code?: string }) => { settle(failure(thrown), false); };
      const onExit = () => { settle(problem("WORKER", "The evaluation thread ended."), false); };
      const timer = setTimeout(() => { settle(limit("time", "The expression took longer than it may and was ended."), false); }, allowed);
      current.on("message", onMessage).on("error", onError).on("exit", onExit);
      try {
        current.postMessage({ id, request });
      } catch (thrown) {
        settle(problem("INPUT", `The input cannot be handed over: ${(thrown as Error).message}`), true);
      }
    });
  };

  return {
    evaluate: (request) => {
      const reply = last.then(() => evaluateNow(request));
      last = reply;
      return reply;
    },
    close: async () => {
      closed = true;
      const running = worker;
      worker = undefined;
      await running?.then((thread) => thread.terminate(), () => {});
      await last;
    },
  };
}

/** `.js` once built. */
const THREAD = new URL(import.meta.url.endsWith(".ts") ? "./expression-thread.ts" : "./expression-thread.js", import.meta.url);

function start(megabytes: number): Promise<Worker> {
  // No environment and none of our flags: the thread has no business with either.
  const thread = new Worker(THREAD, {
    env: {}, execArgv: [], stdout: true, stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  });
  thread.unref();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { reject(new Error("it took too long")); void thread.terminate(); }, START_MILLISECONDS);
    // Its first message says that everything is loaded: a request's time does not pay for that.
    thread.once("message", () => { clearTimeout(timer); thread.removeAllListeners("error"); resolve(thread); });
    thread.once("error", (thrown) => { clearTimeout(timer); reject(thrown); });
  });
}

const problem = (code: string, message: string): IsolatedReply => ({ problem: { code, message } });
const limit = (name: string, message: string): IsolatedReply => ({ problem: { code: "LIMIT", limit: name, message } });

function failure(thrown: Error & { code?: string }): IsolatedReply {
  if (thrown.code === "ERR_WORKER_OUT_OF_MEMORY") return limit("memory", "The expression needed more memory than it may have and was ended.");
  if (thrown.message === "POLLUTED") return problem("POLLUTED", "The expression changed an object that all code shares; its thread was thrown away.");
  return problem("FAILED", thrown.message);
}
