/** Whatever a manifest says, validating it ends in problems with a place, never in a throw. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { catalog } from "../../../engine/errors/catalog.ts";
import { renderProblems } from "../../../engine/errors/render.ts";
import { read, runMappingTests, validateWorkspace, type Json } from "../../../engine/manifest/index.ts";
import { someBroken } from "../../schemas/broken.ts";

const FOLDER = new URL("../../golden/a-correct-workspace/", import.meta.url);
const PATHS = ["connectors/acme/connector.yaml", "mappings/acme/company.yaml", "presets/acme/preset.yaml", "schemas/entities/company.schema.json", "tenants/globex.yaml", "workspace.yaml"];
const FILES = new Map(PATHS.map((path) => [path, readFileSync(new URL(path, FOLDER), "utf8")]));
const MOST = 250;

describe("every way to break", () => {
  test.for(PATHS)("%s is told or right", async (path) => {
    for (const value of someBroken(parse(FILES.get(path)!) as Json, MOST)) {
      const workspace = read([{ layer: "workspace", label: "", files: new Map([...FILES, [path, JSON.stringify(value, undefined, 1)]]) }]);
      const problems = [...validateWorkspace(workspace), ...(await runMappingTests(workspace)).flatMap(({ problem }) => problem ?? [])];
      for (const { code, at } of problems) {
        expect(catalog[code]).toBeDefined();
        expect(at?.line, `${code} of ${JSON.stringify(value)}`).toBeGreaterThan(0);
      }
      expect(renderProblems(problems, { textOf: (file) => workspace.files.get(file) })).not.toMatch(/undefined|\[object|NaN/);
    }
  });
});
