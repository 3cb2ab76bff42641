/** Problems of the plan, made at the place in the file that causes them. */
import type { ErrorCode } from "../errors/catalog.ts";
import { suggest } from "../errors/nearest.ts";
import type { ErrorParams, Problem } from "../errors/plugboard-error.ts";
import { locationOf, type Source } from "./sourced.ts";

/** Collects; nothing here throws. The same problem at the same place counts once. */
export type Report = (problem: Problem) => void;

export function problemAt(source: Source, code: ErrorCode, params: ErrorParams, more: { severity?: Problem["severity"]; part?: "key" | "value" } = {}): Problem {
  return { code, severity: more.severity ?? "error", params, at: locationOf(source, more.part), pointer: source.pointer };
}

export function unknownReference(source: Source, kind: string, name: string, known: Iterable<string>): Problem {
  return problemAt(source, "MANIFEST_UNKNOWN_REFERENCE", { kind, name, suggestion: suggest(name, known) });
}

export function withoutRepeats(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, at, params }) => {
    const identity = JSON.stringify([code, at?.file, at?.line, at?.col, params]);
    return !seen.has(identity) && seen.add(identity);
  });
}

/** Those that were not told before: the same mistake is found by the checks of single manifests too, where it stands in one. */
export function notTold(problems: readonly Problem[], told: readonly Problem[]): Problem[] {
  const place = ({ code, at }: Problem): string => JSON.stringify([code, at?.file, at?.line, at?.col]);
  const known = new Set(told.map(place));
  return problems.filter((problem) => !problem.at || !known.has(place(problem)));
}
