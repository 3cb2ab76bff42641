/**
 * A value against its schema: every problem in our own words, and on the way the places that later checks look at
 * (expressions, templates, secrets, words that are not running yet). One walk, so all of them agree on what a key means.
 */
import type { ErrorCode } from "../errors/catalog.ts";
import type { ErrorParams } from "../errors/plugboard-error.ts";
import { nearest, suggest } from "../errors/nearest.ts";
import { describe, exampleOf, flow, kindOf, show } from "./describe.ts";
import { shapeOf, type Placed, type Shape } from "./schema-shape.ts";
import type { Json, JsonObject } from "./types.ts";

export interface Finding {
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  readonly pointer: string;
  readonly part: "key" | "value";
}

/** A text that is an expression or a template. */
export interface Site {
  readonly pointer: string;
  readonly part: "key" | "value";
  readonly text: string;
  readonly language: "jsonata" | "template";
  /** What it may name; `*` among them: any field of the record. */
  readonly variables: readonly string[];
}

export interface ShapeResult {
  readonly findings: readonly Finding[];
  readonly sites: readonly Site[];
  readonly notRunning: readonly { readonly pointer: string; readonly feature: string; readonly instead: string }[];
  readonly secrets: readonly { readonly pointer: string; readonly text: string }[];
}

export interface ShapeOptions {
  /** The value is a layer: members may be missing, and `null` removes. */
  readonly layer?: boolean;
}

interface Collected { findings: Finding[]; sites: Site[]; notRunning: { pointer: string; feature: string; instead: string }[]; secrets: { pointer: string; text: string }[] }

export function checkShape(value: Json, schema: Placed, options: ShapeOptions = {}): ShapeResult {
  const result: Collected = { findings: [], sites: [], notRunning: [], secrets: [] };
  walk(value, shapeOf(schema), "", [], result, options);
  return result;
}

function walk(value: Json, shape: Shape, pointer: string, outer: readonly string[], out: Collected, options: ShapeOptions): void {
  const report = (code: ErrorCode, params: ErrorParams, at = pointer, part: "key" | "value" = "value") => void out.findings.push({ code, params, pointer: at, part });
  const field = nameOf(pointer);
  const variables = shape.variables.length === 0 ? outer : [...new Set([...outer, ...shape.variables])];
  if (value === null && options.layer && pointer !== "") return;
  if (shape.notRunning !== undefined) out.notRunning.push({ pointer, feature: featureOf(pointer, shape), instead: shape.notRunning });

  if (shape.branches && shape.format !== "value") {
    const named = typeof value === "string" ? memberNamed(value, shape) : undefined;
    if (named?.notRunning !== undefined) out.notRunning.push({ pointer, feature: `${field}: ${String(value)}`, instead: named.notRunning });
    const branch = chooseBranch(value, shape, pointer, report, options);
    if (branch) walk(value, branch, pointer, variables, out, options);
    return;
  }
  const wrong = wrongType(value, shape);
  if (wrong) return report(wrong, { field, expected: describe(shape), actual: show(value, shape.secret), suggestion: cureFor(value, shape) });

  if (shape.const !== undefined && value !== shape.const) return report("MANIFEST_WRONG_VALUE", { field, expected: describe(shape), actual: show(value, shape.secret), suggestion: cureFor(value, shape) });
  if (shape.enum && !shape.enum.includes(value)) {
    const names = shape.enum.map(String);
    return report("MANIFEST_WRONG_VALUE", { field, expected: describe(shape), actual: show(value, shape.secret), suggestion: typeof value === "string" && nearest(value, names) !== undefined ? suggest(value, names) : cureFor(value, shape) });
  }
  if (typeof value === "string") {
    if (shape.pattern !== undefined && !new RegExp(shape.pattern, "u").test(value)) report("MANIFEST_WRONG_VALUE", { field, expected: describe(shape), actual: show(value, shape.secret), suggestion: cureFor(value, shape) });
    if (shape.format === "date-time" && !(DATE_TIME.test(value) && !Number.isNaN(Date.parse(value)))) report("MANIFEST_WRONG_VALUE", { field, expected: "a date-time such as 2026-03-01T09:00:00Z", actual: show(value, shape.secret), suggestion: cureFor(value, shape) });
    if (shape.format === "jsonata") out.sites.push({ pointer, part: "value", text: value, language: "jsonata", variables });
    if (shape.format === "template" || shape.format === "value") out.sites.push({ pointer, part: "value", text: value, language: "template", variables });
    if (shape.secret) out.secrets.push({ pointer, text: value });
  } else if (typeof value === "number") {
    if ((shape.minimum !== undefined && value < shape.minimum) || (shape.maximum !== undefined && value > shape.maximum)) report("MANIFEST_WRONG_VALUE", { field, expected: describe(shape), actual: show(value) });
  } else if (Array.isArray(value)) {
    if (shape.minItems !== undefined && value.length < shape.minItems) report("MANIFEST_WRONG_VALUE", { field, expected: `a list of at least ${shape.minItems}`, actual: `a list of ${value.length}` });
    const items = shape.items && shapeOf(shape.items);
    if (items) value.forEach((item, index) => walk(item as Json, items, `${pointer}/${index}`, variables, out, options));
  } else if (typeof value === "object" && value !== null) {
    walkMap(value as JsonObject, shape, pointer, variables, out, options, report);
  }
}

/** Source: RFC 3339 §5.6. */
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i;

type Report = (code: ErrorCode, params: ErrorParams, at?: string, part?: "key" | "value") => void;

function walkMap(value: JsonObject, shape: Shape, pointer: string, variables: readonly string[], out: Collected, options: ShapeOptions, report: Report): void {
  const where = whereOf(pointer, value, shape);
  const present = Object.keys(value).filter((key) => value[key] !== null || !options.layer);
  // A layer says only what differs, but always whose layer it is.
  for (const key of options.layer ? (pointer === "" ? shape.required.slice(0, 1) : []) : shape.required) if (!(key in value)) {
    // A misspelt one is told once, as unknown.
    if (Object.keys(value).some((written) => !shape.properties.has(written) && renamed(written, shape) === key)) continue;
    const expected = shape.properties.get(key);
    report("MANIFEST_MISSING_FIELD", { field: key, where, expected: expected ? wanted(shapeOf(expected)) : "a value" });
  }
  if (!options.layer) for (const [key, others] of Object.entries(shape.dependentRequired)) if (key in value) for (const other of others) if (!(other in value)) {
    const expected = shape.properties.get(other);
    report("MANIFEST_MISSING_FIELD", { field: other, where, expected: `${expected ? describe(shapeOf(expected)) : "a value"}; '${key}' means nothing without it` });
  }
  if (shape.minProperties !== undefined && present.length < shape.minProperties) report("MANIFEST_WRONG_VALUE", { field: nameOf(pointer), expected: `a map with at least ${shape.minProperties} key`, actual: "an empty map" });
  for (const choice of shape.oneOf) {
    if (!options.layer && !choice.some((key) => present.includes(key)) && !Object.keys(value).some((written) => choice.includes(renamed(written, shape) ?? ""))) report("MANIFEST_ONE_OF", { where, choices: choice.join(", "), actual: "none of them" });
  }
  for (const choice of [...shape.choices, ...shape.oneOf]) {
    const chosen = choice.filter((key) => present.includes(key));
    if (chosen.length > 1) report("MANIFEST_ONE_OF", { where, choices: choice.join(", "), actual: chosen.join(" and "), suggestion: `remove ${chosen.length === 2 ? chosen.join(" or ") : "all but one"}` }, `${pointer}/${escape(chosen[1]!)}`, "key");
  }
  if (isFlat(value, shape)) return report("MANIFEST_WRONG_TYPE", { field: nameOf(pointer), expected: "a map by name", actual: "the entry itself", suggestion: `give it a name: ${nameOf(pointer)}: { all: ${flow(value)} }` });
  const names = shape.names && shapeOf(shape.names);
  for (const [key, member] of Object.entries(value)) {
    const at = `${pointer}/${escape(key)}`;
    const known = shape.properties.get(key);
    const next = known ?? shape.others;
    if (next) {
      if (!known && names?.pattern !== undefined && !new RegExp(names.pattern, "u").test(key)) report("MANIFEST_WRONG_VALUE", { field: key, expected: describe(names), actual: show(key) }, at, "key");
      const inner = shapeOf(next);
      if (!known && (inner.format === "value" || isTemplateMap(shape)) && key.includes("{{")) out.sites.push({ pointer: at, part: "key", text: key, language: "template", variables });
      walk(member as Json, inner, at, variables, out, options);
    } else if (next === false) unknownField(key, member as Json, value, shape, at, where, report);
  }
}

/** `limits: { max: 100, every: 1m }`: an entry where named entries belong. */
function isFlat(value: JsonObject, shape: Shape): boolean {
  if (shape.properties.size > 0 || !shape.others || Object.keys(value).length === 0) return false;
  const entry = shapeOf(shape.others);
  const entries = [entry, ...(entry.branches ?? []).map(shapeOf)].flatMap((each) => [each, ...(isDiscriminated(each) ? each.branches!.map(shapeOf) : [])]).filter((each) => each.properties.size > 0);
  return entries.length > 0 && Object.entries(value).every(([key, member]) => (typeof member !== "object" || member === null) && entries.some((each) => each.properties.has(key) && !wrongTypeOf(member, each, key)));
}

const wrongTypeOf = (member: Json, entry: Shape, key: string): boolean => wrongType(member, shapeOf(entry.properties.get(key)!)) !== undefined;

function unknownField(key: string, member: Json, value: JsonObject, shape: Shape, at: string, where: string, report: Report): void {
  // `{ say: No scope, ask an admin. }`: YAML ends the text at the comma.
  if (member === null && /[\s.]/.test(key)) {
    const previous = Object.keys(value)[Object.keys(value).indexOf(key) - 1];
    return report("MANIFEST_TRAP", { detail: `Unknown key '${key}' in ${where}: YAML ends an unquoted text at a comma.`, cure: previous === undefined ? "Quote the text." : `Quote the text: ${previous}: "${String(value[previous])}, ${key}"` }, at, "key");
  }
  const near = nearest(key, shape.properties.keys());
  const home = homeOf(key, shape);
  const suggestion = near !== undefined ? `did you mean '${near}'?` : home !== undefined ? `'${key}' belongs under '${home}'` : renamed(key, shape) !== undefined ? `it is called '${renamed(key, shape)!}' here` : suggest(key, shape.properties.keys());
  report("MANIFEST_UNKNOWN_FIELD", { field: key, where, suggestion }, at, "key");
}

/** The known key that an unknown one stands for. */
function renamed(key: string, shape: Shape): string | undefined {
  const near = nearest(key, shape.properties.keys());
  if (near !== undefined || homeOf(key, shape) !== undefined) return near;
  const ours = SYNONYMS[key];
  return ours !== undefined && shape.properties.has(ours) ? ours : undefined;
}

/** What a missing key must be, with an example. */
function wanted(shape: Shape): string {
  const example = exampleOf(shape);
  return `${describe(shape)}${example === "" ? "" : `, for example ${example}`}`;
}

/** Words that other tools use for ours. */
const SYNONYMS: Readonly<Record<string, string>> = {
  url: "base_url", endpoint: "get", path: "get", uri: "get", params: "query", parameters: "query", body: "json", filter: "where", filters: "where", id: "key", primary_key: "key",
  schedule: "from", interval: "every", frequency: "every", name: "title", label: "title", paging: "pagination", incremental: "cursor", credentials: "config", settings: "config", rate_limit: "limits", rateLimit: "limits",
  source: "from", target: "to", destination: "to", mapping: "map", mappings: "map", resources: "streams", models: "streams", page_size: "size", per_page: "size", limit: "size", required: "optional",
};

/** The member in which an unknown key is known. */
function homeOf(key: string, shape: Shape): string | undefined {
  for (const [name, part] of shape.properties) {
    const inner = shapeOf(part);
    if (inner.properties.has(key) && key.length > 3) return name;
  }
  return undefined;
}

function chooseBranch(value: Json, shape: Shape, pointer: string, report: Report, options: ShapeOptions): Shape | undefined {
  const branches = shape.branches!.map(shapeOf).flatMap((branch) => (branch.branches && branch.format !== "value" && !isDiscriminated(branch) ? branch.branches.map(shapeOf) : [branch]));
  const fitting = branches.filter((branch) => fits(value, branch));
  const field = nameOf(pointer);
  const union = isDiscriminated(shape) ? shape : branches.find(isDiscriminated);
  if (fitting.length === 0 && union) {
    const key = discriminatorOf(union.branches!.map(shapeOf))!;
    const members = union.branches!.map(shapeOf);
    const standard = members.find((member) => !member.required.includes(key));
    const types = typesOf(members, key);
    const near = typeof value === "string" ? nearest(value, types) : undefined;
    report("MANIFEST_WRONG_TYPE", { field, expected: standard ? "a map" : `a map with its '${key}'`, actual: show(value, shape.secret), suggestion: standard ? `for example: ${exampleOf(standard)}` : near === undefined ? `'${key}' is one of ${types.join(", ")}` : `write ${field}: { ${key}: ${near} }` });
    return undefined;
  }
  if (fitting.length === 0) {
    const secret = shape.secret || branches.some(({ secret }) => secret);
    report(branches.some((branch) => branch.enum || branch.const !== undefined) && !branches.some((branch) => branch.types?.includes("object")) ? "MANIFEST_WRONG_VALUE" : "MANIFEST_WRONG_TYPE",
      { field, expected: [...new Set(branches.filter((branch) => !branch.types?.includes("null") || branch.types.length > 1).map(describe))].join(", or "), actual: show(value, secret), suggestion: branches.map((branch) => cureFor(value, branch)).find(Boolean) });
    return undefined;
  }
  if (fitting.length === 1 && !isDiscriminated(fitting[0]!)) return fitting[0];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fitting[0];
  const map = value as JsonObject;
  const withBy = fitting.find((branch) => branch.required.includes("by"));
  if (withBy && "by" in map) return withBy;
  if (union) return chooseMember(map, union, pointer, report, options);
  return fitting.find((branch) => branch.required.every((key) => key in map) && Object.keys(map).every((key) => branch.properties.has(key) || branch.others !== false))
    ?? fitting.toSorted((a, b) => score(map, b) - score(map, a))[0];
}

/** `as: xml`: the member of the union beside which its name alone may stand. */
function memberNamed(name: string, shape: Shape): Shape | undefined {
  const union = shape.branches!.map(shapeOf).find(isDiscriminated);
  const members = union?.branches?.map(shapeOf) ?? [];
  const key = discriminatorOf(members);
  return members.find((member) => key !== undefined && shapeOf(member.properties.get(key)!).const === name);
}

/** The member of a union of components that `type` (or `do`) names. */
function chooseMember(map: JsonObject, union: Shape, pointer: string, report: Report, options: ShapeOptions): Shape | undefined {
  const members = union.branches!.map(shapeOf);
  const key = discriminatorOf(members)!;
  const types = members.map((member) => String(shapeOf(member.properties.get(key)!).const));
  const said = map[key];
  if (said === undefined) {
    const standard = members.find((member) => !member.required.includes(key));
    if (standard) return standard;
    if (options.layer) return undefined;
    const keys = Object.keys(map);
    const likely = typesOf(members.filter((member) => keys.length > 0 && keys.every((name) => member.properties.has(name))), key);
    const [as] = keys.filter((name) => types.includes(name));
    const given = as === undefined || typeof map[as] !== "object" || map[as] === null || Array.isArray(map[as]) ? {} : (map[as] as JsonObject);
    report("MANIFEST_MISSING_FIELD", { field: key, where: dotted(pointer) || "the manifest", expected: as === undefined ? `one of ${(likely.length > 0 ? likely : typesOf(members, key)).join(", ")}` : flow({ [key]: as, ...given }) });
    return undefined;
  }
  const member = members[types.indexOf(String(said))];
  if (!member) report("MANIFEST_WRONG_VALUE", { field: key, expected: `one of ${typesOf(members, key).join(", ")}`, actual: show(said as Json), suggestion: typeCure(String(said), typesOf(members, key)) }, `${pointer}/${key}`);
  return member;
}

/** What other tools call our types. */
const TYPES: Readonly<Record<string, string>> = {
  cursor: "token", next_token: "token", page_token: "token", continuation: "token", page_number: "page", skip: "offset", limit_offset: "offset", link: "link_header", next_link: "next_url", url: "next_url", seek: "keyset", since_id: "keyset",
  token: "bearer", http_basic: "basic", apikey: "api_key", header: "api_key", oauth: "oauth2_client_credentials", oauth2: "oauth2_client_credentials", client_credentials: "oauth2_client_credentials", authorization_code: "oauth2_authorization_code",
};

/** The type that was meant; a family's name (`oauth2`) stands for each of its members. */
function typeCure(said: string, types: readonly string[]): string {
  const family = types.filter((type) => type.startsWith(`${said}_`));
  if (family.length > 0) return `write ${family.length > 1 ? "one of " : ""}${family.join(", ")}`;
  const ours = TYPES[said.toLowerCase()];
  if (ours !== undefined && types.includes(ours)) return `it is called '${ours}' here`;
  return nearest(said, types) === undefined ? "" : suggest(said, types);
}

/** The types to advise: those that run. */
function typesOf(members: readonly Shape[], key: string): string[] {
  const running = members.filter((member) => member.notRunning === undefined);
  return (running.length > 0 ? running : members).map((member) => String(shapeOf(member.properties.get(key)!).const));
}

function discriminatorOf(members: readonly Shape[]): "type" | "do" | undefined {
  return (["type", "do"] as const).find((key) => members.length > 0 && members.every((member) => member.properties.has(key) && shapeOf(member.properties.get(key)!).const !== undefined));
}

function isDiscriminated(shape: Shape): boolean {
  return shape.branches !== undefined && discriminatorOf(shape.branches.map(shapeOf)) !== undefined;
}

function fits(value: Json, branch: Shape): boolean {
  if (isDiscriminated(branch)) return kindOf(value) === "object";
  if (branch.const !== undefined) return value === branch.const;
  if (branch.enum && typeof value !== "object") return branch.enum.includes(value) || branch.enum.every((each) => typeof each === typeof value);
  return !wrongType(value, branch);
}

const score = (map: JsonObject, branch: Shape): number =>
  Object.keys(map).filter((key) => branch.properties.has(key)).length - branch.required.filter((key) => !(key in map)).length;

function wrongType(value: Json, shape: Shape): "MANIFEST_WRONG_TYPE" | undefined {
  if (!shape.types) return undefined;
  const kind = kindOf(value);
  return shape.types.includes(kind) || (kind === "integer" && shape.types.includes("number")) ? undefined : "MANIFEST_WRONG_TYPE";
}

/** What to write instead, where it can be told. */
function cureFor(value: Json, shape: Shape): string {
  if (shape.types?.includes("boolean") && typeof value === "string" && /^(yes|no|on|off|y|n)$/i.test(value)) return `write ${/^(yes|on|y)$/i.test(value) ? "true" : "false"}: YAML 1.2 reads ${value} as text`;
  if (shape.types?.includes("boolean") && typeof value === "string" && /^(true|false)$/i.test(value)) return `write ${value.toLowerCase()} without quotes`;
  if (shape.types?.some((type) => type === "integer" || type === "number") && typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value)) return `write ${value} without quotes`;
  if (shape.pattern?.includes("ms|s|m") && (typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value)))) return `write the unit: ${String(value)}s, ${String(value)}m or ${String(value)}h`;
  if (shape.pattern?.includes("ms|s|m") && typeof value === "string") {
    const spelled = /^(\d+)\s*(ms|s|m|h|d|w)[a-z]*$/i.exec(value.trim()) ?? /^()(hour|da|week|minute)ly$/i.exec(value.trim());
    if (spelled) return `write ${spelled[1] === "" ? 1 : spelled[1]}${spelled[2]![0]!.toLowerCase() === "m" && /^mi?n?/i.test(spelled[2]!) ? "m" : spelled[2]![0]!.toLowerCase()}`;
  }
  if (shape.types?.[0] === "string" && shape.types.every((type) => type === "string" || type === "null") && (typeof value === "number" || typeof value === "boolean")) return `quote it: "${String(value)}"`;
  // An id in capitals, or with spaces.
  if (shape.pattern !== undefined && typeof value === "string" && /^[\w -]+$/.test(value)) {
    const id = value.trim().toLowerCase().replace(/\s+/g, "-");
    if (shape.pattern.startsWith("^[a-z]") && id !== value && new RegExp(shape.pattern, "u").test(id)) return `write ${id}`;
  }
  if (shape.format === "jsonata" && typeof value === "object" && value !== null) return `quote the expression: '${flow(value)}'`;
  if (Array.isArray(value) && shape.others && shape.properties.size === 0) return `give each a name${exampleOf(shape) === "" ? "" : `: ${exampleOf(shape)}`}`;
  if (shape.types?.[0] === "array" && value !== null && typeof value !== "object") return `write a list: [${flow(value)}]`;
  const example = exampleOf(shape);
  return example === "" ? "" : `for example: ${example}`;
}

const isTemplateMap = (shape: Shape): boolean => shape.others !== undefined && shape.others !== false && ["value", "template"].includes(shapeOf(shape.others).format ?? "");

/** `fragments.object.pagination (type keyset)`. */
function whereOf(pointer: string, value: JsonObject, shape: Shape): string {
  const type = typeof value.type === "string" && shape.properties.has("type") && shapeOf(shape.properties.get("type")!).const !== undefined ? ` (type ${value.type})` : "";
  return pointer === "" ? `this ${(shape.title ?? "manifest").toLowerCase()}` : `${dotted(pointer)}${type}`;
}

function featureOf(pointer: string, shape: Shape): string {
  const type = shape.properties.get("type") ?? shape.properties.get("do");
  const name = type && shapeOf(type).const;
  return name === undefined ? nameOf(pointer) : `${shape.properties.has("type") ? "type" : "do"}: ${String(name)}`;
}

/** `fragments.object.errors`, `tests[0].expect`. */
export const dotted = (pointer: string): string => pointer.split("/").slice(1).map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${unescape(part)}`)).join("").replace(/^\./, "");
const nameOf = (pointer: string): string => unescape(pointer.split("/").at(-1) ?? "") || "the manifest";
export const escape = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
const unescape = (name: string): string => name.replaceAll("~1", "/").replaceAll("~0", "~");
