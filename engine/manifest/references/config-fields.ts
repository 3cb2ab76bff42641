/** The form of a connection: what a field's `when` names, and whether its own default could be entered. */
import { nearest, suggest } from "../../errors/nearest.ts";
import { show } from "../describe.ts";
import { checkExpression, compileExpression } from "../../expression/index.ts";
import { locateIn } from "../locate-in.ts";
import type { Json, JsonObject, Manifest } from "../types.ts";
import { escape, mapOf, type Report } from "./names.ts";
import type { Problem } from "../../errors/plugboard-error.ts";

/** What a default of each type is, in words. */
const TYPES: Readonly<Record<string, { readonly words: string; readonly holds: (value: Json) => boolean }>> = {
  string: { words: "text", holds: (value) => typeof value === "string" },
  integer: { words: "a whole number", holds: (value) => Number.isInteger(value) },
  number: { words: "a number", holds: (value) => typeof value === "number" },
  boolean: { words: "true or false", holds: (value) => typeof value === "boolean" },
  date: { words: "a date such as 2026-03-01", holds: (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) },
  "date-time": { words: "a date-time such as 2026-03-01T09:00:00Z", holds: (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(value) },
};

/** @param room `config` of a connector, `inputs` of a preset. @param all the fields of every layer. */
export function checkConfigFields(manifest: Manifest, room: string, all: JsonObject, report: Report, add: (problem: Problem) => void): void {
  for (const [name, written] of Object.entries(mapOf(manifest.value[room]))) {
    const own = mapOf(written);
    const at = `/${room}/${escape(name)}`;
    if (typeof own.when === "string") unknownFields(manifest, `${at}/when`, own.when, Object.keys(all).filter((each) => each !== name), add);
    const field = mapOf(all[name]);
    const type = TYPES[String(field.type)];
    const choices = Array.isArray(field.enum) ? (field.enum as readonly Json[]) : undefined;
    if (own.default === undefined || own.default === null) continue;
    if (choices && !choices.includes(own.default)) report(manifest, `${at}/default`, "MANIFEST_WRONG_VALUE", { field: "default", expected: `one of its choices: ${choices.map(String).join(", ")}`, actual: show(own.default, field.secret === true), suggestion: nearest(String(own.default), choices.map(String)) === undefined ? "" : suggest(String(own.default), choices.map(String)) });
    else if (type && !type.holds(own.default)) report(manifest, `${at}/default`, "MANIFEST_WRONG_TYPE", { field: "default", expected: `${type.words}, as its type says`, actual: show(own.default, field.secret === true), suggestion: String(field.type) === "string" && typeof own.default !== "object" ? `quote it: "${String(own.default)}"` : "" });
  }
}

/** `when: method = "token"` sees the other fields, and nothing else. */
function unknownFields(manifest: Manifest, pointer: string, text: string, known: readonly string[], add: (problem: Problem) => void): void {
  if (checkExpression(text).length > 0) return;
  for (const [root] of new Map(compileExpression(text).reads.flatMap((path) => (path[0] === undefined || known.includes(path[0]) ? [] : [[path[0], path] as const])))) {
    const position = Math.max(0, text.search(new RegExp(`(?<![\\w.$"'])${root.replace(/[^\w]/g, "\\$&")}\\b`)));
    add({ code: "MANIFEST_UNKNOWN_VARIABLE", severity: "error", params: { name: root, field: "when", suggestion: suggest(root, known) }, pointer, at: locateIn(manifest, pointer, text, position, root.length) });
  }
}
