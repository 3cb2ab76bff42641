/** Typed lints through the command: each planted mistake at its characters, and silence on everything that is right. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { makeDemoWorkspace } from "../../../server/demo/workspace.ts";
import { PLANTED } from "./planted-lints.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const folders: string[] = [];
afterAll(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }); });

function folder(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(join(tmpdir(), "plugboard-lints-"));
  folders.push(made);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(made, file)), { recursive: true });
    writeFileSync(join(made, file), text);
  }
  return made;
}

interface Told { readonly code: string; readonly severity: string; readonly file: string; readonly line: number; readonly col: number; readonly length?: number; readonly hint?: string; readonly message: string }

function plugboard(...words: string[]) {
  const { status, stdout } = spawnSync(process.execPath, ["server/cli/main.ts", ...words], { cwd: ROOT, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
  return { status, stdout };
}

function validate(at: string): { status: number | null; problems: Told[] } {
  const { status, stdout } = plugboard("validate", at, "--json");
  return { status, problems: (JSON.parse(stdout) as { problems: Told[] }).problems };
}

/** `mappings/acme/deal.yaml 6:10+4 warning LINT_POSSIBLY_ABSENT` */
const line = ({ file, line: at, col, length, severity, code }: Told, root: string): string => `${file.slice(file.indexOf(basename(root)) + basename(root).length + 1)} ${at}:${col}+${length} ${severity} ${code}`;

describe("planted mistakes", () => {
  const root = folder(PLANTED);
  const { status, problems } = validate(root);
  const of = (file: string): string[] => problems.map((each) => line(each, root)).filter((each) => each.startsWith(`${file} `)).map((each) => each.slice(file.length + 1));

  test("are told in a mapping, with the record's schema, the entity's, and its own fields", () => {
    expect(of("mappings/acme/deal.yaml")).toEqual([
      "4:8+14 warning LINT_NEVER_TRUE", "4:16+6 warning LINT_UNKNOWN_VALUE",
      "6:10+4 warning LINT_POSSIBLY_ABSENT",
      "7:18+5 warning LINT_UNKNOWN_FIELD",
      "8:10+5 warning LINT_ENUM_VALUE",
      "11:7+7 warning LINT_UNUSED_BINDING",
      "12:16+12 warning LINT_LOSSY_NUMBER",
      "14:14+6 warning LINT_NO_TIME_ZONE",
      "15:10+4 warning LINT_LIST_TRAP",
      "16:11+50 warning LINT_LIST_TRAP", "16:31+23 warning LINT_ROOT_SCAN",
      "17:19+6 error LINT_WRONG_TYPE",
      "18:30+1 warning MANIFEST_TRAP", "18:33+7 error LINT_UNSTABLE_KEY",
    ]);
  });

  test("are told in a mapping whose connector ships no schema, from the records of its tests that must map", () => {
    expect(of("mappings/acme/note.yaml")).toEqual(["8:10+7 warning LINT_UNKNOWN_FIELD"]);
    expect(problems.find(({ file }) => file.endsWith("note.yaml"))?.hint).toBe("did you mean 'subject'?");
  });

  test("are told of an open schema where a listed name is plainly misspelt, and a column of the customer's own is right", () => {
    expect(of("mappings/acme/task.yaml")).toEqual(["6:14+11 warning LINT_POSSIBLY_ABSENT", "7:14+7 warning LINT_UNKNOWN_FIELD"]);
  });

  test("are told where a preset or a tenant makes them, and not where they change nothing", () => {
    expect(of("presets/sales/preset.yaml")).toEqual(["6:129+9 error LINT_UNSTABLE_KEY", "7:95+7 warning LINT_WRONG_TYPE", "7:95+11 error LINT_WRONG_TYPE"]);
    expect(of("tenants/north.yaml")).toEqual([
      "7:14+13 warning LINT_NEVER_TRUE", "7:22+5 warning LINT_UNKNOWN_VALUE",
      "8:32+5 warning LINT_ENUM_VALUE", "8:53+4 warning LINT_UNKNOWN_FIELD", "8:65+5 error LINT_REQUIRED_UNMAPPED",
      "9:64+7 warning LINT_UNKNOWN_FIELD",
    ]);
  });

  test("are told in rules, keys and cursors of a connector", () => {
    expect(of("connectors/acme/connector.yaml")).toEqual([
      "7:31+14 warning LINT_DIFFERENT_TYPES", "7:31+14 warning LINT_NEVER_TRUE",
      "15:15+7 error LINT_UNSTABLE_KEY",
      "16:38+19 warning LINT_NEVER_TRUE",
      "17:22+9 warning LINT_UNKNOWN_FIELD",
      "21:45+4 warning LINT_UNUSED_BINDING",
    ]);
  });

  test("are all there is, and end with 1", () => {
    expect(new Set(problems.map(({ file }) => file)).size).toBe(6);
    expect(status).toBe(1);
  });
});

test("a required field that no mapping makes, and no flow adds, is told once, at the fields", () => {
  const preset = PLANTED["presets/sales/preset.yaml"]!.replace("reference: id, ", "");
  const root = folder({ ...PLANTED, "presets/sales/preset.yaml": preset, "tenants/north.yaml": "tenant: north\ntitle: North\npreset: sales\n" });
  expect(validate(root).problems.filter(({ code }) => code === "LINT_REQUIRED_UNMAPPED").map((each) => line(each, root))).toEqual(["mappings/acme/deal.yaml 5:1+6 error LINT_REQUIRED_UNMAPPED"]);
});

test("the demo's workspace is right, over the catalogue with its schemas", async () => {
  const root = folder({});
  await makeDemoWorkspace(root, { aptem: "http://127.0.0.1:1", hubspot: "http://127.0.0.1:2", greenhouse: "http://127.0.0.1:3", wix: "http://127.0.0.1:4" });
  expect(validate(root)).toEqual({ status: 0, problems: [] });
});

describe("a stream's schema", () => {
  const correct = "test/golden/a-correct-workspace";
  const manifest = readFileSync(join(ROOT, correct, "connectors/acme/connector.yaml"), "utf8");
  const withSchema = (schema: string, file?: string): string => {
    const root = folder({});
    cpSync(join(ROOT, correct), root, { recursive: true });
    writeFileSync(join(root, "connectors/acme/connector.yaml"), manifest.replace(/^ {2}companies:\n/m, `  companies:\n    schema: ${schema}\n`));
    if (file !== undefined) writeFileSync(join(root, "connectors/acme/companies.json"), file);
    return root;
  };

  test("refuses nothing that a run reads", () => {
    const root = withSchema("companies.json", JSON.stringify({ type: "object", required: ["nobody sends this"], properties: { id: { type: "boolean" } } }));
    expect(readFileSync(join(root, "connectors/acme/connector.yaml"), "utf8")).toContain("schema: companies.json");
    const { status, stdout } = plugboard("test", root, "--only", "acme", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
    expect(status).toBe(0);
  });

  test.for([
    ["a file that is not there", "company.json", "{}", "MANIFEST_UNKNOWN_REFERENCE"],
    ["a file that is no JSON", "companies.json", "{ type: object }", "MANIFEST_WRONG_VALUE"],
    ["a file that is no schema", "companies.json", "{ \"type\": \"text\" }", "MANIFEST_WRONG_VALUE"],
    ["a path out of the folder", "../companies.json", "{}", "MANIFEST_WRONG_VALUE"],
  ] as const)("may not be %s", ([, schema, file, code]) => {
    const root = withSchema(schema, file);
    const told = validate(root).problems.filter(({ code: each }) => !each.startsWith("LINT_"));
    expect(told[0]).toMatchObject({ code, severity: "error" });
    expect(told[0]!.file.endsWith("connectors/acme/connector.yaml")).toBe(true);
    expect(manifest.replace(/^ {2}companies:\n/m, `  companies:\n    schema: ${schema}\n`).split("\n")[told[0]!.line - 1]!.slice(told[0]!.col - 1)).toBe(schema);
  });
});
