import { expect, test } from "vitest";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { createRedactor } from "../../../engine/run/redact.ts";

const SECRET = 'p4ss/w"ord+ü&x';
const bytes = Buffer.from(SECRET);

test.each([
  ["plain", SECRET], ["JSON", JSON.stringify({ a: SECRET })], ["URL", encodeURIComponent(SECRET)], ["form", new URLSearchParams({ a: SECRET }).toString()], ["base64", bytes.toString("base64")], ["base64url", bytes.toString("base64url")], ["hex", bytes.toString("hex")],
])("%s", (_name, text) => {
  const clean = createRedactor([SECRET]).text(`before ${text} after`);
  expect(clean).toContain("***");
  expect(clean).toMatch(/^before .*after$/);
  expect(clean).not.toContain(text.includes(SECRET) ? SECRET : text.slice(4));
});

test("inside the base64 of something longer, at each alignment", () => {
  for (const before of ["", "a", "ab", "ada:"]) for (const after of ["", "z", ":zz"]) {
    const text = Buffer.from(`${before}a-much-longer-secret${after}`).toString("base64");
    const clean = createRedactor(["a-much-longer-secret"]).text(text);
    expect(Buffer.from(clean.replaceAll("***", ""), "base64").toString()).not.toContain("much-longer");
  }
});

test("a secret learnt later, and one inside another", () => {
  const redactor = createRedactor(["secret"]);
  redactor.learn("secret-longer");
  expect(redactor.text("x secret-longer y secret z")).toBe("x *** y *** z");
});

test("words as short as a country code are left alone", () => {
  expect(createRedactor(["gb", ""]).text("gb is not hidden")).toBe("gb is not hidden");
});

test("data is cleaned as deep as it goes, and an error loses its cause", () => {
  const redactor = createRedactor([SECRET]);
  expect(redactor.data({ a: [SECRET, 1, null], b: { c: `x${SECRET}` } })).toEqual({ a: ["***", 1, null], b: { c: "x***" } });
  const error = redactor.error(new PlugboardError("RUN_NETWORK", { request: "GET /x", detail: `sent ${SECRET}` }, { cause: new Error(SECRET) }));
  expect([error.message, error.cause]).toEqual(["GET /x failed: sent ***", undefined]);
});
