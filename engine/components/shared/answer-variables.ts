import type { Answer, Variables } from "../kinds.ts";

/** What an expression over an answer sees as its root: `status headers body`, and every variable beside them. */
export const overAnswer = (answer: Answer, variables: Variables): Record<string, unknown> =>
  ({ ...variables, status: answer.status, headers: answer.headers, body: answer.body, response: { status: answer.status, headers: answer.headers, body: answer.body } });

/** JSONata's `$boolean`, as `when`, `where` and `until` are read: absent, null, "", 0, empty list and empty object are false. */
export function holds(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holds);
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return typeof value === "function" ? false : Boolean(value);
}
