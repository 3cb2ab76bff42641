import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { corpusBesideCheckout, readCorpus } from "./corpus.ts";
import { runCase } from "./run-case.ts";

const corpus = corpusBesideCheckout();
if (!corpus) console.warn("SKIPPED: the JSONata corpus is not beside this checkout, so conformance is not measured.");

test.skipIf(!corpus)("every case of the reference's own suite passes, with $eval", { timeout: 120_000 }, async () => {
  const cases = readCorpus(corpus!);
  expect(cases.length).toBeGreaterThanOrEqual(1_686);
  const failed: string[] = [];
  for (const one of cases) {
    const { name, failure } = await runCase(one, { evalAllowed: true });
    if (failure !== undefined) failed.push(`${name}: ${failure}`);
  }
  expect(failed).toEqual([]);
});

describe("npm run conformance", () => {
  let folder = "";
  const main = new URL("./main.ts", import.meta.url).pathname;
  const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  const write = (group: string, cases: unknown) => {
    mkdirSync(join(folder, "groups", group), { recursive: true });
    writeFileSync(join(folder, "groups", group, "cases.json"), JSON.stringify(cases));
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "plugboard-cases-"));
    mkdirSync(join(folder, "datasets"));
    writeFileSync(join(folder, "datasets", "order.json"), JSON.stringify({ lines: [{ n: 2 }, { n: 3 }] }));
    write("good", [
      { expr: "$sum(lines.n)", dataset: "order", bindings: {}, result: 5 },
      { expr: "lines[n > 9]", dataset: "order", bindings: {}, undefinedResult: true },
      { expr: "$rate * n", data: { n: 2 }, bindings: { rate: 10 }, result: 20 },
      { expr: "a + ", data: null, bindings: {}, code: "S0207" },
      { expr: "$f := function($n){ 1 + $f($n) }; ", data: null, bindings: {}, code: "S0201" },
      { expr: "($f := function($n){ 1 + $f($n) }; $f(1))", data: null, bindings: {}, depth: 300, timelimit: 1000, code: "U1001" },
      { expr: "$keys($)", data: { b: 1, a: 2 }, bindings: {}, unordered: true, result: ["a", "b"] },
    ]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("prints a table and exits with 0 when all pass", () => {
    const { status, stdout } = run(folder);
    expect(stdout).toContain("7 of 7 cases pass");
    expect(status).toBe(0);
  });

  test("exits with 1 when a value, a code or a missing value differs, and says which", () => {
    write("wrong", [
      { expr: "1 + 1", data: null, bindings: {}, result: 3 },
      { expr: "1 + 'a'", data: null, bindings: {}, code: "T2001" },
      { expr: "a", data: {}, bindings: {}, result: null },
      { expr: "$eval('1')", data: null, bindings: {}, result: 1 },
    ]);
    const { status, stdout } = run(folder);
    expect(stdout).toMatch(/wrong +4 +0 +← 4 failed/);
    expect(stdout).toContain("7 of 11 cases pass");
    expect(status).toBe(1);
    expect(run(folder, "--eval").stdout).toContain("8 of 11 cases pass");
  });

  test("asks for a folder", () => {
    expect(run().status).toBe(2);
  });
});
