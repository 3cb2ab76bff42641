import { expect, test } from "vitest";
import type { ConnectionState, LastRun, ScheduleState } from "../../../engine/store/index.ts";
import type { TenantPlan } from "../../../engine/plan/types.ts";
import { standingOf } from "../../../server/connecting/standing.ts";

const plan = (enabled = true) => ({ connections: { crm: { enabled } }, flows: { a: { enabled: true }, b: { enabled: true }, off: { enabled: false } } }) as unknown as TenantPlan;
const state = (change: Partial<ConnectionState> = {}): ConnectionState => ({ connection: "crm", connector: "crm", config: {}, status: "ok", since: "2026-03-01T00:00:00.000Z", signed_in: false, secrets: {}, updated_at: "2026-03-01T00:00:00.000Z", ...change });
const run = (flow: string, status: string, change: object = {}, succeeded_at?: string) => ({ run: { flow, connection: "crm", status, counters: { quarantined: 3 }, finished_at: "2026-03-02T00:00:00.000Z", ...change }, ...(succeeded_at === undefined ? {} : { succeeded_at }) }) as unknown as LastRun;
const schedule = (due: number, change: object = {}) => ({ connection: "crm", flow: "a", enabled: true, due, ...change }) as unknown as ScheduleState;
const name = (...given: Parameters<typeof standingOf>) => standingOf(...given).name;
const fails = { error: { code: "RUN_NETWORK", message: "unreachable" } };

type Case = readonly [expected: string, plan: TenantPlan, state: ConnectionState | undefined, missing: readonly string[], runs: readonly LastRun[]];
test.each<Case>([
  ["not_connected", plan(), undefined, [], []],
  ["not_connected", plan(), state(), ["token"], []],
  ["disabled", plan(false), state(), [], []],
  ["disabled", plan(), state({ paused: { at: "2026-03-01T00:00:00Z", by: "ann" } }), [], []],
  ["disconnected", plan(), state({ status: "disconnected" }), ["token"], []],
  ["reconnect_needed", plan(), state({ status: "broken", status_detail: { code: "AUTH_RECONNECT", message: "over" } }), [], []],
  ["reconnect_needed", plan(), state({ status: "broken", status_detail: { code: "AUTH_ACCOUNT_CHANGED", message: "other" } }), [], []],
  ["error", plan(), state({ status: "broken", status_detail: { code: "AUTH_HOST_NOT_ALLOWED", message: "host" } }), [], []],
  ["error", plan(), state(), [], [run("a", "failed", fails), run("b", "failed", fails)]],
  ["degraded", plan(), state(), [], [run("a", "failed", fails), run("b", "succeeded", {}, "2026-03-02T00:00:00Z")]],
  ["degraded", plan(), state(), [], [run("a", "succeeded_with_quarantine", {}, "2026-03-02T00:00:00Z")]],
  ["connected", plan(), state(), [], [run("off", "failed", fails)]],
  ["connected", plan(), state({ status: "untested" }), [], []],
])("%s", (expected, planned, state, missing, runs) => {
  expect(name(planned, "crm", state, missing, runs, [])).toBe(expected);
});

test("it says since when, when it was last read, and when the next run is due", () => {
  const runs = [run("a", "succeeded", {}, "2026-03-02T00:00:00.000Z"), run("b", "succeeded", {}, "2026-03-03T00:00:00.000Z")];
  const due = [schedule(Date.parse("2026-03-05T00:00:00Z")), schedule(Date.parse("2026-03-04T00:00:00Z")), schedule(0, { paused: { at: 0, by: "ann" } }), schedule(0, { connection: "other" })];
  expect(standingOf(plan(), "crm", state(), [], runs, due)).toEqual({ name: "connected", reason: null, since: "2026-03-01T00:00:00.000Z", last_sync_at: "2026-03-03T00:00:00.000Z", next_run_at: "2026-03-04T00:00:00.000Z" });
  expect(standingOf(plan(), "crm", state({ paused: { at: "2026-03-03T10:00:00Z", by: "ann" } }), [], runs, due)).toMatchObject({ name: "disabled", reason: "Paused by ann.", since: "2026-03-03T10:00:00Z", next_run_at: null });
});
