import { monitorEventLoopDelay } from "node:perf_hooks";
import { checkExpression } from "../../engine/expression/index.ts";
import { isolatedEvaluator } from "../../engine/run/expression-worker.ts";
import { HOSTILE_INPUT, hostileExpressions } from "./hostile-expressions.ts";

export interface FuzzReport {
  readonly seed: number;
  readonly count: number;
  readonly seconds: number;
  /** Code → how often; `value` for the harmless. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Milliseconds from asking to knowing. */
  readonly slowest: { readonly milliseconds: number; readonly text: string };
  /** Milliseconds that the main loop was late, while the thread was busy. */
  readonly loopDelay: { readonly p99: number; readonly p999: number; readonly max: number };
  /** What must be empty. */
  readonly failures: readonly string[];
}

/** Milliseconds an evaluation may take; the thread is ended after the grace. */
const LIMIT = 50;
const GRACE = 200;
/** Milliseconds for ending a thread on a busy machine. */
const SLACK = 2500;

export async function fuzzExpressions(count: number, seed: number, note: (done: number) => void = () => {}): Promise<FuzzReport> {
  const next = hostileExpressions(seed);
  const evaluator = isolatedEvaluator({ megabytes: 128, graceMilliseconds: GRACE });
  const outcomes: Record<string, number> = {};
  const failures: string[] = [];
  const before = pollution();
  let slowest = { milliseconds: 0, text: "" };
  const delay = monitorEventLoopDelay({ resolution: 5 });
  await evaluator.evaluate({ expression: "1", input: {} });
  const begun = performance.now();
  delay.enable();
  for (let done = 0; done < count; done++) {
    const { family, text } = next();
    const fail = (what: string) => { if (failures.length < 20) failures.push(`${what} · ${family} · ${text.slice(0, 200)}`); };
    const asked = performance.now();
    const reply = await evaluator.evaluate({ expression: text, input: HOSTILE_INPUT, limits: { milliseconds: LIMIT } });
    const milliseconds = performance.now() - asked;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, text: text.slice(0, 200) };
    if (milliseconds > LIMIT + GRACE + SLACK) fail(`took ${Math.round(milliseconds)} ms`);
    const outcome = "problem" in reply ? (reply.problem.limit ? `LIMIT ${reply.problem.limit}` : reply.problem.code) : "value";
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (!/^[A-Z][A-Z0-9_]+( [a-z]+)?$|^value$/.test(outcome) || /^(FAILED|WORKER|POLLUTED|INPUT)$/.test(outcome)) fail(`ended with ${outcome}: ${"problem" in reply ? reply.problem.message : ""}`);
    if (done % 20 === 0) try { checkExpression(text); } catch (thrown) { fail(`checking threw ${String(thrown)}`); }
    if (done % 1000 === 0) note(done);
  }
  delay.disable();
  if (pollution() !== before) failures.push(`something shared was changed: ${pollution()}`);
  await evaluator.close();
  return {
    seed, count, seconds: Math.round((performance.now() - begun) / 100) / 10,
    outcomes: Object.fromEntries(Object.entries(outcomes).toSorted(([, a], [, b]) => b - a)),
    slowest: { milliseconds: Math.round(slowest.milliseconds), text: slowest.text },
    // The histogram holds what passed between two looks, resolution included.
    loopDelay: { p99: late(delay.percentile(99)), p999: late(delay.percentile(99.9)), max: late(delay.max) },
    failures,
  };
}

const late = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 1e4 - 500) / 100);

function pollution(): string {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((shared) => Object.getOwnPropertyNames(shared).join()).join(";");
}
