/** schemas/language.md shows nothing that the validator does not take. */
import { describe, expect, test } from "vitest";
import { read, runMappingTests, validateWorkspace } from "../../engine/manifest/index.ts";
import { languageBlocks, manifestOf, treeOf } from "./language-blocks.ts";

const blocks = languageBlocks();
const page = treeOf(blocks);
const ofPage = validateWorkspace(read([page]));

test("the page's blocks are found", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(25);
});

describe("the block of schemas/language.md at line", () => {
  test.for(blocks.map((block) => ({ line: block.line, head: block.head, block })))("$line ($head) validates", ({ block }) => {
    const { path, text } = manifestOf(block);
    // The page shows some manifests twice; the first of each is read with the whole page.
    const isFirst = page.files.get(path) === text;
    const all = isFirst ? ofPage : validateWorkspace(read([{ layer: "workspace", label: "", files: new Map([...page.files, [path, text]]) }]));
    const problems = all.filter(({ at }) => at?.file === path);
    // The page shows manifests without all that they name, and words that run later.
    const shown = problems.filter(({ code }) => code !== "MANIFEST_UNKNOWN_REFERENCE" && code !== "MANIFEST_NOT_RUNNING_YET");
    expect(shown.map(({ code, params, at }) => `${at?.line}:${at?.col} ${code} ${JSON.stringify(params)}`)).toEqual([]);
  });
});

test("what does not run yet is told by name where it is in the way, and as a warning where it is only declared", () => {
  const said = validateWorkspace(read([page])).filter(({ code }) => code === "MANIFEST_NOT_RUNNING_YET").map(({ at, severity, params }) => `${at?.file} ${severity} ${String(params.feature)}`);
  expect(said).toContain("connectors/hubspot/connector.yaml error enrich");
  expect(said).toContain("connectors/onefile/connector.yaml error type: session");
  expect(said).toContain("presets/ai-interviewer/preset.yaml error entity");
  expect(said.filter((each) => / (?:webhooks|queues|actions|change|action|save|hold_for|mint|template)$/.test(each))).toEqual([]);
});

test("the mappings of the page pass the tests that the page gives them", async () => {
  const results = await runMappingTests(read([page]));
  expect(results.length).toBeGreaterThanOrEqual(2);
  expect(results.filter(({ passed }) => !passed)).toEqual([]);
});
