/**
 * Edits of a workspace's files, as people and programs hand them in: values set by pointer, whole texts, files removed.
 * A pointer's edit is made anew on whatever the file says then, so it outlives other changes of the same file.
 */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { editYaml, type YamlEdit } from "../../engine/manifest/edit-yaml.ts";
import { placeOf, rightPlaceFor } from "../../engine/manifest/places.ts";
import { isConfiguration, MAX_FILE_BYTES } from "../workspace/read-tree.ts";

export type FileEdit =
  /** Values set, or with `value` absent removed, by JSON pointer; in a file that is not there yet, from nothing. */
  | { readonly file: string; readonly set: readonly YamlEdit[] }
  | { readonly file: string; readonly text: string }
  | { readonly file: string; readonly remove: true };

/** What the files say after the edits, those that differ only; null: gone. @throws PlugboardError CHANGE_PATH, CHANGE_EDIT */
export function changedFiles(files: ReadonlyMap<string, string>, edits: readonly FileEdit[]): Map<string, string | null> {
  const changed = new Map<string, string | null>();
  for (const edit of edits) {
    const { file } = edit;
    refusePath(file);
    const now = changed.has(file) ? changed.get(file) ?? undefined : files.get(file);
    const next = "remove" in edit ? null : "text" in edit ? edit.text : editYaml(now ?? "", file, edit.set);
    if (next !== null && Buffer.byteLength(next) > MAX_FILE_BYTES) throw new PlugboardError("CHANGE_PATH", { file, detail: `it would have more than ${MAX_FILE_BYTES} bytes` });
    if (next === (files.get(file) ?? null)) changed.delete(file);
    else changed.set(file, next);
  }
  return changed;
}

/** Only configuration is written, and only where it belongs: nothing of Git's own, no code, nothing outside. */
function refusePath(file: string): void {
  const refuse = (detail: string, suggestion?: string) => new PlugboardError("CHANGE_PATH", { file: JSON.stringify(file.slice(0, 200)).slice(1, -1), detail, ...(suggestion === undefined ? {} : { suggestion }) });
  if (!/^[\w][\w.-]*(\/[\w][\w.-]*)*$/.test(file) || file.length > 300) throw refuse("it is no path of letters, digits, `.`, `_` and `-` inside the workspace");
  if (/^presets\/[^/]+\/releases\//.test(file) && !/^presets\/[^/]+\/releases\/\d+\.yaml$/.test(file)) throw refuse("releases are called by their number");
  if (placeOf(file)) return;
  const right = rightPlaceFor(file);
  if (right !== undefined) throw refuse("it is not where such a file is read", `Write it to ${right}.`);
  if (!isConfiguration(file) || !/\.(yaml|json|jsonata|hbs|http|jsonl|csv|xml|txt|md)$/.test(file)) throw refuse("it is no file of configuration", "Connectors, mappings, presets, tenants, schemas/entities and workspace.yaml can be changed.");
}
