/** One page's records, each on its own: key → where → fields → entity schema. A bad record costs that record. */
import { setImmediate } from "node:timers/promises";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import formatsPlugin from "ajv-formats";
import { holds } from "../components/shared/answer-variables.ts";
import { parseInstant, toDecimalSeconds } from "../components/shared/instant.ts";
import type { Cursor, Variables } from "../components/kinds.ts";
import { PlugboardError, messageOf, type ErrorParams } from "../errors/plugboard-error.ts";
import type { ErrorCode } from "../errors/catalog.ts";
import { compileFields, type CompiledExpression, type CompiledFields } from "../expression/index.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { EntityPlan, MappingPlan, StreamPlan } from "../plan/types.ts";
import { compileAt } from "./build-context.ts";
import type { MappedRecord, QuarantinedRecord } from "./ports.ts";
import { unstorable } from "./record-check.ts";
import { joinKey, keyPart, showValue } from "./record-key.ts";
import { compileTypes, type Convert } from "./record-types.ts";

export interface MappedPage {
  readonly records: MappedRecord[];
  readonly dropped: string[];
  readonly quarantined: QuarantinedRecord[];
  readonly filtered: number;
  /** Every key on the page, whatever became of its record. */
  readonly seen: string[];
  /** Key → version of records that `where` dropped, where they have one: an older one ends no newer row. */
  readonly versions: Record<string, string>;
  /** Cursor values in the order of the records, milliseconds since the epoch. */
  readonly cursors: number[];
}

export type PageMapper = (records: readonly unknown[], variables: Variables) => Promise<MappedPage>;

/** Records whose promises run together. */
const BATCH = 64;
/** Longest stretch, in milliseconds, before timers and sockets get their turn. */
const STRETCH = 20;

interface Compiled {
  readonly entityName: string;
  readonly keys: readonly CompiledExpression[];
  readonly version: CompiledExpression | undefined;
  readonly cursor: Cursor | undefined;
  readonly where: CompiledExpression | undefined;
  readonly fields: CompiledFields | undefined;
  readonly types: Convert;
  readonly validate: ValidateFunction | undefined;
}

export function compileMapper(entityName: string, stream: StreamPlan, streamName: string, mapping: MappingPlan | undefined, entity: EntityPlan | undefined, cursor: Cursor | undefined): PageMapper {
  const where = `streams.${streamName}`;
  const compiled: Compiled = {
    entityName, cursor,
    keys: stream.key.map((expression) => compileAt(String(expression), `${where}.key`)),
    version: stream.version === undefined ? undefined : compileAt(String(stream.version), `${where}.version`),
    where: mapping?.where === undefined ? undefined : compileAt(String(mapping.where), `${mapping.id ?? "map"}.where`),
    fields: mapping === undefined ? undefined : compileMapping(mapping),
    types: compileTypes(stream.types, where),
    validate: entity === undefined ? undefined : validatorOf(entity),
  };
  return async (records, variables) => {
    const page: MappedPage & { filtered: number } = { records: [], dropped: [], quarantined: [], filtered: 0, seen: [], versions: {}, cursors: [] };
    let stretch = performance.now();
    for (let at = 0; at < records.length; at += BATCH) {
      for (const made of await Promise.all(records.slice(at, at + BATCH).map((record) => mapRecord(record, variables, compiled)))) add(page, made);
      if (performance.now() - stretch < STRETCH) continue;
      await setImmediate();
      stretch = performance.now();
    }
    return page;
  };
}

type Made = { readonly key: string | undefined; readonly cursor: number | undefined } & (
  | { readonly record: MappedRecord }
  | { readonly quarantined: QuarantinedRecord }
  | { readonly dropped: true; readonly version: string | undefined });

function add(page: MappedPage & { filtered: number }, made: Made): void {
  if (made.key !== undefined) page.seen.push(made.key);
  if (made.cursor !== undefined) page.cursors.push(made.cursor);
  if ("record" in made) page.records.push(made.record);
  else if ("quarantined" in made) page.quarantined.push(made.quarantined);
  else if (made.key !== undefined) {
    page.dropped.push(made.key);
    if (made.version !== undefined) page.versions[made.key] = made.version;
  }
  else page.filtered += 1;
}

async function mapRecord(raw: unknown, variables: Variables, compiled: Compiled): Promise<Made> {
  let key: string | undefined;
  let cursor: number | undefined;
  const refuse = (code: ErrorCode, params: ErrorParams): Made =>
    ({ key, cursor, quarantined: { ...(key === undefined ? {} : { key }), code, params, reason: messageOf(code, params), raw: raw as Json } });
  let step = "key";
  try {
    const broken = unstorable(raw);
    const record = broken === undefined ? compiled.types(raw, variables) : raw;
    const parts: string[] = [];
    let missing: ErrorParams | undefined;
    for (const expression of compiled.keys) {
      const value = await expression.evaluate(record, variables);
      const part = keyPart(value);
      if (part === undefined) missing ??= { expression: expression.text, actual: showValue(value) };
      else parts.push(part);
    }
    if (missing === undefined) key = joinKey(parts);
    if (broken !== undefined) return refuse("MAPPING_RECORD", { detail: broken });

    step = "cursor";
    const instant = await compiled.cursor?.valueOf(record, variables);
    cursor = instant?.milliseconds;
    step = "where";
    if (compiled.where !== undefined && !holds(await compiled.where.evaluate(record, variables))) return { key, cursor, dropped: true, version: await versionOf(record, variables, compiled).catch(() => undefined) ?? instant?.version };
    if (missing !== undefined || key === undefined) return refuse("MAPPING_NO_KEY", missing ?? { expression: "", actual: "nothing" });

    step = "version";
    const version = compiled.version === undefined ? instant?.version : await versionOf(record, variables, compiled);
    step = "fields";
    const mapped = compiled.fields === undefined ? { value: record, problems: [] } : await compiled.fields.evaluate(record, variables);
    const [problem] = mapped.problems;
    if (problem !== undefined) {
      return problem.limit === undefined
        ? refuse("MAPPING_EVALUATION", { field: problem.field, detail: problem.message, position: problem.position })
        : refuse("MAPPING_LIMIT", { field: problem.field, limit: problem.limit });
    }
    const data = mapped.value as JsonObject;
    if (typeof data !== "object" || data === null || Array.isArray(data)) return refuse("MAPPING_RECORD", { detail: "it is no object" });
    const unfit = compiled.fields === undefined ? undefined : unstorable(data);
    if (unfit !== undefined) return refuse("MAPPING_RECORD", { detail: `after mapping, ${unfit}` });
    if (compiled.validate !== undefined && !compiled.validate(data)) return refuse("MAPPING_INVALID", { entity: compiled.entityName, detail: explainErrors(compiled.validate.errors ?? []) });
    return { key, cursor, record: { key, data, raw: raw as Json, ...(version === undefined ? {} : { version }) } };
  } catch (thrown) {
    // A bug of ours must not cost the run either, nor go unseen: it stands in the quarantine with its message.
    if (thrown instanceof PlugboardError) return refuse("MAPPING_EVALUATION", { field: step, detail: String(thrown.params["detail"] ?? thrown.message) });
    const problem = (thrown as { problem?: { limit?: string; message: string } }).problem;
    if (problem?.limit !== undefined) return refuse("MAPPING_LIMIT", { field: step, limit: problem.limit });
    return problem === undefined ? refuse("MAPPING_RECORD", { detail: (thrown as Error).message }) : refuse("MAPPING_EVALUATION", { field: step, detail: problem.message });
  }
}

const versionOf = async (record: unknown, variables: Variables, { version }: Compiled): Promise<string | undefined> => versionText(await version?.evaluate(record, variables));

function compileMapping(mapping: MappingPlan): CompiledFields {
  try {
    return compileFields(mapping.fields);
  } catch (thrown) {
    throw new PlugboardError("MAPPING_SYNTAX", { field: (thrown as { problem?: { field?: string } }).problem?.field ?? mapping.id ?? "map", detail: (thrown as Error).message }, { cause: thrown });
  }
}

/** A decimal number as text, so that every digit counts; an instant becomes seconds since the epoch. */
export function versionText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(9).replace(/\.?0+$/, "");
  if (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value)) return value;
  const instant = parseInstant(value);
  if (instant === undefined) throw new TypeError(`its version ${showValue(value)} is neither a number nor an instant`);
  return toDecimalSeconds(instant);
}

/** A worker keeps the plans it has read: their entities are compiled once, not once a run. */
const validators = new WeakMap<EntityPlan, ValidateFunction>();

/** Fields the entity does not know are refused; a tenant's own live in `custom`. */
export function validatorOf(entity: EntityPlan): ValidateFunction {
  const known = validators.get(entity);
  if (known !== undefined) return known;
  // strict: false, because entity schemas carry annotations (x-label, x-pii, rules) that say nothing about validity. That the
  // schema itself is one was checked when the workspace was: compiling the metaschema again costs more than a small run.
  const ajv = new Ajv2020({ strict: false, allErrors: true, ownProperties: true, validateSchema: false, meta: false });
  formatsPlugin.default(ajv);
  const { $id: _id, $schema: _schema, ...schema } = entity.schema;
  const closed = "additionalProperties" in schema || "unevaluatedProperties" in schema ? schema : { ...schema, unevaluatedProperties: false };
  const validate = ajv.compile(closed);
  validators.set(entity, validate);
  return validate;
}

export function explainErrors(errors: readonly ErrorObject[]): string {
  const shown = errors.slice(0, 3).map(({ instancePath, message, params }) => {
    const field = instancePath.slice(1).replaceAll("/", ".");
    const unknown = (params as Record<string, unknown>)["additionalProperty"] ?? (params as Record<string, unknown>)["unevaluatedProperty"];
    if (unknown !== undefined) return `it has no field '${field === "" ? "" : `${field}.`}${String(unknown)}'`;
    const missing = (params as Record<string, unknown>)["missingProperty"];
    if (missing !== undefined) return `'${field === "" ? "" : `${field}.`}${String(missing)}' is missing`;
    return `'${field}' ${message ?? "is not valid"}`;
  });
  return shown.join("; ") + (errors.length > 3 ? `; and ${errors.length - 3} more` : "");
}
