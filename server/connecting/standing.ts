/** How a connection stands, in one word and one sentence: from its credential, its flows' last runs, and who paused it. */
import type { TenantPlan } from "../../engine/plan/types.ts";
import type { ConnectionState, LastRun, ScheduleState } from "../../engine/store/index.ts";

export const standings = ["connected", "degraded", "reconnect_needed", "disconnected", "disabled", "error", "not_connected"] as const;

export interface Standing {
  readonly name: (typeof standings)[number];
  /** For a person; null where there is nothing to say. */
  readonly reason: string | null;
  /** ISO instants. */
  readonly since: string | null;
  readonly last_sync_at: string | null;
  readonly next_run_at: string | null;
}

/** What only a person can mend, by connecting again. */
const NEEDS_A_PERSON = new Set(["AUTH_RECONNECT", "AUTH_REFUSED", "AUTH_MISSING_CREDENTIAL", "AUTH_ACCOUNT_CHANGED", "AUTH_NOT_SIGNED_IN"]);

/** @param missing fields without which it cannot be used. */
export function standingOf(plan: TenantPlan, connection: string, state: ConnectionState | undefined, missing: readonly string[], runs: readonly LastRun[], schedules: readonly ScheduleState[]): Standing {
  const own = runs.filter(({ run }) => run.connection === connection && plan.flows[run.flow]?.enabled === true);
  const due = schedules.flatMap((each) => (each.connection === connection && each.enabled && each.paused === undefined && each.due !== undefined ? [each.due] : []));
  const enabled = plan.connections[connection]?.enabled === true;
  const last = own.flatMap(({ succeeded_at }) => succeeded_at ?? []).toSorted().at(-1) ?? null;
  const about = { last_sync_at: last, next_run_at: enabled && due.length > 0 ? new Date(Math.min(...due)).toISOString() : null };
  const says = (name: Standing["name"], reason: string | null, since: string | null = state?.since ?? null): Standing => ({ name, reason, since, ...about });

  if (!enabled) return says("disabled", "The configuration disables it.", null);
  if (state?.paused !== undefined) return { ...says("disabled", `Paused by ${state.paused.by}.`, state.paused.at), next_run_at: null };
  if (state === undefined) return says("not_connected", "Nothing was entered yet.", null);
  if (state.status === "disconnected") return { ...says("disconnected", "Its credential was taken away."), next_run_at: null };
  if (state.status === "broken") {
    const { code, message } = state.status_detail ?? {};
    return says(NEEDS_A_PERSON.has(String(code)) ? "reconnect_needed" : "error", typeof message === "string" ? message : null);
  }
  if (missing.length > 0) return says("not_connected", `It lacks: ${missing.join(", ")}.`);

  const failed = own.filter(({ run }) => run.status === "failed");
  const [latest] = failed.toSorted((a, b) => ((a.run.finished_at ?? "") < (b.run.finished_at ?? "") ? 1 : -1));
  if (latest !== undefined) {
    const reason = `${failed.length === 1 ? `Flow ${latest.run.flow}` : `${failed.length} flows`} failed: ${latest.run.error?.message ?? "without a message"}`;
    return says(failed.length === own.length && last === null ? "error" : "degraded", reason, latest.run.finished_at ?? null);
  }
  const held = own.find(({ run }) => run.status === "succeeded_with_quarantine");
  if (held !== undefined) return says("degraded", `Flow ${held.run.flow} could not take ${held.run.counters.quarantined} of its last records; they wait in the quarantine.`, held.run.finished_at ?? null);
  return says("connected", state.status === "untested" && last === null ? "Nobody has asked the provider yet." : null);
}
