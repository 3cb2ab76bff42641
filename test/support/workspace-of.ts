/**
 * A Workspace from a few texts, for tests of rooms that come after reading: places are right, nothing is validated.
 * `catalogue/…` and `workspace/…` are the two trees; a path is where the file would lie.
 */
import { LineCounter, parseDocument, isScalar, isMap, isSeq, type Node } from "yaml";
import type { Location } from "../../engine/errors/plugboard-error.ts";
import type { JsonObject, Manifest, ManifestKind, Workspace } from "../../engine/manifest/types.ts";

type Tree = Readonly<Record<string, string>>;

export function workspaceOf(files: { readonly catalogue?: Tree; readonly workspace?: Tree }): Workspace {
  const lists = { connectors: new Map<string, Manifest[]>(), mappings: new Map<string, Manifest[]>(), entities: new Map<string, Manifest[]>(), presets: new Map<string, Manifest[]>(), tests: new Map<string, Manifest[]>() };
  const releases = new Map<string, Map<number, Manifest>>();
  const tenants = new Map<string, Manifest>();
  const attachments = new Map<string, string>();
  const add = (into: Map<string, Manifest[]>, manifest: Manifest) => into.set(manifest.id, [...(into.get(manifest.id) ?? []), manifest]);
  for (const layer of ["catalogue", "workspace"] as const) {
    for (const [path, text] of Object.entries(files[layer] ?? {})) {
      const rule = PLACES.find(([pattern]) => pattern.test(path));
      if (!rule) { attachments.set(path, text); continue; }
      const [pattern, kind] = rule;
      const [, id = "", number] = path.match(pattern)!;
      const manifest = manifestOf(kind, number ? `${id}@${number}` : id, layer, path, text);
      if (kind === "connector") add(lists.connectors, manifest);
      else if (kind === "mapping") add(lists.mappings, manifest);
      else if (kind === "entity") add(lists.entities, manifest);
      else if (kind === "preset") add(lists.presets, manifest);
      else if (kind === "tenant") tenants.set(id, manifest);
      else releases.set(id, new Map([...(releases.get(id) ?? []), [Number(number), manifest]]));
    }
  }
  return { ...lists, releases, tenants, settings: undefined, problems: [], unreadable: new Set(), files: new Map(), attachments };
}

const PLACES: readonly (readonly [RegExp, ManifestKind])[] = [
  [/^connectors\/([^/]+)\/connector\.yaml$/, "connector"],
  [/^mappings\/(.+)\.yaml$/, "mapping"],
  [/^schemas\/entities\/([^/]+)\.schema\.json$/, "entity"],
  [/^presets\/([^/]+)\/preset\.yaml$/, "preset"],
  [/^presets\/([^/]+)\/releases\/(\d+)\.yaml$/, "release"],
  [/^tenants\/([^/]+)\.yaml$/, "tenant"],
];

function manifestOf(kind: ManifestKind, id: string, layer: "catalogue" | "workspace", file: string, text: string): Manifest {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]!.message}`);
  const place = (node: unknown): Location => {
    const range = (node as Node | null)?.range;
    const { line, col } = lines.linePos(range?.[0] ?? 0);
    return { file, line, col };
  };
  const locate: Manifest["locate"] = (pointer, part = "value") => {
    let key: unknown = document.contents;
    let value: unknown = document.contents;
    for (const step of pointer.split("/").slice(1).map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"))) {
      if (isMap(value)) {
        const pair = value.items.find((each) => isScalar(each.key) && String(each.key.value) === step);
        if (!pair) break;
        [key, value] = [pair.key, pair.value];
      } else if (isSeq(value) && value.items[Number(step)]) {
        key = value = value.items[Number(step)];
      } else break;
    }
    return place(part === "key" ? key : value);
  };
  return { kind, id, layer, file, text, value: (document.toJS() ?? {}) as JsonObject, locate, written: () => ({ style: "other" }) };
}
