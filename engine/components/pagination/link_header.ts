/** Follows `Link: <…>; rel="next"`. The link is the whole next request. Source: RFC 8288 §3. */
import { definePagination } from "../kinds.ts";
import { parseLinkHeader } from "../shared/link-header.ts";
import { nextUrl, urlOf } from "../shared/next-url.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export interface LinkHeaderSpec extends PagingSpec {
  /** @default "next" */
  readonly rel?: string;
}

export default definePagination<LinkHeaderSpec>("link_header", (spec, context) => {
  const until = untilHolds(spec, context);
  const relation = (spec.rel ?? "next").toLowerCase();
  return {
    first: () => ({}),
    page: (token) => ({ ...urlOf(token), ...pageSize(spec) }),
    async next(page) {
      const header = page.answer.headers["link"];
      if (header === undefined || (await until(page))) return undefined;
      return nextUrl(parseLinkHeader(header)[relation], page.answer.url);
    },
  };
});
