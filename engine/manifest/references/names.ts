/** What the checks of references share: how names are written, and which of them may be judged. */
import type { ErrorCode } from "../../errors/catalog.ts";
import { nearest, suggest } from "../../errors/nearest.ts";
import type { ErrorParams, Problem } from "../../errors/plugboard-error.ts";
import { isMap } from "../merged.ts";
import type { Json, JsonObject, Manifest, ManifestKind, Workspace } from "../types.ts";

export type Report = (manifest: Manifest, pointer: string, code: ErrorCode, params: ErrorParams, part?: "key" | "value", severity?: Problem["severity"]) => void;

/** Whether a reference may be judged: its target's file is readable. */
export const isReadable = (workspace: Workspace, kind: ManifestKind, id: string): boolean => !workspace.unreadable.has(`${kind} ${id}`);

/** `crm.companies`. */
export interface Name { readonly owner: string; readonly name: string }
export function splitName(text: string): Name | undefined {
  const dot = text.indexOf(".");
  return dot === -1 ? undefined : { owner: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** `from: a.b` is `from: { stream: a.b }`. */
export const long = (value: Json | undefined, key: string): JsonObject => (typeof value === "string" ? { [key]: value } : mapOf(value));

export function checkEntity(manifest: Manifest, pointer: string, id: string, workspace: Workspace, report: Report): void {
  if (workspace.entities.has(id) || !isReadable(workspace, "entity", id)) return;
  const known = [...workspace.entities.keys()];
  report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Entity", name: id, suggestion: `${suggest(id, known)}${nearest(id, known) === undefined ? `; an entity of your own is a file schemas/entities/${id}.schema.json` : ""}` });
}

/** "Did you mean …?" of a part of an owner, as it is written: `crm.companies`. */
export function suggestPart({ owner, name }: Name, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? suggest("", known.map((each) => `${owner}.${each}`)) : `did you mean '${owner}.${near}'?`;
}

export const mapOf = (value: Json | undefined): JsonObject => (isMap(value) ? value : {});
export const escape = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
