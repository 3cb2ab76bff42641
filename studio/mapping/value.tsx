/** A value as it is shown at a node or a row. Absent, null and empty look different, because they are. */
import type { NodeValue } from "./graph/values.ts";

export function textOfValue(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `list of ${value.length}`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** Longer than this, its start is enough to see which it is. */
const MOST_SHOWN = 300;

/** A plain element: there is one for every step and row. What does not fit is in its title. */
export function Value({ of, width = 240 }: { readonly of: NodeValue; readonly width?: number }) {
  if ("problem" in of) return <span className="value" data-is="problem" style={{ maxWidth: width }} title={of.problem}>✕ {of.problem}</span>;
  if ("absent" in of) return <span className="value" data-is="absent">absent</span>;
  const shown = textOfValue(of.value).slice(0, MOST_SHOWN);
  const whole = typeof of.value === "object" && of.value !== null ? JSON.stringify(of.value, null, 1) : shown;
  return <span className="value" {...(of.value === null ? { "data-is": "null" } : {})} style={{ maxWidth: width }} {...(whole.length < 24 ? {} : { title: whole.slice(0, 600) })}>{shown}</span>;
}
