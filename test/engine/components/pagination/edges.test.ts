/** What a page may hold besides records; the ordinary way of each type is in run/paging.test.ts. */
import { describe, expect, test } from "vitest";
import type { PageToken, Pagination } from "../../../../engine/components/kinds.ts";
import { registry } from "../../../../engine/components/registry.gen.ts";
import { answerOf, context } from "../built.ts";

const build = (type: keyof typeof registry.pagination, spec: object = {}): Pagination => registry.pagination[type].build({ type, ...spec }, context);
const next = (pagination: Pagination, body: unknown, { token = pagination.first(), records = [{ id: 1 }], headers = {} }: { token?: PageToken; records?: unknown[]; headers?: Record<string, string> } = {}) =>
  pagination.next({ token, answer: answerOf(body, { headers }), records, variables: { page: pagination.page(token) } });

describe("until", () => {
  for (const type of ["page", "offset", "keyset", "token", "next_url", "odata", "link_header"] as const) {
    test(`ends ${type}, and sees records and page`, async () => {
      const spec = { after: "id", next: "body.next", size: 2 };
      const headers = { link: '</x>; rel="next"' };
      const body = { next: "/x", "@odata.nextLink": "/x" };
      expect(await next(build(type, { ...spec, until: "$count(records) < page.size" }), body, { headers })).toBeUndefined();
      expect(await next(build(type, { ...spec, until: "body.last" }), body, { headers })).toBeDefined();
    });
  }
  test("null, absent and empty are all the last page with the language's idiom", async () => {
    const pagination = build("page", { until: "body.next ? false : true" });
    expect([await next(pagination, { next: null }), await next(pagination, {}), await next(pagination, { next: "" }), await next(pagination, { next: "/2" })]).toEqual([undefined, undefined, undefined, { number: 2 }]);
  });
});

test.each([[null], [""], [undefined], [false], [0], [{}]])("next %j ends a token and a link", async (value) => {
  expect(await next(build("token", { next: "body.next" }), { next: value })).toBeUndefined();
  expect(await next(build("next_url", { next: "body.next" }), { next: value })).toBeUndefined();
});

test("an empty page does not end a stream that gives tokens", async () => {
  expect(await next(build("token", { next: "body.next" }), { next: "b" }, { records: [] })).toEqual({ token: "b" });
});

test("links are resolved against the address that answered", async () => {
  expect(await next(build("next_url", { next: "body.next" }), { next: "?page=2" })).toEqual({ url: "https://api.example.com/v1/people?page=2" });
  expect(await next(build("link_header", { rel: "Older" }), {}, { headers: { link: '<../people?c=1>; rel=older' } })).toEqual({ url: "https://api.example.com/people?c=1" });
});

test("odata: v4, v3 and v2 links; without a link it ends unless it counts", async () => {
  for (const body of [{ "@odata.nextLink": "/n" }, { "odata.nextLink": "/n" }, { d: { __next: "/n" } }]) expect(await next(build("odata"), body)).toEqual({ url: "https://api.example.com/n" });
  expect(await next(build("odata"), {})).toBeUndefined();
  expect(await next(build("odata", { size: 1 }), {})).toEqual({ offset: 1 });
  expect(await next(build("odata", { size: 1 }), {}, { token: { url: "https://api.example.com/n" } })).toBeUndefined();
});

test("keyset: a last record without the key is an error, not the end", async () => {
  await expect(next(build("keyset", { after: "id" }), {}, { records: [{ name: "x" }] })).rejects.toMatchObject({ code: "RUN_REQUEST" });
});

test("sizes and starts are what the manifest says; an unsaid size is absent", () => {
  expect([build("page").page(build("page").first()), build("page", { start: 0, size: 5 }).first(), build("offset", { start: 1 }).first(), build("keyset", { after: "id" }).first(), build("keyset", { after: "id", start: "0" }).page({ after: "0" })])
    .toEqual([{ number: 1 }, { number: 0 }, { offset: 1 }, {}, { after: "0" }]);
});
