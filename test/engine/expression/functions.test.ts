import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileExpression, compileTemplate, ExpressionError, functionCatalogue, pathsOf } from "../../../engine/expression/index.ts";
import { library } from "../../../engine/expression/functions/index.ts";

const examples = functionCatalogue.flatMap((fn) => fn.examples.map((example) => [example.expression, fn, example] as const));

const outcome = async (run: () => unknown) => {
  try {
    return { result: await run() };
  } catch (thrown) {
    if (thrown instanceof ExpressionError) return { error: thrown.problem.code, position: thrown.problem.position };
    throw thrown;
  }
};
const asText = (value: unknown) => (value === undefined ? undefined : typeof value === "object" ? JSON.stringify(value) : String(value));

test.each(examples)("%s in JSONata", async (expression, _fn, example) => {
  const actual = await outcome(() => compileExpression(expression).evaluate({}, example.now === undefined ? {} : { now: example.now }));
  if (example.error) expect(actual).toMatchObject({ error: example.error, position: expect.any(Number) });
  else expect(actual).toStrictEqual({ result: example.result });
});

test.each(examples)("%s in a template", async (_expression, fn, example) => {
  const names = example.args.map((_arg, index) => `arg${index}`);
  const call = `${fn.name} ${names.join(" ")}`.trim();
  const variables = { ...Object.fromEntries(names.map((name, index) => [name, example.args[index]])), ...(example.now === undefined ? {} : { now: example.now }) };
  const actual = await outcome(() => compileTemplate(typeof example.result === "object" ? `{{json (${call})}}` : `{{${call}}}`, "text").render(variables));
  if (example.error) expect(actual).toMatchObject({ error: example.error });
  else expect(actual).toEqual({ result: asText(example.result) });
});

test("every deterministic function has an example that gives a value", () => {
  for (const fn of functionCatalogue) if (fn.deterministic) expect(fn.examples.some((example) => "result" in example), fn.name).toBe(true);
});

test("every function gives absent for an absent argument that it needs", async () => {
  for (const [name, fn] of Object.entries(library)) {
    if (fn.parameters.length === 0 || fn.parameters[0]?.endsWith("?")) continue;
    expect(await compileExpression(`$${name}(${fn.parameters.map(() => "missing").join(", ")})`).evaluate({}), name).toBeUndefined();
  }
});

test("names, signatures and parameters agree", () => {
  for (const [name, fn] of Object.entries(library)) {
    expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    const types = fn.signature.slice(1, fn.signature.lastIndexOf(":")).replace(/\([^)]*\)/g, "x").replace(/-/g, "");
    expect(types.replace(/\?/g, ""), name).toHaveLength(fn.parameters.length);
    expect([...types.matchAll(/.(\??)/g)].map(([, mark]) => mark === "?"), name).toEqual(fn.parameters.map((parameter) => parameter.endsWith("?")));
  }
});

test("a random UUID is marked as another each time", async () => {
  const [first, second] = await compileExpression("[$uuid(), $uuid()]").evaluate({}) as string[];
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(second).not.toBe(first);
  expect(functionCatalogue.filter((fn) => !fn.deterministic).map((fn) => fn.name)).toEqual(["uuid"]);
});

test("the machine's zone, language and clock change nothing", async () => {
  for (const TZ of ["Pacific/Kiritimati", "America/New_York"]) {
    process.env.TZ = TZ;
    expect(await compileExpression("$parse_datetime('31/12/2026 23:30', 'dd/MM/yyyy HH:mm', 'Europe/Paris')").evaluate({})).toBe("2026-12-31T22:30:00.000Z");
    expect(await compileExpression("$parse_date('1 May 2026', 'd MMMM yyyy')").evaluate({})).toBe("2026-05-01");
  }
  delete process.env.TZ;
  expect(await outcome(() => compileExpression("$parse_date('1 May', 'd MMMM')").evaluate({}))).toMatchObject({ error: "DATE_PATTERN" });
});

test("functions take the context where JSONata's own do", async () => {
  expect(await compileExpression("name.$slug()").evaluate({ name: "A B" })).toBe("a-b");
  expect(await compileExpression("names.$slug()").evaluate({ names: ["A B", "C"] })).toEqual(["a-b", "c"]);
  expect(pathsOf("phone.$phone('GB')")).toEqual([["phone"]]);
  expect(pathsOf("$phone(a.b, 'GB') & $slug(c)")).toEqual([["a", "b"], ["c"]]);
});

test("hashes and keyed hashes are those of the platform's own cryptography", async () => {
  const hash = compileExpression("$hash(text, algorithm, encoding)");
  const keyed = compileExpression("$hmac(text, key, algorithm, encoding)");
  await fc.assert(fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ maxLength: 100 }), fc.constantFrom("md5", "sha1", "sha256", "sha384", "sha512"), fc.constantFrom("hex", "base64", "base64url"), async (text, key, algorithm, encoding) => {
    const input = { text, key, algorithm, encoding };
    expect(await hash.evaluate(input)).toBe(createHash(algorithm).update(text, "utf8").digest(encoding as "hex"));
    expect(await keyed.evaluate(input)).toBe(createHmac(algorithm, key).update(text, "utf8").digest(encoding as "hex"));
  }), { numRuns: 200, seed: 7 });
});

test("what was encoded decodes to itself", async () => {
  const round = compileExpression("[$base64_decode($base64_encode(t)), $base64_decode($base64url_encode(t)), $hex_decode($hex_encode(t)), $url_decode($url_encode(t))]");
  await fc.assert(fc.asyncProperty(fc.string({ unit: "grapheme" }), async (t) => { expect(await round.evaluate({ t })).toEqual([t, t, t, t]); }), { numRuns: 200, seed: 7 });
});
