/** A workspace with one mapping of any size: what a provider with hundreds of columns and a wide entity come to. Made, not kept. */
import { compileExpression } from "../../../engine/expression/index.ts";

const SECTIONS = ["person", "address", "employer", "programme", "review", "attendance", "funding", "contract", "contact", "assessment", "document", "interview", "placement", "support", "progress", "invoice", "meeting", "survey", "certificate", "history"];
const NAMES = ["reference", "name", "status", "started_on", "ended_on", "amount", "is_current", "owner", "note", "kind", "score", "updated_at", "email", "phone", "town", "code", "hours", "level", "reason", "source", "approved_by", "url", "language", "currency", "rank"];
const KINDS = ["text", "text", "text", "date", "date", "number", "flag"] as const;

export const LARGE = "wide/everything";
export const LARGE_FILE = `mappings/${LARGE}.yaml`;

interface Leaf { readonly path: string; readonly kind: (typeof KINDS)[number] }

/** Sections of 25 fields each, as a provider nests them. */
function leaves(count: number): Leaf[] {
  return Array.from({ length: count }, (_, index) => {
    const [section, name] = [Math.floor(index / NAMES.length), index % NAMES.length];
    return { path: `${SECTIONS[section % SECTIONS.length]}${section < SECTIONS.length ? "" : `_${Math.floor(section / SECTIONS.length) + 1}`}.${NAMES[name]}`, kind: KINDS[name % KINDS.length]! };
  });
}

const SCHEMAS = { text: { type: "string" }, date: { type: "string", format: "date" }, number: { type: "number" }, flag: { type: "boolean" } } as const;
const valueOf = ({ path, kind }: Leaf, at: number): unknown => (kind === "text" ? `${path} of ${at}` : kind === "date" ? `2026-${String((at % 12) + 1).padStart(2, "0")}-11` : kind === "number" ? at * 1.5 : at % 2 === 0);

/** Two in three are a path, as in a real mapping; the rest is a little of everything. */
function expressionOf(at: number, { path, kind }: Leaf, other: Leaf): string {
  switch (at % 12) {
    case 1: return `${path} & " " & ${other.path}`;
    case 4: return kind === "number" ? `$round(${path} * 1.2, 2)` : `$uppercase($trim($string(${path})))`;
    case 7: return `${path} ?: ${other.path} ?? "none"`;
    case 10: return at % 24 === 10 ? `${other.path} = "open" ? ${path} : $exists(${path}) ? "known" : "unknown"` : `$lookup({ "A": "active", "E": "ended", "P": "paused" }, $string(${path}))`;
    default: return path;
  }
}

export function largeWorkspace({ targets, sources }: { readonly targets: number; readonly sources: number }): Readonly<Record<string, string>> {
  const fields = leaves(sources);
  const nested = <Value>(make: (leaf: Leaf, at: number) => Value): Record<string, Record<string, Value>> => {
    const made: Record<string, Record<string, Value>> = {};
    fields.forEach((leaf, at) => { const [section = "", name = ""] = leaf.path.split("."); (made[section] ??= {})[name] = make(leaf, at); });
    return made;
  };
  const record = { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object", properties: { id: { type: "string" }, ...Object.fromEntries(Object.entries(nested(({ kind }) => SCHEMAS[kind])).map(([section, properties]) => [section, { type: "object", properties }])) } };
  const names = Array.from({ length: targets - 1 }, (_, at) => `field_${String(at + 1).padStart(3, "0")}`);
  const expressions = { reference: "id", ...Object.fromEntries(names.map((name, at) => [name, expressionOf(at, fields[(at * 7) % fields.length]!, fields[(at * 11 + 3) % fields.length]!)])) };
  const given = { id: "W-1", ...nested(valueOf) };
  const expect = Object.fromEntries(Object.entries(expressions).map(([name, expression]) => [name, compileExpression(expression).evaluate(given)]));
  return {
    "connectors/wide/connector.yaml": "connector: wide\ntitle: Wide\ncategory: other\nconfig: { token: { title: Token, secret: true } }\nhttp: { base_url: https://wide.example.com, auth: { type: api_key, header: Authorization, value: \"{{config.token}}\" } }\nstreams:\n  rows: { get: /rows, records: rows, key: id, schema: schemas/rows.schema.json }\n",
    "connectors/wide/schemas/rows.schema.json": `${JSON.stringify(record, null, 2)}\n`,
    "schemas/entities/everything.schema.json": `${JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "everything", title: "Everything", type: "object", additionalProperties: false, required: ["reference"], properties: { reference: { type: "string" }, ...Object.fromEntries(names.map((name) => [name, { type: ["string", "number", "boolean", "null"] }])) } }, null, 2)}\n`,
    [LARGE_FILE]: `mapping: ${LARGE}\nfrom: wide.rows\nto: everything\nfields:                                     # one line a field\n${Object.entries(expressions).map(([name, expression]) => `  ${name}: ${JSON.stringify(expression)}`).join("\n")}\ntests:\n  - name: a whole row\n    given: ${JSON.stringify(given)}\n    expect: ${JSON.stringify(expect)}\n`,
  };
}
