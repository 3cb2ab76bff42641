import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const plugboard = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["server/cli/main.ts", ...words], { cwd: ROOT, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
  return { status, stdout, stderr };
};

describe("plugboard validate", () => {
  test("ends with 0 for a correct workspace", () => {
    expect(plugboard("validate", "test/golden/a-correct-workspace")).toMatchObject({ status: 0, stdout: expect.stringContaining("No problems") as string });
  });

  test("ends with 1 and says where, as one JSON document when asked", () => {
    const { status, stdout } = plugboard("validate", "test/golden/misspelt-component-type", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, errors: 1, problems: [{ code: "MANIFEST_WRONG_VALUE", file: "test/golden/misspelt-component-type/connectors/acme/connector.yaml", line: 14, col: 25, hint: "did you mean 'offset'?" }] });
  });

  test("ends with 2 for a folder that cannot be read, and for wrong usage", () => {
    expect(plugboard("validate", "no/such/folder")).toMatchObject({ status: 2, stderr: expect.stringContaining("MANIFEST_UNREADABLE") as string });
    expect(plugboard("validate", "--frmt")).toMatchObject({ status: 2 });
  });

  test("ends with 2 for a folder that is no workspace, and does not answer for the built-in catalogue alone", () => {
    expect(plugboard("validate", "test/golden")).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("MANIFEST_NO_WORKSPACE") as string });
  });

  test("tells a file in a folder that is called almost like its room", () => {
    const { status, stdout } = plugboard("validate", "test/golden/entity-in-a-folder-of-its-own", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ errors: 1, problems: [{ code: "MANIFEST_WRONG_PLACE", file: "test/golden/entity-in-a-folder-of-its-own/entities/company.schema.json" }] });
  });

  test("ends with 0 for the built-in catalogue, without a single warning", () => {
    expect(JSON.parse(plugboard("validate", ".", "--json").stdout)).toMatchObject({ ok: true, errors: 0, warnings: 0 });
  });
});

describe("plugboard test", () => {
  test("ends with 1 and names the test that failed, at its line", () => {
    const { status, stdout } = plugboard("test", "test/golden/mapping-test-that-fails", "--only", "acme", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, failed: 2, tests: [{ of: "acme/company", name: "a small company", passed: false, line: 10 }, {}] });
  });

  test("reads a connector's streams from its recorded exchanges, and says what differs", () => {
    const passed = plugboard("test", "test/golden/a-correct-workspace", "--only", "acme", "--json");
    expect(passed.status).toBe(0);
    expect(JSON.parse(passed.stdout)).toMatchObject({ ok: true, tests: [{ of: "acme", kind: "connector", name: "reads by offset until a page is empty", passed: true }, { name: "a refused key ends the run", passed: true }] });

    const copy = mkdtempSync(join(tmpdir(), "plugboard-test-"));
    try {
      cpSync(join(ROOT, "test/golden/a-correct-workspace"), copy, { recursive: true });
      const tests = join(copy, "connectors/acme/tests.yaml");
      writeFileSync(tests, readFileSync(tests, "utf8").replace("records: 2", "records: 3"));
      const failed = plugboard("test", copy, "--only", "acme", "--json");
      expect(failed.status).toBe(1);
      expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, failed: 1, tests: [{ passed: false, line: 1, failures: [expect.stringContaining("3")] }, { passed: true }] });
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test("tests the catalogue's connectors as the catalogue has them, where a workspace changes their address", () => {
    const folder = mkdtempSync(join(tmpdir(), "plugboard-test-"));
    try {
      writeFileSync(join(folder, "workspace.yaml"), "name: Moved\n");
      mkdirSync(join(folder, "connectors/hubspot"), { recursive: true });
      writeFileSync(join(folder, "connectors/hubspot/connector.yaml"), "connector: hubspot\nhttp: { base_url: https://sandbox.hubspot.example }\n");
      const { status, stdout } = plugboard("test", folder, "--only", "hubspot", "--json");
      expect({ status, failed: (JSON.parse(stdout) as { failed: number }).failed }).toEqual({ status: 0, failed: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("ends with 0 for the built-in catalogue", () => {
    const { status, stdout } = plugboard("test", ".", "--json");
    expect({ status, failed: (JSON.parse(stdout) as { failed: number }).failed }).toEqual({ status: 0, failed: 0 });
  });
});
