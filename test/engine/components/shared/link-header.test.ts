import { expect, test } from "vitest";
import { parseLinkHeader } from "../../../../engine/components/shared/link-header.ts";

test.each([
  ['<https://a/x?page=2>; rel="next"', { next: "https://a/x?page=2" }],
  ['<https://a/1>; rel="prev", <https://a/3>; rel="next"', { prev: "https://a/1", next: "https://a/3" }],
  ["</rel,ative;x>;rel=next", { next: "/rel,ative;x" }],
  ['<https://a/>; rel="start  next"; title="a, b; <c>"', { start: "https://a/", next: "https://a/" }],
  ['<a>; title="say \\"x\\""; REL=Next', { next: "a" }],
  ['<a>; rel="next"; rel="last", <b>; rel="next"', { next: "a" }],
  ["", {}], ["nonsense", {}], ["<a>", {}],
])("%s", (header, links) => {
  expect(parseLinkHeader(header)).toEqual(links);
});

test("a target without an end is refused", () => {
  expect(() => parseLinkHeader('<https://a; rel="next"')).toThrow(expect.objectContaining({ code: "RUN_NOT_DECODABLE" }));
});
