/**
 * Typed lints of every mapping, and of what presets and tenants change in one. Each is told in the file that wrote what is at
 * fault, at its characters.
 */
import { lintMapping, type MappingLint, type MappingText, type Schema } from "../expression/types-of/index.ts";
import type { FieldSource } from "../expression/index.ts";
import type { Problem } from "../errors/plugboard-error.ts";
import { entitySchema } from "./entity-schema.ts";
import { locateIn } from "./locate-in.ts";
import { isMap, merged } from "./merged.ts";
import { recordSchema, schemaOf } from "./record-schema.ts";
import { inputOf } from "./references/mapping.ts";
import { escape, long, mapOf, splitName } from "./references/names.ts";
import type { Json, JsonObject, Manifest, Workspace } from "./types.ts";

/** Stands for a field that is judged in another place: it is there, and nothing is said of it. */
const TOLD_ELSEWHERE = "$told_elsewhere";

/** A map in a file: of a whole mapping, or of what a flow changes in one. */
interface Place { readonly manifest: Manifest; readonly at: string }

export function lintMappings(workspace: Workspace): Problem[] {
  const flows = [...presetFlows(workspace), ...tenantFlows(workspace)];
  return [...[...workspace.mappings].flatMap(([id, layers]) => lintWhole(id, layers, flows, workspace)), ...flows.flatMap((flow) => lintFlow(flow, workspace))];
}

function lintWhole(id: string, layers: readonly Manifest[], flows: readonly Flow[], workspace: Workspace): Problem[] {
  const mapping = merged(layers);
  // What every flow with this mapping adds is not missing from it.
  const users = flows.filter(({ map }) => map.use === id);
  const addedLater = new Set(Object.keys(mapOf(users[0]?.map.fields)).filter((field) => users.every(({ map }) => field in mapOf(map.fields))));
  return lint(mapping, layers.map((manifest) => ({ manifest, at: "" })), sidesOf(mapping, workspace), workspace)
    .filter(({ lint: { code, params } }) => code !== "LINT_REQUIRED_UNMAPPED" || !addedLater.has(String(params.field))).map(({ problem }) => problem);
}

/** Only what the flow's own files wrote: the rest is told where it stands. */
function lintFlow(flow: Flow, workspace: Workspace): Problem[] {
  const own = flow.places.filter(({ manifest }) => flow.files.includes(manifest));
  const top = own.at(-1);
  if (!top) return [];
  const base = baseOf(flow, workspace);
  if (flow.map.use !== undefined && !base) return [];
  const written = new Set(own.flatMap((place) => Object.keys(mapOf(valueAt(place, "/fields") as Json))));
  const fields = Object.fromEntries(Object.entries({ ...mapOf(base?.mapping.fields), ...mapOf(flow.map.fields) }).map(([name, field]) => [name, written.has(name) || field === null ? field : TOLD_ELSEWHERE]));
  const mapping: JsonObject = { ...base?.mapping, ...(flow.map.where === undefined ? {} : { where: flow.map.where }), fields: Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== null)) };
  const sides = base ? sidesOf(mapping, workspace) : { source: flow.source, target: flow.entity === undefined ? undefined : targetOf(flow.entity, workspace), excerpts: [], entity: flow.entity };
  const removes = (field: string): Place | undefined => own.findLast((place) => mapOf(valueAt(place, "/fields") as Json)[field] === null);
  return lint(mapping, [...(base?.places ?? []), ...flow.places], sides, workspace).flatMap(({ problem, place, lint: found }) => {
    if (found.code !== "LINT_REQUIRED_UNMAPPED") return own.includes(place) ? [problem] : [];
    const remover = removes(String(found.params.field));
    if (base && !remover) return [];
    const { manifest, at } = remover ?? top;
    const pointer = `${at}/fields${remover ? `/${escape(String(found.params.field))}` : ""}`;
    return [{ ...problem, at: manifest.locate(pointer, "key"), pointer }];
  });
}

interface Sides { readonly source: Schema | undefined; readonly target: Schema | undefined; readonly excerpts: readonly unknown[]; readonly entity: string | undefined }

function sidesOf(mapping: JsonObject, workspace: Workspace): Sides {
  const from = typeof mapping.from === "string" ? splitName(mapping.from) : undefined;
  const entity = typeof mapping.to === "string" ? mapping.to : undefined;
  // With `each` the fields see an item, and nothing says what is in it.
  const isWhole = mapping.each === undefined;
  return {
    source: from && isWhole ? recordSchema(from.owner, from.name, workspace) : undefined,
    target: entity === undefined ? undefined : targetOf(entity, workspace),
    excerpts: isWhole ? excerptsOf(mapping) : [],
    entity,
  };
}

/** Records that must map. One that is refused or dropped shows what a record should not be. */
function excerptsOf({ tests }: JsonObject): unknown[] {
  return (Array.isArray(tests) ? tests : []).flatMap((test) => (isMap(test) && test.error === undefined && test.filtered === undefined && isMap(test.given) ? [test.given] : []));
}

/** An entity, or the input of a connector's action. */
function targetOf(name: string, workspace: Workspace): Schema | undefined {
  const action = splitName(name);
  if (!action) return workspace.unreadable.has(`entity ${name}`) ? undefined : entitySchema(name, workspace) as Schema | undefined;
  const input = inputOf(action, workspace);
  return input && ({ type: "object", properties: Object.fromEntries(input), additionalProperties: false } as Schema);
}

interface Found { readonly problem: Problem; readonly place: Place; readonly lint: MappingLint }

function lint(mapping: JsonObject, places: readonly Place[], { source, target, excerpts, entity }: Sides, workspace: Workspace): Found[] {
  if (!isMap(mapping.fields)) return [];
  const text = textOf(mapping);
  const keys = entity === undefined ? [] : matchOf(entity, workspace);
  // What is wrong whatever the records are can only be a mistake. A provider's schema may be wrong itself: that is a warning.
  const identity = ({ at, start, end, message }: MappingLint): string => [at, start, end, message].join(" ");
  const certain = new Set(lintMapping(text, undefined, target, { keys }).filter(({ severity }) => severity === "error").map(identity));
  return lintMapping(text, source, target, { excerpts, keys }).flatMap((found) => {
    const at = placeOf(found, places);
    if (!at) return [];
    const { place, pointer } = at;
    const written = valueAt(place, pointer.slice(place.at.length));
    const offset = typeof written === "string" ? /^\s*=(?!=)/.exec(written)?.[0].length ?? 0 : 0;
    const location = found.at === "fields" ? place.manifest.locate(pointer, "key") : locateIn(place.manifest, pointer, String(written), offset + found.start, found.end - found.start);
    return [{ place, lint: found, problem: { code: found.code, severity: certain.has(identity(found)) ? "error" : "warning", params: found.params, at: location, pointer } }];
  });
}

/** The topmost place that says what a lint is about. */
function placeOf({ at }: MappingLint, places: readonly Place[]): { place: Place; pointer: string } | undefined {
  const below = at.startsWith("fields.") ? `/fields/${escape(at.slice("fields.".length))}` : `/${at}`;
  for (const place of places.toReversed()) {
    const written = valueAt(place, below);
    const pointer = `${place.at}${below}`;
    if (isMap(written as Json) && at !== "fields") {
      if (typeof (written as JsonObject).key === "string") return { place, pointer: `${pointer}/key` };
    } else if (written !== undefined && written !== null) return { place, pointer };
  }
  return undefined;
}

function textOf(mapping: JsonObject): MappingText {
  const fields: Record<string, FieldSource> = {};
  for (const [name, field] of Object.entries(mapOf(mapping.fields))) {
    if (typeof field === "string") fields[name] = { expression: bare(field) };
    else if (typeof field === "number" || typeof field === "boolean") fields[name] = { constant: field };
    else if (isMap(field) && typeof field.ref === "string" && typeof field.key === "string") fields[name] = { ref: field.ref, key: bare(field.key) };
    // A template is text, and what is no field is told elsewhere: neither is missing.
    else if (field !== null) fields[name] = { expression: TOLD_ELSEWHERE };
  }
  return { ...(typeof mapping.where === "string" ? { where: bare(mapping.where) } : {}), fields };
}

/** Fields by which any preset or tenant joins the rows of an entity. */
function matchOf(entity: string, workspace: Workspace): string[] {
  return [...[...workspace.presets.values()].flat(), ...workspace.tenants.values()].flatMap(({ value }) => {
    const { match } = mapOf(mapOf(value.entities)[entity]);
    return [match ?? []].flat().map(String);
  });
}

/** A flow as its layers make it, as far as its mapping goes. */
interface Flow {
  /** Lowest first: where its `map` says more than the name of a mapping. */
  readonly places: readonly Place[];
  readonly map: JsonObject;
  /** Of the stream it reads. */
  readonly source: Schema | undefined;
  readonly entity: string | undefined;
  /** Whose mappings are the release's own. */
  readonly release: Manifest | undefined;
  /** The files whose part of it is judged: what lies below a tenant was judged as its preset. */
  readonly files: readonly Manifest[];
}

/** A file that has flows. */
interface Layer { readonly manifest: Manifest; /** Pointer of the configuration in it. */ readonly at: string }

function presetFlows(workspace: Workspace): Flow[] {
  return [...workspace.presets.values()].flatMap((layers) => flowsOf(layers.map((manifest) => ({ manifest, at: "" })), layers, workspace));
}

function tenantFlows(workspace: Workspace): Flow[] {
  return [...workspace.tenants.values()].flatMap((manifest) => {
    const [id = "", number] = String(manifest.value.preset ?? "").split("@");
    const release = number === undefined ? undefined : workspace.releases.get(id)?.get(Number(number));
    if (number !== undefined && !release) return [];
    const below = release ? [{ manifest: release, at: "/preset" }] : (workspace.presets.get(id) ?? []).map((preset) => ({ manifest: preset, at: "" }));
    return flowsOf([...below, { manifest, at: "" }], [manifest], workspace, release);
  });
}

function flowsOf(layers: readonly Layer[], files: readonly Manifest[], workspace: Workspace, release?: Manifest): Flow[] {
  const partOf = ({ manifest, at }: Layer, room: string): JsonObject => mapOf(valueAt({ manifest, at }, `/${room}`) as Json);
  const last = (parts: readonly (Json | undefined)[]): Json | undefined => parts.findLast((part) => part !== undefined);
  const parts = (name: string, seen: readonly string[]): { flow: JsonObject; place: Place }[] => {
    const own = layers.flatMap((layer) => {
      const flow = partOf(layer, "flows")[name];
      return isMap(flow) ? [{ flow, place: { manifest: layer.manifest, at: `${layer.at}/flows/${escape(name)}/map` } }] : [];
    });
    const use = last(own.map(({ flow }) => flow.use));
    return [...(typeof use === "string" && !seen.includes(use) ? parts(use, [...seen, name]) : []), ...own];
  };
  return [...new Set(layers.flatMap((layer) => Object.keys(partOf(layer, "flows"))))].flatMap((name): Flow[] => {
    if (partOf(layers.at(-1)!, "flows")[name] === null) return [];
    const all = parts(name, []);
    const maps = all.map(({ flow: each }) => long(each.map, "use"));
    const use = last(maps.map((map) => map.use));
    const where = last(maps.map((map) => map.where));
    const [stream, connection] = ["stream", "connection"].map((key) => last(all.map(({ flow: each }) => long(each.from, "stream")[key])));
    const entity = last(all.map(({ flow: each }) => long(each.to, "entity").entity));
    const read = typeof stream === "string" ? splitName(stream) : undefined;
    const connections = layers.map((layer) => mapOf(partOf(layer, "connections")[typeof connection === "string" ? connection : read?.owner ?? ""]));
    const connector = last(connections.map((each) => each.connector));
    const own = last(connections.map((each) => mapOf(mapOf(each.streams)[read?.name ?? ""]).schema));
    return [{
      places: all.filter(({ flow: each }) => isMap(each.map)).map(({ place }) => place),
      map: { ...(use === undefined ? {} : { use }), ...(where === undefined || where === null ? {} : { where }), fields: Object.assign({}, ...maps.map((map) => mapOf(map.fields))) as JsonObject },
      source: typeof connector === "string" && read ? schemaOf(own, connector, workspace) ?? recordSchema(connector, read.name, workspace) : undefined,
      entity: typeof entity === "string" ? entity : undefined,
      release, files,
    }];
  });
}

/** The mapping that a flow starts from. */
function baseOf({ map: { use }, release }: Flow, workspace: Workspace): { mapping: JsonObject; places: readonly Place[] } | undefined {
  if (typeof use !== "string") return undefined;
  const frozen = mapOf(release?.value.mappings)[use];
  if (release && isMap(frozen)) return { mapping: frozen, places: [{ manifest: release, at: `/mappings/${escape(use)}` }] };
  const layers = workspace.mappings.get(use);
  return layers && { mapping: merged(layers), places: layers.map((manifest) => ({ manifest, at: "" })) };
}

function valueAt({ manifest, at }: Place, below: string): unknown {
  return `${at}${below}`.split("/").slice(1).reduce<unknown>((value, part) => (value as Record<string, unknown> | null | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], manifest.value);
}

const bare = (text: string): string => text.replace(/^\s*=(?!=)/, "");
