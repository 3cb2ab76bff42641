import { expect, test } from "vitest";
import { createLiveRedactor, createRedactor, live } from "../../../engine/run/redact.ts";

const SECRET = "canary/7+secret=ü?";
const forms = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), bytes.toString("base64"), bytes.toString("base64url"), bytes.toString("hex")];
};

test("a secret is masked in every form, wherever it stands", () => {
  const redactor = createLiveRedactor();
  redactor.learn(SECRET);
  for (const form of forms(SECRET)) expect(redactor.text(`before ${form} after`), form).not.toContain(form);
  const basic = Buffer.from(`user:${SECRET}`).toString("base64");
  expect(redactor.text(`Basic ${basic}`)).not.toContain(basic.slice(8, -4));
  expect(redactor.data({ a: [`x${SECRET}`], b: 1, c: null })).toEqual({ a: ["x***"], b: 1, c: null });
  expect(redactor.text("nothing of it")).toBe("nothing of it");
});

test("the longest form wins, and what stands around it stays", () => {
  const redactor = createLiveRedactor();
  redactor.learn("abcdefgh");
  redactor.learn("abcdefgh-and-more");
  expect(redactor.text("<abcdefgh-and-more><abcdefgh>abcdefg")).toBe("<***><***>abcdefg");
});

test("what one tenant reads does not tell it that it guessed another one's secret", () => {
  const redactor = createLiveRedactor();
  redactor.learn("password-of-acme", "acme");
  redactor.learn("password-of-nobody");
  expect(redactor.text("password-of-acme", "bolt")).toBe("password-of-acme");
  expect(redactor.text("password-of-acme", "acme")).toBe("***");
  expect(redactor.text("password-of-acme")).toBe("***");                     // the operator's own log
  expect(redactor.text("password-of-nobody", "bolt")).toBe("***");
});

test("those not used for the longest time are forgotten first", () => {
  const redactor = createLiveRedactor(2);
  for (const secret of ["first-secret", "second-secret", "first-secret", "third-secret"]) redactor.learn(secret);
  expect(["first-secret", "second-secret", "third-secret"].map((secret) => redactor.text(secret))).toEqual(["***", "second-secret", "***"]);
});

test("what a run, a check or a call learns is known to the whole process", () => {
  createRedactor([], "acme").learn("learned-by-a-run");
  expect(live.text("the log says learned-by-a-run")).toBe("the log says ***");
});

test("a long text is looked through in time that grows with its length alone", () => {
  const redactor = createLiveRedactor();
  for (let n = 0; n < 5000; n++) redactor.learn(`secret-number-${n}-of-many`);
  const text = `${"x".repeat(200_000)}secret-number-4999-of-many`;
  const begun = performance.now();
  expect(redactor.text(text)).toBe(`${"x".repeat(200_000)}***`);
  expect(performance.now() - begun).toBeLessThan(2000);
});
