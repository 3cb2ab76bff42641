import type { BuildContext, PageSeen } from "../kinds.ts";
import { holds, overAnswer } from "./answer-variables.ts";

/** What every pagination takes. */
export interface PagingSpec {
  /** Records asked for per page: the variable `page.size`, absent where it is not given. */
  readonly size?: number;
  /** Over the answer, `page` and `records`: true on the last page. */
  readonly until?: string | boolean;
}

/** The part of the variable `page` that is the same on every page. */
export const pageSize = (spec: PagingSpec): { readonly size?: number } => (spec.size === undefined ? {} : { size: spec.size });

/** Compiles `until`; without one no page is the last. */
export function untilHolds({ until }: PagingSpec, { compile }: BuildContext): (page: PageSeen) => Promise<boolean> {
  if (until === undefined) return async () => false;
  const expression = compile(String(until), "until");
  return async ({ answer, records, variables }) => holds(await expression.evaluate({ ...overAnswer(answer, variables), records }, variables));
}
