/** Circuit breakers, one per target and shared by all workers: what fails again and again is left alone, then tried by one. */
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { closeBreaker, failBreaker, passBreaker, releaseProbe, selectBreakers } from "./sql/breakers.ts";

/** Failures in a row that open it. */
const MOST_FAILURES = 5;
/** How long it is open at first, and at most; seconds. */
const FIRST_SECONDS = 30;
const LONGEST_SECONDS = 900;
/** How long the one that tries has; then another one may. */
const PROBE_SECONDS = 120;

/** `open`: nothing may be sent, ask again in `wait` seconds. `probe`: it was open, and the caller is the one that tries: it says how that ended, or `endProbe`. */
export type BreakerSays = { readonly is: "closed" | "probe" } | { readonly is: "open"; readonly wait: number; readonly reason: string };

export async function askBreaker(tx: TenantTransaction, target: string): Promise<BreakerSays> {
  const [found] = await tx.run<{ wait: number | null; probing: boolean; reason: string | null }>(passBreaker(tx.tenantId, target, PROBE_SECONDS));
  if (found === undefined || found.wait === null) return { is: found?.probing === true ? "probe" : "closed" };
  return { is: "open", wait: found.wait, reason: found.reason ?? "it failed again and again" };
}

/** The one that was to try sent nothing after all. */
export const endProbe = (tx: TenantTransaction, target: string): Promise<unknown> => tx.run(releaseProbe(tx.tenantId, target));

/** @returns for how many seconds nothing is sent there now; undefined while it is not open. */
export async function noteFailure(tx: TenantTransaction, target: string, reason: string): Promise<number | undefined> {
  const [found] = await tx.run<{ opened: number | null }>(failBreaker(tx.tenantId, target, reason.slice(0, 500), MOST_FAILURES, FIRST_SECONDS, LONGEST_SECONDS));
  return found?.opened ?? undefined;
}

/** @returns whether it was open: then others wait that need not any more. */
export const noteSuccess = async (tx: TenantTransaction, target: string): Promise<boolean> => (await tx.run<{ opened: boolean }>(closeBreaker(tx.tenantId, target)))[0]?.opened === true;

export interface BreakerState { readonly target: string; readonly failures: number; /** ISO instant; absent: it is closed. */ readonly opened_until?: string; readonly reason?: string }

export const listBreakers = (at: Database | TenantTransaction, tenant: string): Promise<BreakerState[]> => inTenant(at, tenant, async (tx) =>
  (await tx.run<{ target: string; failures: number; opened_until: Date | null; reason: string | null }>(selectBreakers(tx.tenantId))).map(({ target, failures, opened_until, reason }) => ({
    target, failures, ...(opened_until === null ? {} : { opened_until: opened_until.toISOString() }), ...(reason === null ? {} : { reason }),
  })));
