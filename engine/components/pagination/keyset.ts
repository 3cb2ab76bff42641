/**
 * Each page is a query of its own: records behind the last one's key (`page.after`), in the order of that key. Never deep,
 * never shifted by inserts. Ends with an empty page, or where `until` says so.
 */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import { definePagination } from "../kinds.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export interface KeysetSpec extends PagingSpec {
  /** Over the last record of a page: what the next page comes after. */
  readonly after: string;
  /** `page.after` of the first page; absent: the member is left out there. */
  readonly start?: string | number;
}

export default definePagination<KeysetSpec>("keyset", (spec, context) => {
  const after = context.compile(String(spec.after), "after");
  const until = untilHolds(spec, context);
  return {
    first: () => (spec.start === undefined ? {} : { after: spec.start }),
    page: (token) => ({ ...token, ...pageSize(spec) }),
    async next(page) {
      if (page.records.length === 0 || (await until(page))) return undefined;
      const value = await after.evaluate(page.records.at(-1), page.variables);
      if ((typeof value !== "string" || value === "") && typeof value !== "number") {
        throw new PlugboardError("RUN_REQUEST", { where: context.where, detail: `'after: ${spec.after}' gave nothing for the last record of the page`, suggestion: "Name the field that the pages are sorted by." });
      }
      return { after: value };
    },
  };
});
