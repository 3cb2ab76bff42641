/** What a change of the configuration does: read, checked and compared, tenant by tenant. No database is needed. */
import { createHash } from "node:crypto";
import { PlugboardError, type Problem } from "../../engine/errors/plugboard-error.ts";
import { problemJson } from "../../engine/errors/render.ts";
import { read, type Json, type JsonObject, type SourceTree } from "../../engine/manifest/index.ts";
import { diffTenants, highestRisk, textOfChanges, type Risk, type TenantChange, type TenantPlan } from "../../engine/plan/index.ts";
import { planWorkspace, type PlannedWorkspace } from "../workspace/plan-workspace.ts";

export interface ChangePlan {
  /** Of the effect: equal for changes that do the same. What an approval is of. */
  readonly hash: string;
  readonly risk: Risk;
  /** Those that change; none for a preset or connector that nobody uses yet. */
  readonly tenants: readonly TenantChange[];
  readonly unchanged: number;
  /** Of workspace.yaml, for all tenants: where requests may go, who approves. */
  readonly settings: readonly SettingChange[];
  readonly files: readonly { readonly file: string; readonly change: "added" | "removed" | "changed" }[];
  /** Warnings that the change brings. */
  readonly warnings: readonly ReturnType<typeof problemJson>[];
}

export interface SettingChange { readonly path: string; readonly before?: Json; readonly after?: Json; readonly risk: Risk; readonly why?: string }

/** Everything that is wrong with the configuration after a change; nothing of it can be proposed. */
export class InvalidChange extends PlugboardError {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const errors = problems.filter(({ severity }) => severity === "error");
    super("CHANGE_INVALID", { count: errors.length, errors: errors.length === 1 ? "error" : "errors" });
    this.problems = errors;
  }
}

/** A customer learns of mistakes in their own file, never what stands in those of others. */
export const problemsFor = <Told extends { readonly file?: string }>(tenant: string, problems: readonly Told[]): readonly Told[] =>
  tenant === "" ? problems : problems.filter(({ file }) => file === `tenants/${tenant}.yaml`);

export type Trees = readonly SourceTree[];
export const plansOf = ({ plans }: PlannedWorkspace): ReadonlyMap<string, TenantPlan> => new Map(plans.map((plan) => [plan.tenant.id, plan]));

/** Planned once per tree: a review looks at the same base again and again. */
const planned = new WeakMap<Trees, PlannedWorkspace>();
export function planOnce(trees: Trees): PlannedWorkspace {
  const known = planned.get(trees) ?? planWorkspace(trees);
  planned.set(trees, known);
  return known;
}

/** @throws InvalidChange when the configuration after the change has errors. One before it may have some: they are what is repaired. */
export function planChange(before: Trees, after: Trees): ChangePlan {
  const [old, now] = [planOnce(before), planOnce(after)];
  if (now.problems.some(({ severity }) => severity === "error")) throw new InvalidChange(now.problems);
  const known = new Set(old.problems.map((problem) => JSON.stringify([problem.code, problem.params])));
  const warnings = now.problems.filter((problem) => !known.has(JSON.stringify([problem.code, problem.params]))).map(problemJson);
  const compared = comparePlans(plansOf(old), plansOf(now));
  const settings = compareSettings(settingsOf(before), settingsOf(after));
  return { ...compared, risk: highestRisk([compared.risk, ...settings.map(({ risk }) => risk)]), settings, files: compareFiles(before, after), warnings };
}

/** What somebody may reach or decide afterwards and not before. */
const REACHES: Readonly<Record<string, string>> = {
  egress: "requests may go to other places", secrets: "other variables may be read as secrets", review: "others may approve changes", connect: "connect links may lead to other places", aliases: "other addresses lead to webhooks",
  forge: "changes are reviewed elsewhere, and its credential goes there",
};

function compareSettings(before: JsonObject, after: JsonObject): SettingChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((path): SettingChange[] => {
    const [old, now, why] = [before[path], after[path], REACHES[path]];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    return [{ path, ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }), risk: why === undefined ? "safe" : "new_scope", ...(why === undefined ? {} : { why }) }];
  });
}

export function comparePlans(before: ReadonlyMap<string, TenantPlan>, after: ReadonlyMap<string, TenantPlan>): Pick<ChangePlan, "hash" | "risk" | "tenants" | "unchanged"> {
  const tenants = diffTenants(before, after);
  return {
    hash: createHash("sha256").update(textOfChanges(tenants)).digest("hex").slice(0, 32), risk: highestRisk(tenants.map(({ risk }) => risk)), tenants,
    unchanged: after.size - tenants.filter(({ change }) => change !== "removed").length,
  };
}

function compareFiles(before: Trees, after: Trees): ChangePlan["files"] {
  const files = (trees: Trees): ReadonlyMap<string, string> => trees.find(({ layer }) => layer === "workspace")?.files ?? new Map<string, string>();
  const [old, now] = [files(before), files(after)];
  return [...new Set([...old.keys(), ...now.keys()])].toSorted().flatMap((file) => old.get(file) === now.get(file) ? []
    : [{ file, change: !old.has(file) ? "added" as const : !now.has(file) ? "removed" as const : "changed" as const }]);
}

/** workspace.yaml alone, read. */
export function settingsOf(trees: Trees): JsonObject {
  const text = trees.find(({ layer }) => layer === "workspace")?.files.get("workspace.yaml");
  return text === undefined ? {} : read([{ layer: "workspace", label: "", files: new Map([["workspace.yaml", text]]) }]).settings?.value ?? {};
}
