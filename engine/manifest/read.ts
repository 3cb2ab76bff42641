/** Trees of text files → every manifest by id, and every problem of syntax and place. A file's problem never hides another's. */
import type { Location, Problem } from "../errors/plugboard-error.ts";
import { sortProblems } from "../errors/render.ts";
import { parseYaml } from "./parse-yaml.ts";
import { pathOf, placeOf, rightPlaceFor, type Place } from "./places.ts";
import type { Json, JsonObject, Manifest, SourceTree, Workspace } from "./types.ts";

/**
 * @param trees the catalogue first, then the workspace that is laid over it.
 * @param before read earlier: of files that say the same, their manifests are taken over.
 */
export function read(trees: readonly SourceTree[], before: readonly Workspace[] = []): Workspace {
  const known = before.map(manifestsOf);
  const lists = { connector: new Map<string, Manifest[]>(), mapping: new Map<string, Manifest[]>(), entity: new Map<string, Manifest[]>(), preset: new Map<string, Manifest[]>(), tests: new Map<string, Manifest[]>() };
  const releases = new Map<string, Map<number, Manifest>>();
  const tenants = new Map<string, Manifest>();
  let settings: Manifest | undefined;
  const problems: Problem[] = [];
  const unreadable = new Set<string>();
  const attachments = new Map<string, string>();
  const files = new Map<string, string>();

  for (const tree of trees) {
    for (const [path, text] of [...tree.files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const place = placeOf(path);
      const file = tree.label === "" ? path : `${tree.label.replace(/\/$/, "")}/${path}`;
      if (!place) {
        const right = rightPlaceFor(path);
        if (right !== undefined) problems.push({ code: "MANIFEST_WRONG_PLACE", severity: "error", params: { file, expected: right, suggestion: `Move it there; as it is, it is not read.` }, at: { file, line: 1, col: 1 } });
        attachments.set(path, text);
        // What names it is not wrong: it is told here that nothing stands there.
        const meant = right === undefined ? undefined : /^mappings?\/([^/]+)\.ya?ml$/.exec(path)?.[1];
        const place = meant === undefined ? placeOf(right ?? "") : { kind: "mapping", id: meant };
        if (place) unreadable.add(`${place.kind} ${place.id}`);
        continue;
      }
      files.set(file, text);
      const { manifest, problems: found } = readAgain(known, file, text, tree.layer) ?? readManifest(place, text, file, tree.layer);
      problems.push(...found);
      if (!manifest) { unreadable.add(`${place.kind} ${place.id}`); continue; }
      if (place.kind === "tenant") tenants.set(place.id, manifest);
      else if (place.kind === "workspace") settings = manifest;
      else if (place.kind === "release") {
        const [preset = "", number = ""] = place.id.split("@");
        releases.set(preset, (releases.get(preset) ?? new Map<number, Manifest>()).set(Number(number), manifest));
      } else lists[place.kind].set(place.id, [...(lists[place.kind].get(place.id) ?? []), manifest]);
    }
  }
  return {
    connectors: lists.connector, mappings: lists.mapping, entities: lists.entity, presets: lists.preset, tests: lists.tests,
    releases, tenants, settings, problems: sortProblems(problems), unreadable, files, attachments,
  };
}

const byFile = new WeakMap<Workspace, ReadonlyMap<string, Manifest>>();

function manifestsOf(workspace: Workspace): ReadonlyMap<string, Manifest> {
  const { connectors, mappings, entities, presets, tests, releases, tenants, settings } = workspace;
  const all = byFile.get(workspace) ?? new Map([
    ...[connectors, mappings, entities, presets, tests].flatMap((room) => [...room.values()].flat()), ...[...releases.values()].flatMap((each) => [...each.values()]), ...tenants.values(), ...(settings ? [settings] : []),
  ].map((manifest) => [manifest.file, manifest]));
  byFile.set(workspace, all);
  return all;
}

/** A manifest of the same file, word for word. */
function readAgain(known: readonly ReadonlyMap<string, Manifest>[], file: string, text: string, layer: Manifest["layer"]): { manifest: Manifest; problems: readonly Problem[] } | undefined {
  for (const manifests of known) {
    const manifest = manifests.get(file);
    if (manifest?.text === text && manifest.layer === layer) return { manifest, problems: misplaced(manifest) };
  }
  return undefined;
}

function readManifest(place: Place, text: string, file: string, layer: Manifest["layer"]): { manifest?: Manifest; problems: readonly Problem[] } {
  const yaml = parseYaml(text, file);
  if (yaml.problems.length > 0) return { problems: yaml.problems };
  const isList = place.kind === "tests";
  const refuse = (actual: string): { problems: Problem[] } => ({
    problems: [{ code: "MANIFEST_WRONG_TYPE", severity: "error", params: { field: file, expected: isList ? "a list of tests" : `a map that starts with '${place.kind === "workspace" ? "name" : place.kind === "entity" ? "$id" : place.kind}: …'`, actual }, at: { file, line: 1, col: 1 }, pointer: "" }],
  });
  const { value } = yaml;
  if (value === undefined || value === null) return refuse("empty");
  if (isList ? !Array.isArray(value) : typeof value !== "object" || Array.isArray(value)) return refuse(Array.isArray(value) ? "a list" : typeof value === "object" ? "a map" : "one value");
  // Thousands of tenants ask where the same lines of their preset stand.
  const places = { key: new Map<string, Location>(), value: new Map<string, Location>() };
  const locate: Manifest["locate"] = (pointer, part = "value", offset) => {
    if (offset !== undefined) return yaml.locate(own(pointer), part, offset);
    const place = places[part].get(pointer) ?? yaml.locate(own(pointer), part);
    places[part].set(pointer, place);
    return place;
  };
  const own = (pointer: string): string => (isList ? pointer.replace(/^\/tests/, "") : pointer);
  const manifest: Manifest = {
    kind: place.kind, id: place.id, layer, file, text,
    value: isList ? { tests: value as readonly Json[] } : (value as JsonObject),
    locate,
    written: (pointer) => {
      const comment = yaml.commentAfter(own(pointer));
      return { style: yaml.isPlain(own(pointer)) ? "plain" : yaml.isQuoted(own(pointer)) ? "quoted" : "other", ...(comment === undefined ? {} : { comment }) };
    },
  };
  return { manifest, problems: misplaced(manifest) };
}

/** A manifest says its own id, and stands where that id belongs. */
function misplaced(manifest: Manifest): Problem[] {
  const { kind, id, value, file } = manifest;
  const key = kind === "entity" ? "$id" : kind;
  if (kind === "tests" || kind === "workspace" || kind === "release") return kind === "release" ? misnumbered(manifest) : [];
  const said = value[key];
  // What is no id is told as such: no file could be called so.
  if (typeof said !== "string" || said === id || !isId(kind, said)) return [];
  return [{
    code: "MANIFEST_WRONG_PLACE", severity: "error", pointer: `/${key}`, at: manifest.locate(`/${key}`),
    params: { file, expected: pathOf(kind, said), suggestion: `It says '${key}: ${said}', but stands where '${id}' belongs: move the file, or write '${key}: ${id}'.` },
  }];
}

const isId = (kind: Manifest["kind"], text: string): boolean => (kind === "mapping" ? /^[a-z][a-z0-9_-]*(\/[a-z0-9][a-z0-9_-]*)+$/ : /^[a-z][a-z0-9_-]*$/).test(text);

function misnumbered(manifest: Manifest): Problem[] {
  const number = Number(manifest.id.split("@")[1]);
  if (typeof manifest.value.release !== "number" || manifest.value.release === number) return [];
  const expected = pathOf("release", `${manifest.id.split("@")[0]}@${manifest.value.release}`);
  return [{ code: "MANIFEST_WRONG_PLACE", severity: "error", pointer: "/release", at: manifest.locate("/release"), params: { file: manifest.file, expected, suggestion: "A release is never edited by hand: cut a new one with `plugboard preset release`." } }];
}
