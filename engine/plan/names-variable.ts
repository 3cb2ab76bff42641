/** Whether anything in a value names a variable: templates, and texts that start with `=`. */
import { compileExpression, compileTemplate } from "../expression/index.ts";
import type { Json } from "../manifest/types.ts";

export function namesVariable(value: Json, name: string): boolean {
  if (typeof value === "string") return value.includes(name) && readsOf(value).includes(name);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, member]) => namesVariable(key, name) || namesVariable(member as Json, name));
}

/** What does not parse reads nothing here: that is told where expressions are checked. */
function readsOf(text: string): readonly (string | undefined)[] {
  try {
    if (text.startsWith("==")) return [];
    if (!text.startsWith("=")) return compileTemplate(text, "text").reads.map(([root]) => root);
    const { reads, variables } = compileExpression(text.slice(1));
    return [...reads.map(([root]) => root), ...variables];
  } catch {
    return [];
  }
}
