import { describe, expect, test } from "vitest";
import type { Json } from "../../../engine/manifest/types.ts";
import { bench } from "../../support/run.ts";
import { liveKeys } from "../../support/memory-store.ts";
import { HOST, planOf } from "../../support/plan.ts";
import { providerDouble, type SeenRequest } from "../../support/provider-double.ts";

const people = Array.from({ length: 7 }, (_, index) => ({ id: index + 1, name: `P${index + 1}` }));
const keys = people.map(({ id }) => String(id));
const slice = (from: number, size: number): Json[] => people.slice(from, from + size);

describe("every record is read once, whichever way the provider pages", () => {
  test("page: until a page is empty", async () => {
    const provider = providerDouble(({ query }) => ({ json: { items: slice((Number(query["page"]) - 1) * 3, Number(query["size"])) } }));
    const place = bench();
    const result = await place.run(planOf({ request: { query: { page: "=page.number", size: "=page.size" } }, pagination: { type: "page", size: 3 } }), provider);
    expect(result).toMatchObject({ status: "succeeded", mode: "full", counters: { read: 7, created: 7, pages: 4, requests: 4 } });
    expect(liveKeys(place.rows)).toEqual(keys);
    expect(provider.requests.map(({ query }) => query["page"])).toEqual(["1", "2", "3", "4"]);
  });

  test("page: `until` sees the answer and the page, and spares the empty page", async () => {
    const provider = providerDouble(({ query }) => ({ json: { items: slice((Number(query["page"]) - 1) * 3, 3), pages: 3 } }));
    const result = await bench().run(planOf({ request: { query: { page: "=page.number" } }, pagination: { type: "page", until: "body.pages <= page.number" } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 3 });
  });

  test("offset: by the number of records that came, not the number asked for", async () => {
    const provider = providerDouble(({ query }) => ({ json: { items: slice(Number(query["offset"]), 2) } }));
    const place = bench();
    const result = await place.run(planOf({ request: { query: { offset: "=page.offset", limit: "=page.size" } }, pagination: { type: "offset", size: 5 } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 5 });
    expect(liveKeys(place.rows)).toEqual(keys);
  });

  test("next_url: the link is the whole next request, with headers and without the query", async () => {
    const provider = providerDouble(({ url, query }) => {
      const at = Number(query["at"] ?? 0);
      return { json: { items: slice(at, 3), next: at + 3 < 7 ? `${url.pathname}?at=${at + 3}` : null } };
    });
    const place = bench();
    const result = await place.run(planOf({ http: { headers: { "X-Version": "2" } }, request: { query: { per_page: 3 } }, pagination: { type: "next_url", next: "body.next" } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 3 });
    expect(provider.requests.map(({ url }) => url.search)).toEqual(["?per_page=3", "?at=3", "?at=6"]);
    expect(provider.requests.every(({ headers }) => headers["x-version"] === "2")).toBe(true);
    expect(liveKeys(place.rows)).toEqual(keys);
  });

  test("link_header: until no link says next", async () => {
    const provider = providerDouble(({ query }) => {
      const at = Number(query["cursor"] ?? 0);
      return { json: slice(at, 3), headers: at + 3 < 7 ? { link: `<https://${HOST}/v1/people?cursor=${at + 3}>; rel="next", <https://${HOST}/v1/people>; rel="first"` } : {} };
    });
    const result = await bench().run(planOf({ records: "$", pagination: { type: "link_header" } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 3 });
  });

  test("token: until none comes; the first request has none", async () => {
    const provider = providerDouble(({ query }) => {
      const at = Number(query["after"] ?? 0);
      return { json: { items: slice(at, 3), ...(at + 3 < 7 ? { paging: { next: { after: String(at + 3) } } } : {}) } };
    });
    const result = await bench().run(planOf({ request: { query: { after: "{{page.token}}" } }, pagination: { type: "token", next: "body.paging.next.after" } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 3 });
    expect(provider.requests[0]!.url.search).toBe("");
  });

  test("keyset: each page is a query behind the last key", async () => {
    const after = ({ body }: SeenRequest): number => Number((body as { filters: { value: string }[] }).filters[0]!.value);
    const provider = providerDouble((request) => ({ json: { items: people.filter(({ id }) => id > after(request)).slice(0, 3) } }));
    const result = await bench().run(planOf({
      request: { method: "POST", path: "/people/search", body: { encoding: "json", value: { limit: "=page.size", filters: [{ field: "id", operator: "GT", value: "{{page.after}}" }] } } },
      pagination: { type: "keyset", after: "id", start: "0", size: 3 },
    }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 4 });
    expect(provider.requests[0]!.body).toEqual({ limit: 3, filters: [{ field: "id", operator: "GT", value: "0" }] });
  });

  test("odata: follows the server's links, and stops where they stop", async () => {
    const provider = providerDouble(({ query, path }) => {
      const at = Number(query["$skiptoken"] ?? 0);
      return { json: { value: slice(at, 3), ...(at + 3 < 7 ? { "@odata.nextLink": `https://${HOST}${path}?$skiptoken=${at + 3}` } : {}) } };
    });
    const result = await bench().run(planOf({ records: "value", request: { query: { $top: "=page.size" } }, pagination: { type: "odata", size: 3 } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 3 });
    expect(provider.requests[0]!.url.search).toBe("?$top=3");
  });

  test("odata: counts with $skip where the server gives no links", async () => {
    const provider = providerDouble(({ query }) => ({ json: { value: slice(Number(query["$skip"]), 3) } }));
    const result = await bench().run(planOf({ records: "value", request: { query: { $top: "=page.size", $skip: "=page.offset" } }, pagination: { type: "odata", size: 3 } }), provider);
    expect(result.counters).toMatchObject({ read: 7, requests: 4 });
  });

  test("no pagination: one answer is the stream", async () => {
    const result = await bench().run(planOf({}), providerDouble(() => ({ json: { items: people } })));
    expect(result).toMatchObject({ status: "succeeded", counters: { read: 7, requests: 1, pages: 1 } });
  });
});
