/** Silence of the typed lints on what is right. */
import { expect, test } from "vitest";
import { nearest, slipOf } from "../../../engine/errors/nearest.ts";
import { read, validateWorkspace } from "../../../engine/manifest/index.ts";
import { recordSchema } from "../../../engine/manifest/record-schema.ts";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { PRODUCT_ROOT, readTree } from "../../../server/workspace/read-tree.ts";
import { languageBlocks, treeOf } from "../../schemas/language-blocks.ts";

const catalogue = readTree(PRODUCT_ROOT, "catalogue", "(builtin)");
const lints = (files: Record<string, string>): string[] => validateWorkspace(read([catalogue, { layer: "workspace", label: "", files: new Map(Object.entries(files)) }]))
  .map(({ at, code }) => `${at?.file}:${at?.line}:${at?.col} ${code}`);

test("the language page has nothing to tell of, by itself and over the catalogue", () => {
  const page = treeOf(languageBlocks());
  for (const trees of [[page], [catalogue, page]]) expect(validateWorkspace(read(trees)).filter(({ code }) => code.startsWith("LINT_")).map(({ at, code }) => `${at?.file}:${at?.line} ${code}`)).toEqual([]);
});

test("every stream of the catalogue has a schema that is open, and the plan carries it", () => {
  const workspace = read([catalogue, { layer: "workspace", label: "", files: new Map([["tenants/a.yaml", "tenant: a\ntitle: A\npreset: greenhouse\n"]]) }]);
  const streams = [...workspace.connectors].flatMap(([id, layers]) => Object.keys(layers[0]!.value.streams as object).map((name) => ({ id, name })));
  expect(streams.length).toBeGreaterThanOrEqual(7);
  for (const { id, name } of streams) expect(recordSchema(id, name, workspace), `${id}.${name}`).toMatchObject({ type: "object", additionalProperties: true });
  const { plan } = resolvePlan(workspace, "a");
  expect(plan.connectors.greenhouse!.streams.jobs!.schema).toEqual(recordSchema("greenhouse", "jobs", workspace));
});

const TENANT = "tenant: acme\ntitle: Acme\npreset: aptem-hubspot\nflows:\n";

test.for([
  ["a customer's own column, and one that differs from a listed one by a word", "  learners: { map: { fields: { custom.division: UserCustom_Division, custom.stage: UserProgram_Stage } } }\n"],
  ["a property that a portal added, as the text it is", "  employers: { map: { fields: { custom.segment: properties.segment, custom.size: \"properties.headcount ? $number(properties.headcount)\" } } }\n"],
  ["another rule that still asks for the name", "  employers: { map: { where: \"$boolean(properties.name) and properties.lifecyclestage = \\\"customer\\\"\" } }\n"],
  ["a flow that takes another's mapping over", "  employers_us: { use: employers, from: { connection: hubspot }, map: { fields: { country: '\"US\"' } } }\n"],
])("silent: %s", ([, flows]) => {
  expect(lints({ "tenants/acme.yaml": TENANT + flows })).toEqual([]);
});

test("told at the tenant: a text of the portal taken for a number, and a slip of a listed column", () => {
  expect(lints({ "tenants/acme.yaml": `${TENANT}  employers: { map: { fields: { custom.large: properties.headcount * 2 } } }\n  learners: { map: { fields: { custom.who: Fullname } } }\n` })).toEqual(["tenants/acme.yaml:5:47 LINT_WRONG_TYPE", "tenants/acme.yaml:6:44 LINT_UNKNOWN_FIELD"]);
});

test("a mapping of a workspace over a catalogue's is told in the file that wrote the field", () => {
  expect(lints({ "mappings/hubspot/employer.yaml": "mapping: hubspot/employer\nfields: { phone: properties.Phone }\n" })).toEqual(["mappings/hubspot/employer.yaml:2:29 LINT_UNKNOWN_FIELD"]);
});

test("a slip is another case, swapped neighbours, a letter doubled, or one lacking in a long name; two words are two names", () => {
  expect(["fullname", "FulName", "FullNmae", "UserProgrm_Status"].map((name) => slipOf(name, ["FullName", "UserProgram_Status"]))).toEqual(["FullName", "FullName", "FullName", "UserProgram_Status"]);
  for (const [name, listed] of [["state", "stage"], ["contract", "contact"], ["address2", "address1"], ["first_name", "firstname"], ["UserProgram_Statuses", "UserProgram_Status"], ["custom_field_a1", "custom_field_1a"], ["FullName", "FullName"], ["id", "di"]] as const) {
    expect(slipOf(name, [listed]), name).toBeUndefined();
  }
  expect(nearest("state", ["stage"])).toBe("stage");
});
