import { describe, expect, test } from "vitest";
import { nearest, suggest } from "../../../engine/errors/nearest.ts";

describe("the nearest name to", () => {
  test.for([
    ["offest", ["page", "offset", "token"], "offset"],
    ["streem", ["stream", "streams"], "stream"],
    ["page_size", ["start", "size", "until"], "size"],
    ["Base_URL", ["base_url", "hosts"], "base_url"],
    ["colour", ["size", "start"], undefined],
    ["x", ["id", "key"], undefined],
  ] as const)("%s is", ([name, known, expected]) => {
    expect(nearest(name, known)).toBe(expected);
  });
});

test("without a near name, what there is is listed", () => {
  expect(suggest("zzz", ["a_long_name", "another"])).toBe("there is: a_long_name, another");
  expect(suggest("zzz", [])).toBe("there is none yet");
});
