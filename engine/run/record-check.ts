/** What PostgreSQL cannot hold, or would hold only at the price of a crash elsewhere. Found here, it costs one record. */

/** Far deeper than any API nests; recursion elsewhere stays safe below it. */
const MAX_DEPTH = 100;

/** Why a record cannot be stored, or `undefined`. */
export function unstorable(value: unknown, depth = 0, path = ""): string | undefined {
  if (typeof value === "string") return badText(value, path);
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = unstorable(item, depth + 1, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const name in value) {
    const found = badText(name, path) ?? unstorable((value as Record<string, unknown>)[name], depth + 1, path === "" ? name : path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Source: PostgreSQL 18, 8.14 "JSON Types": \u0000 and unpaired surrogates cannot stand in jsonb. */
function badText(text: string, path: string): string | undefined {
  const where = path === "" ? "it" : `'${path.slice(0, 60)}'`;
  if (text.includes("\u0000")) return `${where} holds a NUL character`;
  return text.isWellFormed() ? undefined : `${where} holds half a character (an unpaired surrogate)`;
}
