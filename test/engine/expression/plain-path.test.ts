import fc from "fast-check";
import jsonata from "jsonata";
import { expect, test } from "vitest";
import { compileExpression } from "../../../engine/expression/index.ts";
import { plainJson } from "../../../engine/expression/plain-json.ts";

const NAMES = ["a", "b", "c", "length", "constructor", "__proto__", "first name"];
const name = fc.constantFrom(...NAMES);

/** Small JSON over few names, so that paths meet lists in lists, empty lists, nulls and singletons often. */
const record = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom<unknown>(1, "x", null, true, 0, ""),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie("node")), { maxLength: 3 }).map((pairs) => {
      const object = {};
      for (const [key, value] of pairs) Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      return object;
    }),
  ),
})).node;

const path = fc.tuple(fc.constantFrom("", "$.", "$$.", "$v."), fc.array(name.map((n) => `\`${n}\``), { minLength: 1, maxLength: 4 }))
  .map(([start, names]) => start + names.join("."));

test("a plain path read directly gives what the reference gives", async () => {
  await fc.assert(fc.asyncProperty(record, record, path, async (input, variable, text) => {
    const ours = compileExpression(text).evaluate(input, { v: variable });
    expect(ours).not.toBeInstanceOf(Promise);
    const reference = await jsonata(text).evaluate(input, { v: variable });
    expect(plainJson(ours)).toEqual(plainJson(reference));
  }), { numRuns: 4000, seed: 20261121 });
});

test.each([
  ["a", { a: [1] }, [1]],
  ["a.b", { a: [{ b: 1 }] }, 1],
  ["a.b", { a: [{ b: [1] }] }, [1]],
  ["a.b", { a: [{ b: [1, 2] }, { b: 3 }, {}] }, [1, 2, 3]],
  ["a.b", { a: [] }, undefined],
  ["a", { a: [] }, []],
  ["a.b.c", { a: null }, undefined],
  ["a", { a: null }, null],
  ["a", [[{ a: 1 }, { a: 2 }]], [1, 2]],
  ["`first name`.\"b\"", { "first name": { b: 1 } }, 1],
  ["constructor", {}, undefined],
  ["__proto__.polluted", {}, undefined],
  ["toString.length", {}, undefined],
])("%s of %j is %j", (text, input, expected) => {
  expect(compileExpression(text).evaluate(input)).toEqual(expected);
});
