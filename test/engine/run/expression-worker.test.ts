import { afterAll, expect, test } from "vitest";
import { isolatedEvaluator } from "../../../engine/run/expression-worker.ts";

const evaluator = isolatedEvaluator({ megabytes: 64 });
afterAll(() => evaluator.close());

test("values, problems and whole mappings come back from the thread", async () => {
  expect(await evaluator.evaluate({ expression: "a.b & $config.c", input: { a: { b: 1 } }, bindings: { config: { c: "x" } } })).toEqual({ value: "1x" });
  expect(await evaluator.evaluate({ expression: "$uppercase(a)", input: { a: 1 } })).toMatchObject({ problem: { code: "T0410" } });
  expect(await evaluator.evaluate({ expression: "a.", input: {} })).toMatchObject({ problem: { code: "S0207", position: 1 } });
  expect(await evaluator.evaluate({ fields: { "x.y": { expression: "$slug(a)" }, "z": { expression: "$uppercase(b)" } }, input: { a: "A B", b: 1 } }))
    .toMatchObject({ value: { value: { x: { y: "a-b" } }, problems: [{ field: "z", code: "T0410" }] } });
});

test("one long built-in call is ended, and the next request works", async () => {
  const begun = performance.now();
  const [slow, next] = await Promise.all([
    evaluator.evaluate({ expression: "$count($sort([1..90000], function($a, $b){ $string($a) < $string($b) }))", input: {}, limits: { milliseconds: 60 } }),
    evaluator.evaluate({ expression: "1 + 1", input: {} }),
  ]);
  expect(slow).toMatchObject({ problem: { code: "LIMIT", limit: "time" } });
  expect(next).toEqual({ value: 2 });
  expect(performance.now() - begun).toBeLessThan(5000);
});

test("memory has a limit of its own", async () => {
  const greedy = isolatedEvaluator({ megabytes: 32 });
  const reply = await greedy.evaluate({ expression: "($f := function($l, $n){ $n = 0 ? $count($l) : $f($append($l, $l), $n - 1) }; $f([1..1000], 16))", input: {}, limits: { milliseconds: 20_000, sequence: 10_000_000 } });
  expect(reply).toMatchObject({ problem: { code: "LIMIT", limit: "memory" } });
  expect(await greedy.evaluate({ expression: "1 + 1", input: {} })).toEqual({ value: 2 });
  await greedy.close();
});

test("after closing, requests get a problem and the thread is gone", async () => {
  const closing = isolatedEvaluator();
  await closing.evaluate({ expression: "1 + 1", input: {} });
  await closing.close();
  expect(await closing.evaluate({ expression: "1", input: {} })).toMatchObject({ problem: { code: "CLOSED" } });
});
