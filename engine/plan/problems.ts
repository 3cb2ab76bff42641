/** Problems of the plan, made at the place in the file that causes them. */
import type { ErrorCode } from "../errors/catalog.ts";
import type { ErrorParams, Problem } from "../errors/plugboard-error.ts";
import { locationOf, type Source } from "./sourced.ts";

/** Collects; nothing here throws. The same problem at the same place counts once. */
export type Report = (problem: Problem) => void;

export function problemAt(source: Source, code: ErrorCode, params: ErrorParams, more: { severity?: Problem["severity"]; part?: "key" | "value" } = {}): Problem {
  return { code, severity: more.severity ?? "error", params, at: locationOf(source, more.part), pointer: source.pointer };
}

export function unknownReference(source: Source, kind: string, name: string, known: Iterable<string>): Problem {
  return problemAt(source, "MANIFEST_UNKNOWN_REFERENCE", { kind, name, suggestion: suggestion(name, known) });
}

/** "Did you mean …?" where something is near, else what there is. */
export function suggestion(name: string, known: Iterable<string>): string {
  const all = [...known];
  const near = nearest(name, all);
  if (near !== undefined) return `Did you mean '${near}'?`;
  return all.length === 0 ? "There is none yet." : `There is: ${all.slice(0, 12).join(", ")}${all.length > 12 ? ", …" : ""}.`;
}

export function withoutRepeats(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, at, params }) => {
    const identity = JSON.stringify([code, at?.file, at?.line, at?.col, params]);
    return !seen.has(identity) && seen.add(identity);
  });
}

/** The known name that needs the fewest edits, if that is at most a third of its length. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: { name: string; edits: number } | undefined;
  for (const candidate of known) {
    const edits = editsBetween(name.toLowerCase(), candidate.toLowerCase());
    if (edits <= Math.max(1, Math.floor(candidate.length / 3)) && (!best || edits < best.edits)) best = { name: candidate, edits };
  }
  return best?.name;
}

/** Levenshtein distance, in two rows. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
