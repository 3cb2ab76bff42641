/** Waits for runs, wherever they are worked on, and shows them meanwhile. */
import { setTimeout as sleepFor } from "node:timers/promises";
import type { Jobs } from "../../engine/jobs/index.ts";
import { getRun, listRuns, type Run } from "../../engine/store/index.ts";
import { describeResult } from "./result.ts";
import type { ProgressBoard } from "./progress.ts";

/** A report may be lost with a listening connection; the run's row is asked this often. */
const ASK_MILLISECONDS = 1_000;

export interface WatchedRun { readonly tenant: string; readonly flow: string; readonly run: string }

const ENDED: ReadonlySet<Run["status"]> = new Set(["succeeded", "succeeded_with_quarantine", "failed", "cancelled", "superseded"]);

export const succeeded = (run: Run): boolean => run.status === "succeeded" || run.status === "succeeded_with_quarantine";

/** The runs as they ended, in the order they were given. Rejects with the signal's reason when it is aborted. */
export async function watchRuns(jobs: Jobs, asked: readonly WatchedRun[], board: ProgressBoard, signal: AbortSignal): Promise<Run[]> {
  const watched = asked.map((each) => ({ ...each }));
  const followed = new Set(watched.map(({ run }) => run));
  const names = new Map(watched.map((each) => [each.run, `${each.tenant}/${each.flow}`]));
  const ended = new Map<string, Run>();
  let wake = Promise.withResolvers<void>();
  const forget = jobs.board.watch((report) => {
    const name = names.get(report.run);
    if (name === undefined || ended.has(report.run)) return;
    if (report.progress) board.update(name, report.progress);
    if (report.status !== undefined) wake.resolve();
  });
  try {
    while (ended.size < watched.length) {
      for (const each of watched) {
        if (ended.has(each.run)) continue;
        const run = await getRun(jobs.db, each.tenant, each.run);
        if (!run || !ENDED.has(run.status)) continue;
        // A run that a lost worker left takes the place of one that was only queued: that is the one to wait for.
        const standIn = run.status === "superseded" ? await currentRun(jobs, each, followed) : undefined;
        if (standIn) {
          followed.add(standIn.id);
          names.set(standIn.id, names.get(each.run)!);
          each.run = standIn.id;
          continue;
        }
        ended.set(each.run, run);
        board.finish(names.get(each.run)!, succeeded(run), describeRun(run));
      }
      if (ended.size === watched.length) break;
      await Promise.race([wake.promise, sleepFor(ASK_MILLISECONDS, undefined, { signal })]);
      signal.throwIfAborted();
      wake = Promise.withResolvers();
    }
  } finally {
    forget();
  }
  return watched.map((each) => ended.get(each.run)!);
}

/** The run of the flow that is under way, or ended last, and was not followed yet. */
async function currentRun(jobs: Jobs, { tenant, flow }: WatchedRun, followed: ReadonlySet<string>): Promise<Run | undefined> {
  const { items } = await listRuns(jobs.db, tenant, { flow, limit: 5 });
  return items.find((run) => run.status !== "superseded" && !followed.has(run.id));
}

export function describeRun(run: Run): string {
  const said = describeResult({ status: run.status as "succeeded", ...(run.mode ? { mode: run.mode } : {}), counters: run.counters, checkpoint: run.checkpoint, ...(run.sweep ? { sweep: run.sweep } : {}) }, secondsOf(run));
  return run.error ? `${run.status}: ${run.error.code}, ${said}` : said;
}

export function secondsOf(run: Run): number {
  return run.started_at !== undefined && run.finished_at !== undefined ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000 : 0;
}
