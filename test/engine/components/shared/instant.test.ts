import { describe, expect, test } from "vitest";
import { fromMilliseconds, parseInstant, printInstant, toDecimalSeconds, toIso, toMilliseconds } from "../../../../engine/components/shared/instant.ts";

describe("an instant is read from what providers write", () => {
  test.each([
    ["2026-03-01T09:00:00Z", "1772355600"], ["2026-03-01T09:00:00.000Z", "1772355600"], ["2026-03-01T10:00:00+01:00", "1772355600"], ["2026-03-01T10:00:00+0100", "1772355600"], ["2026-03-01T04:00:00-05", "1772355600"],
    ["2026-03-01 09:00:00", "1772355600"], ["2026-03-01T09:00Z", "1772355600"], ["2026-03-01", "1772323200"], ["2026-03-01t09:00:00z", "1772355600"], ["2026-03-01 09:00:00 UTC", "1772355600"],
    ["2025-11-25T10:57:52.6880167Z", "1764068272.6880167"], ["2025-11-25T10:57:52.688016700Z", "1764068272.6880167"], ["2025-11-25T10:57:52,5Z", "1764068272.5"], ["2025-11-25T10:57:52.123456789Z", "1764068272.123456789"],
    [1772355600, "1772355600"], [1772355600000, "1772355600"], [1772355600123, "1772355600.123"], ["1772355600123", "1772355600.123"], ["1772355600", "1772355600"], ["1772355600.25", "1772355600.25"], [1772355600.5, "1772355600.5"],
    ["/Date(1573755038314)/", "1573755038.314"], ["/Date(1573755038314+0000)/", "1573755038.314"], ["1969-12-31T23:59:59.25Z", "-0.75"], ["1969-12-31T23:59:58Z", "-2"],
  ])("%s", (text, seconds) => {
    expect(toDecimalSeconds(parseInstant(text)!)).toBe(seconds);
  });

  test.each([["2026-02-31"], ["2026-13-01"], ["2026-03-01T25:00:00Z"], ["soon"], [""], ["12"], [null], [undefined], [true], [{}], [Number.NaN], ["0000-00-00 00:00:00"]])("%s is none", (value) => {
    expect(parseInstant(value)).toBeUndefined();
  });

  test("a time without an offset is in the zone that is given; a pattern reads what is no ISO", () => {
    expect(toIso(toMilliseconds(parseInstant("2026-07-01T10:30:00", "Europe/London")!))).toBe("2026-07-01T09:30:00Z");
    expect(toIso(toMilliseconds(parseInstant("01/07/2026 10:30", "Europe/London", "dd/MM/yyyy HH:mm")!))).toBe("2026-07-01T09:30:00Z");
    expect(toIso(toMilliseconds(parseInstant("2026-07-01T10:30:00Z", "Europe/London")!))).toBe("2026-07-01T10:30:00Z");
  });

  test("milliseconds survive the way there and back", () => {
    for (const value of [0, 1, -1, -1_500, 1772355600123]) expect(toMilliseconds(fromMilliseconds(value))).toBe(value);
  });
});

test.each([["iso", "2026-03-01T09:00:00Z"], ["iso_ms", "2026-03-01T09:00:00.123Z"], ["iso_date", "2026-03-01"], ["epoch_s", 1772355600], ["epoch_ms", 1772355600123], ["yyyy-MM-dd'T'HH:mm:ss", "2026-03-01T09:00:00"], ["dd/MM/yyyy", "01/03/2026"]])("an instant is printed as %s", (format, printed) => {
  expect(printInstant(1772355600123, format)).toBe(printed);
});
