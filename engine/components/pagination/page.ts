/** Counts pages. Ends with an empty page, or where `until` says so; a short page ends nothing (providers shorten pages as they like). */
import { definePagination } from "../kinds.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export interface PageSpec extends PagingSpec {
  /** Number of the first page. @default 1 */
  readonly start?: number;
}

export default definePagination<PageSpec>("page", (spec, context) => {
  const until = untilHolds(spec, context);
  return {
    first: () => ({ number: spec.start ?? 1 }),
    page: (token) => ({ ...token, ...pageSize(spec) }),
    next: async (page) => (page.records.length === 0 || (await until(page)) ? undefined : { number: Number(page.token["number"]) + 1 }),
  };
});
