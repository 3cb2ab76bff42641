/** Overrides that are worth a second look: they change nothing, or hide what a newer release would change. */
import { problemAt, type Report } from "./problems.ts";
import { at, isRemoval, members, plain, sameJson, type Sourced } from "./sourced.ts";

/** An override that repeats what it hides would keep a newer release's value away for nothing. */
export function lintRepeats(tree: Sourced, report: Report, path: readonly string[] = []): void {
  const [hidden] = tree.shadows;
  if (tree.source.layer === "tenant" && hidden && hidden.source.layer !== "tenant" && sameJson(hidden.value, plain(tree)))
    report(problemAt(tree.source, "PLAN_SAME_AS_PRESET", { path: path.join(".") }, { severity: "warning" }));
  for (const [key, member] of members(tree)) lintRepeats(member, report, [...path, key]);
}

/** @param tenant what it overrides; @param pinned and @param newest its preset in two releases. */
export function lintSuperseded(tenant: Sourced, pinned: Sourced | undefined, newest: Sourced | undefined, release: number | "head", report: Report, path: readonly string[] = []): void {
  if (tenant.kind === "map") {
    for (const [key, member] of tenant.entries) if (!isRemoval(member)) lintSuperseded(member, at(pinned, key), at(newest, key), release, report, [...path, key]);
    return;
  }
  if (!pinned || !newest || sameJson(plain(pinned), plain(newest)) || sameJson(plain(newest), plain(tenant))) return;
  report(problemAt(tenant.source, "PLAN_SHADOWS_NEWER", { path: path.join("."), pinned: shown(pinned), newest: shown(newest), release }, { severity: "warning" }));
}

const shown = (node: Sourced): string => JSON.stringify(plain(node));
