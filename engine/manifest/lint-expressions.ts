/**
 * Lints of the expressions that are no mapping: rules over answers, keys, values of requests, rules of flows. What they see is
 * seldom known, so most of what is told lies in the expression itself.
 */
import { inferType, lint, lintKey, lintRule, neverTrue, typeOfSchema, UNKNOWN, type Lint, type Schema, type Type } from "../expression/types-of/index.ts";
import type { Problem } from "../errors/plugboard-error.ts";
import { entitySchema } from "./entity-schema.ts";
import type { Site } from "./check-shape.ts";
import { locateIn } from "./locate-in.ts";
import { isMap, merged } from "./merged.ts";
import { recordSchema } from "./record-schema.ts";
import { escape, isReadable, mapOf } from "./references/names.ts";
import type { Json, Manifest, Workspace } from "./types.ts";
import type { Checked } from "./validate.ts";

/** What the expressions over an answer see. Headers may be lists, and a body anything. */
const ANSWER: Type = { object: { members: new Map([["status", { number: { whole: true } }]]), rest: UNKNOWN } };
/** Keys whose expression chooses: never true is never meant. */
const RULES = new Set(["when", "until", "empty", "gone", "refused", "unique", "where"]);

export function lintExpressions(checked: readonly Checked[], workspace: Workspace): Problem[] {
  return [
    ...checked.flatMap(({ manifest, shape }) => shape.sites.flatMap((site) => lintSite(manifest, site, workspace))),
    ...[...workspace.connectors].flatMap(([id, layers]) => lintStreams(id, layers, workspace)),
  ];
}

function lintSite(manifest: Manifest, site: Site, workspace: Workspace): Problem[] {
  // Fields of mappings, and which records they take, are judged with what they read and make.
  if (site.part === "key" || /(^|\/map)\/(fields\/|where$)/.test(site.pointer) || (manifest.kind === "mapping" && site.pointer === "/where")) return [];
  const offset = offsetOf(site);
  if (offset === undefined) return [];
  const text = site.text.slice(offset);
  const name = site.pointer.split("/").at(-1)!;
  if (/^\/flows\/[^/]+\/from\/(when|becomes)$/.test(site.pointer)) return told(manifest, site.pointer, site.text, offset, lintRule(text, rowOf(manifest, site.pointer, workspace)));
  const inferred = inferType(text, site.variables.includes("status") && !site.variables.includes("*") ? ANSWER : UNKNOWN);
  const isNever = RULES.has(name) && neverTrue(inferred.type) && !/^\s*false\s*$/.test(text);
  return told(manifest, site.pointer, site.text, offset, [...inferred.lints, ...(isNever ? [lint("LINT_NEVER_TRUE", { start: 0, end: text.trimEnd().length }, { when: "" })] : []), ...(isKey(manifest, site.pointer) ? lintKey(text) : [])]);
}

/** What a flow's `becomes` and `when` see: the row of the entity that it watches, with what every row has. */
function rowOf(manifest: Manifest, pointer: string, workspace: Workspace): Schema | undefined {
  const name = pointer.split("/")[2]!.replaceAll("~1", "/").replaceAll("~0", "~");
  const below = typeof manifest.value.preset === "string" && manifest.kind === "tenant" ? presetBelow(manifest.value.preset, workspace) : {};
  const entity = [manifest.value, below].map((value) => mapOf(mapOf(mapOf(mapOf(value).flows)[name]).from).change).find((each) => each !== undefined);
  const schema = typeof entity === "string" && isReadable(workspace, "entity", entity) ? entitySchema(entity, workspace) : undefined;
  return schema && ({ ...schema, properties: { ...mapOf(schema.properties), id: { type: "string" }, links: { type: "object", additionalProperties: { type: "string" } } }, required: [...(Array.isArray(schema.required) ? schema.required : []), "id", "links"] } as Schema);
}

function presetBelow(pin: string, workspace: Workspace): Json {
  const [id = "", release] = pin.split("@");
  return (release === undefined ? merged(workspace.presets.get(id) ?? []) : workspace.releases.get(id)?.get(Number(release))?.value.preset) ?? {};
}

/** Where an expression begins in its text; undefined for a template. */
function offsetOf({ text, language }: Pick<Site, "text" | "language">): number | undefined {
  if (text.startsWith("==")) return language === "jsonata" ? 0 : undefined;
  return /^\s*=/.exec(text)?.[0].length ?? (language === "jsonata" ? 0 : undefined);
}

const isKey = (manifest: Manifest, pointer: string): boolean => manifest.kind === "connector" && /^\/(streams|fragments)\/[^/]+\/key(\/\d+)?$/.test(pointer);

/** Key, version and cursor of each stream that has a schema of its records, where they are written. */
function lintStreams(id: string, layers: readonly Manifest[], workspace: Workspace): Problem[] {
  const { streams, fragments } = merged(layers);
  return Object.entries(mapOf(streams)).flatMap(([name, stream]) => {
    const schema = recordSchema(id, name, workspace);
    if (!schema || !isMap(stream)) return [];
    const record = typeOfSchema(schema);
    const values = mapOf(stream.with);
    const variables = { with: typeOfSchema({ type: "object", properties: Object.fromEntries(Object.entries(values).map(([value, is]) => [value, { const: is }])), required: Object.keys(values) }) };
    const rooms = [`/streams/${escape(name)}`, ...(typeof stream.use === "string" && isMap(mapOf(fragments)[stream.use]) ? [`/fragments/${escape(stream.use)}`] : [])];
    return ["/key", "/version", "/cursor/field"].flatMap((part) => {
      const place = layers.toReversed().flatMap((manifest) => rooms.map((room) => ({ manifest, pointer: `${room}${part}` }))).find(({ manifest, pointer }) => valueAt(manifest.value, pointer) !== undefined);
      if (!place) return [];
      const written = valueAt(place.manifest.value, place.pointer);
      return (Array.isArray(written) ? written.map((text, index) => [text, `${place.pointer}/${index}`] as const) : [[written, place.pointer] as const]).flatMap(([text, pointer]) => {
        if (typeof text !== "string") return [];
        const offset = offsetOf({ text, language: "jsonata" })!;
        // The schema may be what is wrong.
        return told(place.manifest, pointer, text, offset, inferType(text.slice(offset), record, { variables }).lints.map((each) => ({ ...each, severity: "warning" as const })));
      });
    });
  });
}

function told(manifest: Manifest, pointer: string, text: string, offset: number, lints: readonly Lint[]): Problem[] {
  return lints.map(({ code, severity, params, start, end }) => ({ code, severity, params, pointer, at: locateIn(manifest, pointer, text, offset + start, end - start) }));
}

function valueAt(value: unknown, pointer: string): unknown {
  return pointer.split("/").slice(1).reduce<unknown>((at, part) => (at as Record<string, unknown> | null | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], value);
}
