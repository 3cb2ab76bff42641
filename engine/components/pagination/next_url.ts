/** Follows the URL of the next page that the answer's body names; a falsy value ends the stream. Relative ones are resolved. */
import { definePagination } from "../kinds.ts";
import { overAnswer } from "../shared/answer-variables.ts";
import { nextUrl, urlOf } from "../shared/next-url.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export interface NextUrlSpec extends PagingSpec {
  /** Over the answer: `body.links.next`. */
  readonly next: string;
}

export default definePagination<NextUrlSpec>("next_url", (spec, context) => {
  const next = context.compile(spec.next, "next");
  const until = untilHolds(spec, context);
  return {
    first: () => ({}),
    page: (token) => ({ ...urlOf(token), ...pageSize(spec) }),
    async next(page) {
      if (await until(page)) return undefined;
      return nextUrl(await next.evaluate(overAnswer(page.answer, page.variables), page.variables), page.answer.url);
    },
  };
});
