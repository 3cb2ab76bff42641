/**
 * Each folder here is a workspace; expected.error.txt is what `plugboard validate` says of it, to the letter. A folder is a
 * mistake that a newcomer makes. `UPDATE_GOLDEN=1` writes the files anew: read the difference before you commit it.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { renderProblems } from "../../engine/errors/render.ts";
import { read, runMappingTests, validateWorkspace, withTests } from "../../engine/manifest/index.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const EXPECTED = "expected.error.txt";
const cases = readdirSync(FOLDER).filter((name) => statSync(join(FOLDER, name)).isDirectory() && readdirSync(join(FOLDER, name)).includes("workspace.yaml"));

describe("what validate says of", () => {
  test.for(cases)("%s", async (name) => {
    const files = new Map(readdirSync(join(FOLDER, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== EXPECTED)
      .map((entry) => [relative(join(FOLDER, name), join(entry.parentPath, entry.name)).split(sep).join("/"), readFileSync(join(entry.parentPath, entry.name), "utf8")]));
    const workspace = read([{ layer: "workspace", label: "", files }]);
    const told = validateWorkspace(workspace);
    const problems = withTests(told, await runMappingTests(workspace, told));
    const said = `${renderProblems(problems, { textOf: (file) => workspace.files.get(file) })}\n`;
    const path = join(FOLDER, name, EXPECTED);
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, said);
    expect(said).toBe(readFileSync(path, "utf8"));
  });
});

test("no case is said to be right but the one that is", () => {
  expect(cases.filter((name) => readFileSync(join(FOLDER, name, EXPECTED), "utf8").startsWith("No problems"))).toEqual(["a-correct-workspace"]);
});
