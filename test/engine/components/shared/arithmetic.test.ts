import { describe, expect, test } from "vitest";
import { backoffSeconds } from "../../../../engine/components/shared/backoff.ts";
import { durationSeconds, showSeconds } from "../../../../engine/components/shared/duration.ts";
import { glob } from "../../../../engine/components/shared/glob.ts";
import { hostAllowed } from "../../../../engine/components/shared/hosts.ts";
import { encodePairs } from "../../../../engine/components/shared/percent.ts";
import { retryAfterSeconds } from "../../../../engine/components/shared/retry-after.ts";

const NOW = Date.parse("2026-03-01T09:00:00Z");

test.each([["30", 30], ["0.5", 0.5], [" 7 ", 7], ["86400000", 86_400], ["Sun, 01 Mar 2026 09:01:00 GMT", 60], ["Sun, 01 Mar 2026 08:00:00 GMT", undefined], ["0", undefined], ["-1", undefined], ["soon", undefined], ["", undefined], [undefined, undefined]])("Retry-After %s is %s", (value, seconds) => {
  expect(retryAfterSeconds(value, NOW)).toBe(seconds);
});

test("backoff grows, is fully jittered, and has a ceiling", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 20].map((tries) => backoffSeconds(tries, () => 1))).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  expect(backoffSeconds(5, () => 0)).toBe(0);
  expect(new Set(Array.from({ length: 20 }, () => backoffSeconds(6))).size).toBeGreaterThan(10);
});

test("durations carry their unit", () => {
  expect(["500ms", "1.5s", "15m", "1h", "7d", "2w", 30].map(durationSeconds)).toEqual([0.5, 1.5, 900, 3600, 604_800, 1_209_600, 30]);
  expect(() => durationSeconds("soon")).toThrow();
  expect([0.2, 45, 600, 7200].map(showSeconds)).toEqual(["1 s", "45 s", "10 min", "2 h"]);
});

describe("patterns", () => {
  test.each([["*/search", "/crm/v3/search", true], ["*/search", "/search/x", false], ["/a/*/c", "/a/b/c", true], ["/a/*/c", "/a/c", false], ["a*a", "a", false], ["*", "", true], ["/x", "/x", true], ["/x.", "/xy", false], ["a*b*a", "aba", true], ["a*ba*a", "aba", false]])("%s on %s: %s", (pattern, text, fits) => {
    expect(glob(pattern)(text)).toBe(fits);
  });

  test("a hostile pattern stays linear", () => {
    const begun = performance.now();
    expect(glob("*a".repeat(5_000))("b".repeat(50_000))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(500);
  });

  test.each([["https://api.example.com/", ["api.example.com"], true], ["https://API.example.com./", ["api.example.com"], true], ["https://a.b.example.com/", ["*.example.com"], true], ["https://example.com/", ["*.example.com"], false], ["https://evilexample.com/", ["*.example.com"], false],
    ["https://api.example.com.evil.org/", ["api.example.com", "*.example.com"], false], ["http://localhost:8080/", ["localhost"], true], ["http://localhost:8080/", ["localhost:8080"], true], ["http://localhost:8081/", ["localhost:8080"], false], ["https://a.com/", ["a.com:443"], true], ["https://a.com/", [], false]])("%s within %j: %s", (url, patterns, fits) => {
    expect(hostAllowed(new URL(url), patterns)).toBe(fits);
  });
});

test("a query is written without plus signs, and keeps the dollar of OData", () => {
  expect(encodePairs({ $filter: "UpdatedDate ge 2024-01-01T00:00:00+00:00", list: [1, undefined, 2], no: undefined, nil: null, yes: true, "a&b": "\ud800" })).toBe("$filter=UpdatedDate%20ge%202024-01-01T00%3A00%3A00%2B00%3A00&list=1&list=2&yes=true&a%26b=%EF%BF%BD");
  expect(() => encodePairs({ a: { b: 1 } })).toThrow(/'a' is an object/);
});
