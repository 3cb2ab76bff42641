import { expect, test } from "vitest";
import { asFileEdits, changedFields, editing, EMPTY, type Editing, type FieldText } from "../../../studio/mapping/edits.ts";
import { saidBy } from "../../../studio/mapping/hand-text.ts";
import { lookupRows } from "../../../studio/mapping/lookup-rows.ts";
import { flat, sourceTree, suggestions, targetTree } from "../../../studio/mapping/trees.ts";

const field = (name: string, expression: string): FieldText => ({ field: name, expression, ref: null, layer: "catalogue", file: "f", line: 1 });
const loaded: Editing = editing(EMPTY, { type: "load", fields: [field("name", "Name"), field("phone", "Phone")] });

test("every edit can be undone and done again", () => {
  const edited = editing(editing(loaded, { type: "set", field: "name", expression: "$trim(Name)" }), { type: "remove", field: "phone" });
  expect(changedFields(edited)).toEqual(["name", "phone"]);
  const undone = editing(editing(edited, { type: "undo" }), { type: "undo" });
  expect(changedFields(undone)).toEqual([]);
  expect(changedFields(editing(undone, { type: "redo" }))).toEqual(["name"]);
  expect(editing(loaded, { type: "set", field: "name", expression: "Name" })).toBe(loaded);
});

test("a change holds what differs, and nothing else", () => {
  const edited = editing(editing(loaded, { type: "set", field: "custom.division", expression: "UserCustom_Division" }), { type: "remove", field: "phone" });
  expect(asFileEdits(edited, { file: "tenants/acme.yaml", pointer: "/flows/learners/map/fields" })).toEqual([{ file: "tenants/acme.yaml", set: [{ pointer: "/flows/learners/map/fields/phone", value: null }, { pointer: "/flows/learners/map/fields/custom.division", value: "UserCustom_Division" }] }]);
  expect(asFileEdits(loaded, { file: "x", pointer: "/fields" })).toEqual([]);
});

test("what is written by hand is read where the fields are: at the top of a mapping, inside of a flow of an organisation", () => {
  const below = { fields: { name: field("name", "Name"), phone: field("phone", "Phone") }, where: "id", tests: [] };
  const says = saidBy("tenant: acme\nflows:\n  a/b:\n    map: { fields: { phone: null, name: $trim(Name) }, where: active }\n", "tenants/acme.yaml", below, "/flows/a~1b/map/fields");
  expect(says).toMatchObject({ fields: { name: { expression: "$trim(Name)", layer: "draft" } }, where: "active" });
  expect(Object.keys(says!.fields)).toEqual(["name"]);
  expect(saidBy("tenant: acme\n", "tenants/acme.yaml", below, "/flows/a~1b/map/fields")).toEqual({ ...below });
  expect(saidBy("fields: { name: Title }\n", "mappings/a/b.yaml", below)!.fields["name"]).toMatchObject({ expression: "Title" });
  expect(saidBy("fields: { name: [\n", "mappings/a/b.yaml", below)).toBeUndefined();
});

test("the source is what the schema says and what the sample holds", () => {
  const tree = sourceTree({ type: "object", properties: { id: { type: "integer" }, order: { type: "object", properties: { lines: { type: "array", items: { type: "object", properties: { code: { type: "string" } } } } } } } }, { extra: "x", order: { lines: [{ qty: 1 }] } });
  expect(flat(tree).map(({ path, type }) => `${path.join(".")}: ${type}`)).toEqual(["id: whole number", "order: object", "order.lines: list", "order.lines.code: text", "order.lines.qty: number", "extra: text"]);
});

test("fields of the target come in its order, required ones marked; what the mapping adds comes last", () => {
  const tree = targetTree({ required: ["name"], properties: { name: { type: "string", "x-label": "Name" }, size: { enum: ["sme", "large"] }, custom: { type: "object" } } }, ["custom.division", "name"]);
  expect(tree.map(({ field: name, required, type }) => [name, required, type])).toEqual([["name", true, "text"], ["size", false, "choice"], ["custom.division", false, "unknown"]]);
});

test("suggestions go by name, and say nothing where nothing is alike", () => {
  const tree = sourceTree(null, { UserCustom_Division: "N", FullName: "A", UserProgram_StartDate: "2026-01-01" });
  const [division, name, odd] = targetTree(null, ["custom.division", "full_name", "odometer"]);
  expect(suggestions(division!, tree).map((each) => each.name)).toEqual(["UserCustom_Division"]);
  expect(suggestions(name!, tree)[0]!.name).toBe("FullName");
  expect(suggestions(odd!, tree)).toEqual([]);
});

test("a table begins with the values seen, beside the choices most like them", () => {
  expect(lookupRows(["Active", "Left", "Active"], ["active", "left"])).toEqual([["Active", '"active"'], ["Left", '"left"']]);
  expect(lookupRows([], undefined)).toEqual([["value", '"value"']]);
});
