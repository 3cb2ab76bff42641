import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { read } from "../../../engine/manifest/index.ts";
import { evalExpression } from "../../../server/cli/commands/eval.ts";
import { isolatedEvaluator } from "../../../engine/run/expression-worker.ts";
import { previewMapping } from "../../../server/preview/mapping.ts";

const main = new URL("../../../server/cli/main.ts", import.meta.url).pathname;
const plugboard = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });

let folder = "";
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), "plugboard-eval-")); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });
const fileOf = (name: string, text: string): string => { const file = join(folder, name); writeFileSync(file, text); return file; };

describe("plugboard eval", () => {
  test("prints the value; with --explain its type, the paths read and the time, apart from the value", () => {
    const file = fileOf("invoice.json", JSON.stringify({ lines: [{ qty: 2, price: 3 }, { qty: 1, price: 4 }] }));
    const { stdout, stderr, status } = plugboard("eval", "$sum(lines.(qty * price)) * $rate", "--input", file, "--var", "rate=10", "--explain");
    expect(status).toBe(0);
    expect(stdout).toBe("100\n");
    expect(stderr).toMatch(/type +a number/);
    expect(stderr).toMatch(/reads +lines\.price, lines\.qty/);
    expect(stderr).toMatch(/needs +\$rate/);
    expect(stderr).toMatch(/time +[\d.]+ ms/);
  });

  test("a failure has its code, a mark under the fault, and exit code 1; a wrong file has exit code 2", () => {
    const failed = plugboard("eval", "a & $uppercase(b)", "--input", fileOf("b.json", '{"b":1}'));
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("T0410");
    const [written = "", mark = ""] = failed.stderr.split("\n").slice(1);
    expect(written[mark.indexOf("^")]).toBe("(");
    expect(plugboard("eval", "a", "--input", fileOf("bad.json", "{")).status).toBe(2);
    expect(plugboard("eval", "a", "--input", join(folder, "missing.json")).status).toBe(2);
  });

  test("as JSON it says everything, and nothing is nothing", () => {
    const { stdout, status } = plugboard("eval", "a.b", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ok: true, type: expect.any(String), reads: ["a.b"], variables: [], milliseconds: { compile: expect.any(Number), evaluate: expect.any(Number) } });
  });

  test("a syntax error keeps its place", () => {
    expect(evalExpression("a +", undefined, {}).problem).toMatchObject({ code: "S0207", position: 2 });
  });
});

describe("plugboard preview", () => {
  const workspace = read([{ layer: "workspace", label: "", files: new Map([
    ["schemas/entities/company.schema.json", JSON.stringify({ type: "object", required: ["name"], properties: { name: { type: "string" }, size: { type: "string", enum: ["small", "large"] }, seats: { type: "integer" }, site: { type: "object", properties: { city: { type: "string" } } } } })],
    ["mappings/crm/company.yaml", "mapping: crm/company\nfrom: crm.companies\nto: company\nwhere: $boolean(name)\nfields:\n  name: name\n  size: 'seats > 9 ? \"large\" : \"little\"'\n  seats: $number(seats)\n  site.city: address.city\n"],
  ]) }]);
  const evaluator = isolatedEvaluator();
  afterAll(() => evaluator.close());
  const preview = async (record: unknown) => (await previewMapping(workspace, "crm/company", [record], {}, evaluator))[0]!;

  test("every field has its value and type", async () => {
    const { filtered, fields } = await preview({ name: "Acme", seats: 12, address: { city: "Leeds" } });
    expect(filtered).toBe(false);
    expect(Object.fromEntries(fields.map(({ field, value }) => [field, value]))).toEqual({ "name": "Acme", "size": "large", "seats": 12, "site.city": "Leeds" });
    expect(fields.find(({ field }) => field === "size")?.type).toContain("large");
  });

  test("a field that fails, and one that the entity refuses, say so at their own row", async () => {
    const { fields } = await preview({ name: "Acme", seats: "many" });
    const problems = (name: string) => fields.find(({ field }) => field === name)?.problems.filter(({ severity }) => severity === "error").map(({ code }) => code);
    expect(problems("seats")).toContain("D3030");
    expect(problems("size")).toContain("T2009");
    const refused = (await preview({ name: "Acme", seats: 3 })).fields.find(({ field }) => field === "size");
    expect(refused?.value).toBe("little");
    expect(refused?.problems.map(({ code }) => code)).toContain("MAPPING_INVALID");
  });

  test("a record that `where` drops is shown as dropped", async () => {
    expect((await preview({ name: "" })).filtered).toBe(true);
  });

  test("an expression that would never end is ended, and costs its own field only", async () => {
    const endless = read([{ layer: "workspace", label: "", files: new Map([
      ["schemas/entities/company.schema.json", JSON.stringify({ type: "object", properties: { name: { type: "string" }, bad: {} } })],
      ["mappings/crm/company.yaml", "mapping: crm/company\nfrom: crm.companies\nto: company\nfields:\n  name: name\n  bad: '($f := function($n) { $f($n + 1) + $f($n) }; $f(1))'\n"],
    ]) }]);
    const [record] = await previewMapping(endless, "crm/company", [{ name: "Acme" }], {}, evaluator);
    expect(record!.fields.find(({ field }) => field === "bad")!.problems.map(({ code }) => code)).toContain("LIMIT");
    expect(record!.fields.find(({ field }) => field === "name")!.value).toBe("Acme");
  });

  test("a shipped mapping previews from the command line, and an unknown one is refused by name", () => {
    const file = fileOf("company.json", JSON.stringify({ id: "7", properties: { name: "Acme", domain: "ACME.com" } }));
    const { stdout, status } = plugboard("preview", "hubspot/employer", "--input", file, "--json");
    expect(status).toBe(0);
    const { records } = JSON.parse(stdout) as { records: { fields: { field: string; value?: unknown }[] }[] };
    expect(records[0]?.fields.find(({ field }) => field === "domain")?.value).toBe("acme.com");
    expect(plugboard("preview", "hubspot/employr", "--input", file).stderr).toContain("hubspot/employer");
  });
});
