/**
 * Writes what was pushed, on the way that pages of a run take: records, contributions, rows, quarantine, counters. It needs no
 * checkpoint and takes no flow's place: whoever calls it holds the lane of the events, or the read, in this transaction.
 *
 * The counters stand in a run with the trigger `webhook` that is over whenever it is looked at, one a minute and flow, so that
 * history, origin of rows and the balance hold for pushes as for pulls.
 */
import type { EntityPlan } from "../plan/types.ts";
import type { PageCommit, PageOutcome } from "../run/ports.ts";
import { writePage } from "./commit-page.ts";
import type { TenantTransaction } from "./database.ts";
import type { Sealer } from "./keyring.ts";
import { readyPage, stampOf } from "./page.ts";
import type { ChangeCause } from "./row-changes.ts";
import { newRowId } from "./row-id.ts";
import * as sql from "./sql/push.ts";

/** Pushes of one minute share a run. */
const RUN_MILLISECONDS = 60_000;

export interface PushTarget {
  readonly connection: string;
  readonly flow: string;
  readonly stream: string;
  readonly entity: string;
  readonly entityPlan: EntityPlan;
  readonly labels: Readonly<Record<string, string>>;
  readonly revision: string;
  readonly cause: Extract<ChangeCause, "event" | "replay">;
}

/** Whose run this minute's pushes are counted in; a worker keeps one. Nothing is wrong when it forgets. */
export type PushRuns = Map<string, { readonly run: string; readonly until: number }>;

export type PushedPage = Pick<PageCommit, "records" | "dropped" | "gone" | "quarantined" | "filtered" | "as_of" | "versions"> & { readonly requests?: number; readonly bytes?: number };

/**
 * Each key at most once on a page: their order is that of the pages.
 * @returns the run it was counted in. @throws what PostgreSQL says about a value that it cannot take
 */
export async function writePush(tx: TenantTransaction, sealer: Sealer, runs: PushRuns, target: PushTarget, pushed: PushedPage): Promise<{ readonly run: string; readonly outcome: PageOutcome }> {
  const { connection, flow, stream, entity, entityPlan: plan, revision } = target;
  const page: PageCommit = { checkpoint: {}, retries: 0, requests: 0, bytes: 0, ...pushed };
  const ready = readyPage(page, stampOf(target.labels, plan));
  const run = await runOf(tx, runs, target);
  const [turn] = await tx.run<{ at: string; joined: boolean; has_quarantine: boolean }>(sql.takeTurn(tx.tenantId, connection, flow, entity, plan.match.length > 0));
  const outcome = await writePage(tx, {
    stream: { tenantId: tx.tenantId, connection, stream, entity }, flow, plan, labels: JSON.stringify(target.labels), run, revision, leaseSeconds: 0, cause: target.cause,
  }, sealer, page, ready, { at: turn!.at, joined: turn!.joined, hasQuarantine: turn!.has_quarantine });
  if (outcome.quarantined > 0) await tx.run(sql.markPushRun(tx.tenantId, run));
  const ended = ready.gone.flatMap((key) => (page.versions?.[key] === undefined ? [] : [{ key, version: page.versions[key] }]));
  if (ended.length > 0) await tx.run(sql.keepEnds(tx.tenantId, connection, stream, entity, JSON.stringify(ended), run, turn!.at));
  return { run, outcome };
}

async function runOf(tx: TenantTransaction, runs: PushRuns, { connection, flow, revision }: PushTarget): Promise<string> {
  const name = JSON.stringify([tx.tenantId, flow, connection, revision]);
  const known = runs.get(name);
  if (known !== undefined && known.until > Date.now() && (await tx.run(sql.continuePushRun(tx.tenantId, known.run, flow, revision))).length > 0) return known.run;
  const run = newRowId();
  await tx.run(sql.insertPushRun(tx.tenantId, run, flow, connection, revision));
  if (runs.size > 10_000) runs.clear();
  runs.set(name, { run, until: Date.now() + RUN_MILLISECONDS });
  return run;
}
