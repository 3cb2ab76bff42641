/** Rows that a table begins with: the values seen in the source, each beside the target's choice that is most like it. */
import type { Json } from "../../engine/manifest/types.ts";
import { likeness } from "./trees.ts";

export function lookupRows(seen: readonly unknown[], choices: readonly Json[] | undefined): [key: string, text: string][] {
  const keys = [...new Set(seen.filter((value) => typeof value === "string" || typeof value === "number").map(String))].slice(0, 12);
  return (keys.length > 0 ? keys : ["value"]).map((key) => {
    const best = choices?.map((choice) => ({ choice, score: likeness(key, String(choice)) })).toSorted((a, b) => b.score - a.score)[0];
    return [key, JSON.stringify(best?.choice ?? choices?.[0] ?? key)];
  });
}
