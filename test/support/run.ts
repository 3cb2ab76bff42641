/** Runs a flow of a small plan against a provider double: everything in memory, time in hand. */
import { runFlow } from "../../engine/run/run-flow.ts";
import { createMemoryBuckets } from "../../engine/run/memory-buckets.ts";
import { createMemoryStore, memoryRows, type MemoryRows, type MemoryStoreOptions } from "../../engine/run/memory-store.ts";
import { createMemoryTokens } from "../../engine/run/memory-tokens.ts";
import type { LogLine, Progress, RunPorts, RunRequest, RunResult } from "../../engine/run/ports.ts";
import type { Buckets, Transport } from "../../engine/components/kinds.ts";
import type { TenantPlan } from "../../engine/plan/types.ts";
import { testClock, type TestClock } from "./clock.ts";

export interface Bench {
  readonly rows: MemoryRows;
  readonly clock: TestClock;
  readonly buckets: Buckets;
  readonly tokens: RunPorts["token"];
  readonly log: LogLine[];
  readonly progress: Progress[];
  run(plan: TenantPlan, transport: Transport, request?: Partial<RunRequest>, store?: MemoryStoreOptions): Promise<RunResult>;
}

/** What outlives a run: rows, tokens, limits, time. */
export function bench(start?: string): Bench {
  const rows = memoryRows();
  const clock = testClock(start);
  const buckets = createMemoryBuckets(() => clock.now());
  const tokens = createMemoryTokens();
  const log: LogLine[] = [];
  const progress: Progress[] = [];
  return {
    rows, clock, buckets, tokens, log, progress,
    run: (plan, transport, request = {}, store = {}) => runFlow(
      { run: "run-1", attempt: 1, plan, flow: "people", connection: { config: {} }, signal: new AbortController().signal, ...request },
      { store: createMemoryStore({ rows, ...store }), transport, buckets, clock, token: tokens, log: (line) => { log.push(line); }, progress: (seen) => { progress.push(seen); } },
    ),
  };
}
