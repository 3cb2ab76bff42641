/** What a mapping makes of a few records, field by field, with everything that is wrong: for an editor, and for a terminal. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { EvaluationProblem, FieldsResult, FieldSource } from "../../engine/expression/index.ts";
import { describe, inferType, lintMapping, typeOfSchema, typeOfSamples, withSamples, type Schema } from "../../engine/expression/types-of/index.ts";
import { entityProblems, entitySchema } from "../../engine/manifest/entity-schema.ts";
import type { Json, JsonObject, Workspace } from "../../engine/manifest/index.ts";
import { isMap, merged } from "../../engine/manifest/merged.ts";
import { recordSchema } from "../../engine/manifest/record-schema.ts";
import type { IsolatedEvaluator } from "../../engine/run/expression-worker.ts";

/** One target field for one record. */
export interface PreviewedField {
  readonly field: string;
  readonly expression: string;
  /** Absent: the field is left out. */
  readonly value?: unknown;
  /** For people, inferred from the stream's schema and the given records. */
  readonly type: string;
  readonly problems: readonly PreviewProblem[];
}

export interface PreviewProblem {
  /** An evaluation's code, `MAPPING_INVALID` (the entity refuses the value), or a lint's. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Character offset into the field's expression. */
  readonly position?: number;
}

export interface PreviewedRecord {
  /** `where` drops the record; its fields are shown all the same. */
  readonly filtered: boolean;
  readonly fields: readonly PreviewedField[];
  /** What belongs to no single field: a `where` that fails, a required field that no expression makes. */
  readonly problems: readonly PreviewProblem[];
}

/** @throws PlugboardError SERVER_NOT_FOUND for a mapping that the workspace does not have. */
export async function previewMapping(workspace: Workspace, id: string, records: readonly unknown[], bindings: Readonly<Record<string, unknown>>, evaluator: IsolatedEvaluator): Promise<PreviewedRecord[]> {
  const layers = workspace.mappings.get(id);
  if (!layers) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "mapping", name: id, suggestion: `There are: ${[...workspace.mappings.keys()].join(", ") || "none"}.` });
  const mapping = merged(layers);
  const fields = sourcesOf(mapping);
  const where = typeof mapping.where === "string" ? bare(mapping.where) : undefined;
  const target = entitySchema(String(mapping.to), workspace);
  const [connector = "", stream = ""] = String(mapping.from).split(".");
  const source = recordSchema(connector, stream, workspace) as Schema | undefined;
  const record = source ? withSamples(typeOfSchema(source), records) : typeOfSamples(records);
  const variables = Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, typeOfSamples([value])]));
  const lints = lintMapping({ fields, ...(where === undefined ? {} : { where }) }, source, target as Schema | undefined, { samples: records, variables });
  const rows = Object.entries(fields).map(([field, made]) => {
    const expression = "constant" in made ? JSON.stringify(made.constant) : "ref" in made ? made.key : made.expression;
    const found = lints.filter(({ at }) => at === `fields.${field}`).map(({ code, severity, message, hint, start }): PreviewProblem => ({ code, severity, message: [message, hint].filter(Boolean).join(" "), position: start }));
    return { field, expression, type: describe(inferType(expression, record, { variables }).type), lints: found, source: made };
  });
  const general = lints.filter(({ at }) => at === "fields" || at === "where").map(({ code, severity, message }): PreviewProblem => ({ code, severity, message }));
  const previewed: PreviewedRecord[] = [];
  for (const one of records) previewed.push(await previewRecord(one, { rows, where, general, target, evaluator, bindings: { now: Date.now(), ...bindings } }));
  return previewed;
}

interface Prepared {
  readonly rows: readonly { readonly field: string; readonly expression: string; readonly type: string; readonly lints: readonly PreviewProblem[]; readonly source: FieldSource }[];
  readonly where: string | undefined;
  readonly general: readonly PreviewProblem[];
  readonly target: JsonObject | undefined;
  readonly evaluator: IsolatedEvaluator;
  readonly bindings: Readonly<Record<string, unknown>>;
}

async function previewRecord(record: unknown, { rows, where, general, target, evaluator, bindings }: Prepared): Promise<PreviewedRecord> {
  const problems: PreviewProblem[] = [...general];
  let filtered = false;
  if (where !== undefined) {
    const reply = await evaluator.evaluate({ expression: `$boolean(${where}\n)`, input: record, bindings });
    if ("problem" in reply) problems.push(problemOf(reply.problem, "where: "));
    else filtered = reply.value !== true;
  }
  const whole: Record<string, unknown> = {};
  const made = [];
  for (const { field, expression, type, lints, source } of rows) {
    // Alone, so that one that does not even compile takes no other with it.
    const reply = await evaluator.evaluate({ fields: { [field]: source }, input: record, bindings });
    if ("problem" in reply) {
      made.push({ field, expression, value: undefined, type, problems: [problemOf(reply.problem)] });
      continue;
    }
    const result = reply.value as FieldsResult;
    mergeInto(whole, result.value);
    made.push({ field, expression, value: valueAt(result.value, field), type, problems: [...lints, ...result.problems.map((problem) => problemOf(problem))] });
  }
  // A field that failed is missing for that reason: the entity has nothing to add.
  const failed = new Set(made.filter(({ problems: found }) => found.some(({ code, severity }) => severity === "error" && !code.startsWith("LINT_"))).map(({ field }) => field));
  for (const { field, detail } of target && !filtered ? entityProblems(target, whole as JsonObject) : []) {
    const row = made.find((one) => one.field === field || field.startsWith(`${one.field}.`));
    const problem: PreviewProblem = { code: "MAPPING_INVALID", severity: "error", message: detail };
    if (!row) problems.push(problem);
    else if (!failed.has(row.field)) row.problems.push(problem);
  }
  return { filtered, problems, fields: made.map(({ value, ...row }) => (value === undefined ? row : { ...row, value })) };
}

function sourcesOf(mapping: JsonObject): Record<string, FieldSource> {
  const sources: Record<string, FieldSource> = {};
  for (const [name, field] of Object.entries(isMap(mapping.fields) ? mapping.fields : {})) {
    if (typeof field === "string") sources[name] = { expression: bare(field) };
    else if (typeof field === "number" || typeof field === "boolean") sources[name] = { constant: field };
    else if (isMap(field) && typeof field.ref === "string") sources[name] = { ref: field.ref, key: bare(String(field.key)) };
  }
  return sources;
}

function problemOf({ code, message, position }: EvaluationProblem, before = ""): PreviewProblem {
  return { code, severity: "error", message: before + message, ...(position === undefined ? {} : { position }) };
}

function mergeInto(target: Record<string, unknown>, value: Readonly<Record<string, unknown>>) {
  for (const [name, member] of Object.entries(value)) {
    const inner = target[name];
    if (isMap(inner as Json) && isMap(member as Json)) mergeInto(inner as Record<string, unknown>, member as Record<string, unknown>);
    else target[name] = member;
  }
}

const valueAt = (value: unknown, dotted: string): unknown => dotted.split(".").reduce<unknown>((at, part) => (isMap(at as Json) ? (at as JsonObject)[part] : undefined), value);

const bare = (text: string): string => text.replace(/^\s*=(?!=)/, "");
