/**
 * OData: follows `@odata.nextLink` (v4), `odata.nextLink` (v3) or `d.__next` (v2) while the server pages by itself. With `size`, a
 * server that never sent a link is asked on with `$top: =page.size` and `$skip: =page.offset`, until a page is empty.
 * Source: OData 4.01 Protocol §11.2.6.7 "Server-Driven Paging".
 */
import { definePagination, type PageToken } from "../kinds.ts";
import { nextUrl } from "../shared/next-url.ts";
import { pageSize, untilHolds, type PagingSpec } from "../shared/until.ts";

export type ODataSpec = PagingSpec;

export default definePagination<ODataSpec>("odata", (spec, context) => {
  const until = untilHolds(spec, context);
  return {
    first: (): PageToken => (spec.size === undefined ? {} : { offset: 0 }),
    page: (token) => ({ ...token, ...pageSize(spec) }),
    async next(page) {
      if (await until(page)) return undefined;
      const body = (page.answer.body ?? {}) as { readonly [name: string]: unknown; readonly d?: { readonly __next?: unknown } };
      const link = nextUrl(body["@odata.nextLink"] ?? body["odata.nextLink"] ?? body.d?.__next, page.answer.url);
      if (link !== undefined) return link;
      // A server that gave links and gives none now is at its end.
      if (spec.size === undefined || page.records.length === 0 || typeof page.token["url"] === "string") return undefined;
      return { offset: Number(page.token["offset"]) + page.records.length };
    },
  };
});
