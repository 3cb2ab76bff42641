import { expect, test } from "vitest";
import { catalog } from "../../../engine/errors/catalog.ts";
import type { Problem } from "../../../engine/errors/plugboard-error.ts";
import { problemJson, renderProblem, renderProblems, sortProblems, summaryOf } from "../../../engine/errors/render.ts";

const problem = (more: Partial<Problem> = {}): Problem => ({
  code: "MANIFEST_UNKNOWN_FIELD", severity: "error", pointer: "/fragments/object/pagination/page_size",
  params: { field: "page_size", where: "fragments.object.pagination (type keyset)", suggestion: "did you mean 'size'?" },
  at: { file: "connectors/hubspot/connector.yaml", line: 2, col: 7, length: 9 }, ...more,
});
const textOf = () => "one\n      page_size: 200\n";

test("a problem is shown with its place, sentence, line, caret, hint and where it is documented", () => {
  expect(renderProblem(problem(), { textOf })).toBe([
    "connectors/hubspot/connector.yaml:2:7  error  MANIFEST_UNKNOWN_FIELD",
    "  Unknown field 'page_size' in fragments.object.pagination (type keyset).",
    "",
    "  2 |       page_size: 200",
    "    |       ^^^^^^^^^",
    "",
    "  hint: did you mean 'size'?",
    "  docs: schemas/reference/errors.md#manifest_unknown_field",
  ].join("\n"));
});

test("colours are only there when asked for", () => {
  expect(renderProblem(problem(), { textOf })).not.toContain("\u001b[");
  expect(renderProblem(problem(), { textOf, colour: true })).toContain("\u001b[31m^^^^^^^^^\u001b[0m");
});

test("a hint that lacks a parameter is left out, and a place that lacks a text has no excerpt", () => {
  const { suggestion: _, ...params } = problem().params;
  expect(renderProblem(problem({ params })).split("\n")).toHaveLength(3);
});

test("of a long line, the part around the caret is shown", () => {
  const long = `${"x".repeat(300)}HERE${"y".repeat(300)}`;
  const lines = renderProblem(problem({ at: { file: "f", line: 1, col: 301, length: 4 } }), { textOf: () => long }).split("\n");
  const [line = "", caret = ""] = lines.slice(3);
  expect(line.length).toBeLessThan(120);
  expect(line.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("HERE");
});

test("a secret is not repeated, in its own excerpt or in another's of the same line", () => {
  const text = () => "auth: { value: hunter2-hunter2, colour: red }\n";
  const secret = problem({ code: "MANIFEST_SECRET", params: { field: "auth.value" }, at: { file: "f", line: 1, col: 16, length: 15 } });
  const said = renderProblems([secret, problem({ at: { file: "f", line: 1, col: 33, length: 6 } })], { textOf: text });
  expect(said).not.toContain("hunter2");
  expect(said.match(/colour: red/g)).toHaveLength(2);
});

test("problems are told by file, line and column, and summed up", () => {
  const places = [["b", 1, 1], ["a", 9, 1], ["a", 2, 8], ["a", 2, 3]] as const;
  const problems = places.map(([file, line, col]) => problem({ at: { file, line, col } }));
  expect(sortProblems(problems).map(({ at }) => `${at?.file}${at?.line}${at?.col}`)).toEqual(["a23", "a28", "a91", "b11"]);
  expect(summaryOf([...problems, problem({ severity: "warning" })], 12)).toBe("4 errors and 1 warning in 3 files (12 files checked).");
  expect(summaryOf([])).toBe("No problems.");
});

test("as JSON it has the code, the finished sentence and the place", () => {
  expect(problemJson(problem())).toEqual({
    code: "MANIFEST_UNKNOWN_FIELD", severity: "error", message: "Unknown field 'page_size' in fragments.object.pagination (type keyset).", hint: "did you mean 'size'?",
    file: "connectors/hubspot/connector.yaml", line: 2, col: 7, length: 9, pointer: "/fragments/object/pagination/page_size", docs: "schemas/reference/errors.md#manifest_unknown_field",
  });
});

test("every code starts with its stage, and has a sentence and a status of the HTTP API", () => {
  for (const [code, entry] of Object.entries(catalog)) {
    expect(code).toMatch(/^(MANIFEST|PLAN|MAPPING|AUTH|RUN|EVENT|DELIVERY|CHANGE|TENANT|LIMIT|STORE|SERVER|CLI|LINT)_[A-Z_]+$/);
    expect(entry.message.length, code).toBeGreaterThan(3);
    expect(entry.http >= 400 && entry.http < 600, code).toBe(true);
  }
});
