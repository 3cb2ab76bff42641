/** A page token in the answer, until none comes; the request says where it goes (`page.token`). */
import { definePagination } from "../kinds.ts";
import { overAnswer } from "../shared/answer-variables.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export interface TokenSpec extends PagingSpec {
  /** Over the answer: `body.paging.next.after`. A falsy result ends the stream. */
  readonly next: string;
}

export default definePagination<TokenSpec>("token", (spec, context) => {
  const next = context.compile(spec.next, "next");
  const until = untilHolds(spec, context);
  return {
    first: () => ({}),
    page: (token) => ({ ...token, ...pageSize(spec) }),
    async next(page) {
      if (await until(page)) return undefined;
      const token = await next.evaluate(overAnswer(page.answer, page.variables), page.variables);
      return (typeof token === "string" && token !== "") || (typeof token === "number" && token !== 0) ? { token } : undefined;
    },
  };
});
