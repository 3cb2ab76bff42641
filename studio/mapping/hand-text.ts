/** What a mapping file says that somebody writes by hand, as far as the other views show it. */
import { parseDocument } from "yaml";
import type { Json } from "../../engine/manifest/types.ts";
import type { FieldText, Fields, MappingTest, Written } from "./edits.ts";

/**
 * @param below fields of an earlier layer, which hold where the file does not say otherwise.
 * @param pointer of the map of fields: a tenant's file has it inside of a flow.
 * @returns undefined for a text that is no YAML.
 */
export function saidBy(text: string, file: string, below: { readonly fields: Fields; readonly where: string | null; readonly tests: readonly MappingTest[] }, pointer = "/fields"): Written | undefined {
  const document = parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: true, logLevel: "silent" });
  if (document.errors.length > 0) return undefined;
  const whole: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
  if (typeof whole !== "object") return undefined;
  const holder = pointer.split("/").slice(1, -1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")).reduce<unknown>((at, name) => (isMap(at) ? at[name] : undefined), whole);
  const value = isMap(holder) ? holder : {};
  const fields: Record<string, FieldText> = { ...below.fields };
  for (const [field, written] of Object.entries(isMap(value.fields) ? value.fields : {})) {
    if (written === null) delete fields[field];
    else fields[field] = { field, ...said(written as Json), layer: "draft", file, line: 1 };
  }
  return { fields, where: typeof value.where === "string" ? value.where : below.where, tests: Array.isArray(value.tests) ? (value.tests as MappingTest[]).filter((test) => isMap(test)) : below.tests };
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

function said(written: Json): Pick<FieldText, "expression" | "ref" | "constant"> {
  if (typeof written === "string") return { expression: written.replace(/^\s*=(?!=)/, ""), ref: null };
  const { ref, key } = isMap(written) ? written : {};
  return typeof ref === "string" ? { expression: typeof key === "string" ? key : null, ref } : { expression: null, ref: null, constant: written };
}
