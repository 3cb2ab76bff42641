/** How the flows did, and what waits: of one tenant, or of several, each read as itself. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import { PLATFORM } from "./audit.ts";
import { type Database, type TenantTransaction, withTenant, withTenants } from "./database.ts";
import * as sql from "./sql/overview.ts";

/** Of one tenant; older ones of the time asked for are left out, and `truncated` says so. */
const MOST_RUNS = 50_000;
/** Counted no further: "9,999+". */
export const MOST_WAITING = 10_000;
const MOST_BROKEN = 50;
const MOST_REASONS = 50;

export interface RunBucket extends Omit<sql.HistoryRow, "at" | "last_failed_at"> {
  /** Its beginning, in milliseconds since the epoch. */
  readonly at: number;
  readonly lastFailedAt: number | undefined;
}

export interface TenantOverview {
  readonly tenant: string;
  readonly history: readonly RunBucket[];
  readonly failures: readonly { readonly connector: string; readonly code: string; readonly count: number; readonly lastAt: number | undefined }[];
  readonly broken: readonly { readonly connection: string; readonly connector: string; readonly code: string | null; readonly message: string | null; readonly since: string | null }[];
  readonly waiting: Readonly<sql.WaitingRow>;
  readonly truncated: boolean;
}

/** One after the other, in one transaction; a tenant that is gone meanwhile is left out. */
export const readOverviews = (db: Database, tenants: readonly string[], since: Date, step: "hour" | "day"): Promise<TenantOverview[]> => withTenants(db, async (enter) => {
  const found: TenantOverview[] = [];
  for (const tenant of tenants) {
    const tx = await enter(tenant).catch((thrown: unknown) => {
      if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return undefined;
      throw thrown;
    });
    if (tx !== undefined) found.push(await overviewOf(tx, since, step));
  }
  return found;
});

async function overviewOf(tx: TenantTransaction, since: Date, step: "hour" | "day"): Promise<TenantOverview> {
  const history = await tx.run<sql.HistoryRow>(sql.selectRunHistory(tx.tenantId, since, step, MOST_RUNS));
  const failed = history.some((row) => row.failed > 0);
  const failures = failed ? await tx.run<sql.FailureRow>(sql.selectRunFailures(tx.tenantId, since, MOST_RUNS, MOST_REASONS)) : [];
  const broken = await tx.run<sql.BrokenRow>(sql.selectBrokenConnections(tx.tenantId, MOST_BROKEN));
  const [waiting] = await tx.run<sql.WaitingRow>(sql.countWaiting(tx.tenantId, MOST_WAITING));
  return {
    tenant: tx.tenant,
    history: history.map(({ at, last_failed_at, ...row }) => ({ ...row, at: at.getTime(), lastFailedAt: last_failed_at?.getTime() })),
    failures: failures.map(({ last_at, ...row }) => ({ ...row, lastAt: last_at?.getTime() })),
    broken: broken.map(({ status_at, ...row }) => ({ ...row, since: status_at?.toISOString() ?? null })),
    waiting: waiting!,
    truncated: history.reduce((sum, row) => sum + row.succeeded + row.with_quarantine + row.failed + row.cancelled + row.under_way, 0) >= MOST_RUNS,
  };
}

/** Changes that wait for review or to be applied. */
export const proposedChanges = (db: Database, onlyTenant?: string): Promise<number> =>
  withTenant(db, PLATFORM, async (tx) => (await tx.run<{ count: number }>(sql.countProposed(tx.tenantId, onlyTenant, MOST_WAITING)))[0]!.count);
