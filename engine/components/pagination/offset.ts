/**
 * Counts records: the next page begins behind those that came, however many were asked for. Ends with an empty page, or where
 * `until` says so.
 */
import { definePagination } from "../kinds.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export interface OffsetSpec extends PagingSpec {
  /** Offset of the first record. @default 0 */
  readonly start?: number;
}

export default definePagination<OffsetSpec>("offset", (spec, context) => {
  const until = untilHolds(spec, context);
  return {
    first: () => ({ offset: spec.start ?? 0 }),
    page: (token) => ({ ...token, ...pageSize(spec) }),
    next: async (page) => (page.records.length === 0 || (await until(page)) ? undefined : { offset: Number(page.token["offset"]) + page.records.length }),
  };
});
