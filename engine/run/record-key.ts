/** The longest key a PostgreSQL index takes with room to spare. */
const MAX_CHARACTERS = 1_000;

/** Text of one part of a key: 1 and "1" are the same key. `undefined`: this value is no key. */
export function keyPart(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== "string" || value === "" || value.length > MAX_CHARACTERS || value.includes("\u0000") || !value.isWellFormed()) return undefined;
  return value;
}

/** Joins the parts of a composite key so that no two lists give the same text: `/` between, `\` before either inside a part. */
export const joinKey = (parts: readonly string[]): string =>
  parts.length === 1 ? parts[0]! : parts.map((part) => part.replace(/[\\/]/g, "\\$&")).join("/");

/** For messages: what came instead of a key. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string" && value.length > MAX_CHARACTERS) return `text of ${value.length} characters`;
  return JSON.stringify(value)?.slice(0, 80) ?? typeof value;
}
