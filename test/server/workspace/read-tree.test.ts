import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findWorkspace, PRODUCT_ROOT, readTree, readTrees } from "../../../server/workspace/read-tree.ts";

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), "plugboard-tree-")); });
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

const write = (path: string, text = "a: 1\n"): void => { mkdirSync(join(root, path, ".."), { recursive: true }); writeFileSync(join(root, path), text); };
const refused = (): string => {
  try { readTree(root, "workspace"); return "read"; } catch (thrown) { return (thrown as { code: string }).code; }
};

test("only the rooms of configuration are read, with everything beside the manifests", () => {
  for (const path of ["workspace.yaml", "connectors/acme/connector.yaml", "connectors/acme/exchanges/a.http", "mappings/acme/x.hbs", "schemas/entities/a.schema.json", "tenants/a.yaml",
    "README.md", "schemas/connector.schema.json", ".git/config", "connectors/.hidden/x.yaml", "engine/run/x.ts"]) write(path);
  expect([...readTree(root, "workspace").files.keys()]).toEqual(["workspace.yaml", "connectors/acme/connector.yaml", "connectors/acme/exchanges/a.http", "mappings/acme/x.hbs", "tenants/a.yaml", "schemas/entities/a.schema.json"]);
});

test("a link that leaves the folder is refused, one inside it is read", () => {
  write("mappings/a/b.yaml", "inside: 1\n");
  symlinkSync("b.yaml", join(root, "mappings/a/c.yaml"));
  expect(readTree(root, "workspace").files.get("mappings/a/c.yaml")).toBe("inside: 1\n");
  symlinkSync(join(PRODUCT_ROOT, "package.json"), join(root, "mappings/a/d.yaml"));
  expect(refused()).toBe("MANIFEST_UNREADABLE");
});

test("a link to a folder, a link to nothing, a room that is a link out, and a file beyond the cap are refused", () => {
  write("mappings/a/b.yaml");
  for (const make of [
    () => { symlinkSync(join(PRODUCT_ROOT, "engine"), join(root, "mappings/linked")); return join(root, "mappings/linked"); },
    () => { symlinkSync("nothing.yaml", join(root, "mappings/a/gone.yaml")); return join(root, "mappings/a/gone.yaml"); },
    () => { symlinkSync(join(PRODUCT_ROOT, "connectors"), join(root, "connectors")); return join(root, "connectors"); },
    () => { write("mappings/a/big.yaml", "x".repeat(3 * 1024 * 1024)); return join(root, "mappings/a/big.yaml"); },
  ]) {
    const path = make();
    expect(refused(), path).toBe("MANIFEST_UNREADABLE");
    rmSync(path);
  }
  expect(refused()).toBe("read");
});

test("a workspace is laid over the catalogue; the product's own root is the catalogue alone", () => {
  write("workspace.yaml");
  expect(readTrees(root).map(({ layer }) => layer)).toEqual(["catalogue", "workspace"]);
  expect(readTrees(PRODUCT_ROOT).map(({ layer, label }) => [layer, label])).toEqual([["catalogue", ""]]);
});

test("the workspace is the nearest folder upwards that has a workspace.yaml", () => {
  write("workspace.yaml");
  write("connectors/acme/connector.yaml");
  expect(findWorkspace(join(root, "connectors/acme"))).toBe(root);
});

test("a folder that does not exist is said to", () => {
  expect(() => readTree(join(root, "none"), "workspace")).toThrow(expect.objectContaining({ code: "MANIFEST_UNREADABLE" }));
});
