/**
 * What a change of a row means for one change flow: whether it fires, and the input it makes. Compiled once per flow of a plan.
 *
 * A reference in a row is the other row's key at its origin. Where a mapping looks through one (`candidate.email`), the row it means
 * takes its place before the mapping sees it; one that is not there yet is named, and the delivery waits for it.
 */
import { holds } from "../components/shared/answer-variables.ts";
import type { Variables } from "../components/kinds.ts";
import { type ErrorParams, messageOf, PlugboardError } from "../errors/plugboard-error.ts";
import type { ErrorCode } from "../errors/catalog.ts";
import { compileFields, type CompiledTemplate, pathsOf } from "../expression/index.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { ChangeFlowPlan, FieldPlan, MappingPlan, TenantPlan } from "../plan/types.ts";
import { compileAt, compileValue, templateAt } from "./build-context.ts";

/** A row before or after a change, with what is not a field of it. */
export interface RowState { readonly id: string; readonly data: JsonObject; readonly links: Readonly<Record<string, string>> }

export interface ChangeSeen { readonly id: string; readonly before?: JsonObject; readonly after?: JsonObject; readonly links: Readonly<Record<string, string>> }

/** The row of an entity that has this key at one of these connections, which are asked in their order. */
export type FindRow = (entity: string, key: string, connections: readonly string[]) => Promise<RowState | undefined>;

export type MappedChange =
  | { readonly input: JsonObject }
  /** A reference that the mapping looks through means no row we have. */
  | { readonly missing: { readonly field: string; readonly entity: string; readonly key: string } }
  | { readonly failed: { readonly code: ErrorCode; readonly params: ErrorParams; readonly reason: string } };

/** `value`: what the mapping and templates see, by the minted value's name. */
export interface MintedValue { readonly name: string; readonly kind: string; readonly about?: string; readonly validSeconds?: number }

export interface CompiledChangeFlow {
  readonly plan: ChangeFlowPlan;
  /** @returns why not, as a code, when an expression failed: it fires, and is told as failed. */
  fires(change: ChangeSeen): Promise<boolean | { readonly code: ErrorCode; readonly params: ErrorParams; readonly reason: string }>;
  /** What is to be made once for each delivery. */
  mints(change: ChangeSeen): Promise<readonly MintedValue[]>;
  /** Without a mapping the row itself is the input. */
  map(change: ChangeSeen, minted: Readonly<Record<string, string>>, find: FindRow): Promise<MappedChange>;
  /** What would be sent if the row said this: for comparing with what a connection has. Undefined where that cannot be told. */
  inputOf(state: RowState, find: FindRow): Promise<JsonObject | undefined>;
  /** Fields of the row that the mapping reads; undefined: any. */
  readonly reads: readonly string[] | undefined;
}

/** Longest chain of references that is followed. */
const DEEPEST = 5;

/** @throws PlugboardError MANIFEST_EXPRESSION, MAPPING_SYNTAX; `validate` finds both earlier. */
export function compileChangeFlow(plan: ChangeFlowPlan, tenant: TenantPlan): CompiledChangeFlow {
  const at = `flows.${plan.name}`;
  const becomes = plan.becomes === undefined ? undefined : compileAt(plan.becomes, `${at}.becomes`);
  const when = plan.when === undefined ? undefined : compileAt(plan.when, `${at}.when`);
  const where = plan.map?.where === undefined ? undefined : compileAt(plan.map.where, `${at}.map.where`);
  const references = referencesOf(tenant);
  const mapping = plan.map && compileMapping(plan.map, references[plan.entity] ?? {});
  const mints = Object.entries(plan.mint).map(([name, { token, about, valid_seconds }]) =>
    ({ name, kind: token, about: about === undefined ? undefined : compileValue(about, "text", `${at}.mint.${name}.about`), validSeconds: valid_seconds }));
  const fixed = { tenant: tenant.tenant, inputs: tenant.inputs };
  const paths = plan.map === undefined ? [] : readPaths(plan.map);

  const variablesOf = (change: ChangeSeen): Variables => {
    const [before, after] = [change.before, change.after].map((data) => data && recordOf({ ...change, data }));
    return { ...fixed, record: after ?? before, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  };
  async function map(state: RowState, variables: Variables, minted: Readonly<Record<string, string>>, find: FindRow): Promise<MappedChange> {
    if (mapping === undefined) return { input: state.data };
    const record = recordOf(state);
    const rows = remembered(find);
    const input: Record<string, Json> = {};
    for (const part of mapping) {
      const followed = await follow(record, plan.entity, part.through, references, state.links, rows);
      if ("missing" in followed) return followed;
      const bindings = { ...variables, ...minted, record: followed.record };
      const made = await part.make(followed.record, bindings);
      if ("failed" in made) return made;
      mergeInto(input, made.value);
    }
    return { input };
  }

  return {
    plan,
    reads: plan.map === undefined || paths.some((path) => path.length === 0) ? undefined : [...new Set(paths.map(([head]) => head!))],
    async fires(change) {
      // What ends a row concerns a save, which deletes; and whoever filters by `when` or listens.
      if (change.after === undefined && (becomes !== undefined || (when === undefined && "action" in plan.to))) return false;
      const variables = variablesOf(change);
      let step = "becomes";
      try {
        if (becomes !== undefined) {
          if (!holds(await becomes.evaluate(variables["after"], variables))) return false;
          const before = variables["before"];
          const held = before !== undefined && await (async () => becomes.evaluate(before, variables))().then(holds, () => false);
          if (held) return false;
        }
        step = "when";
        if (when !== undefined && !holds(await when.evaluate({ ...(variables["record"] as JsonObject), ...variables }, variables))) return false;
        step = "where";
        return where === undefined || change.after === undefined || holds(await where.evaluate(variables["after"], variables));
      } catch (thrown) {
        return failedAt(step, thrown);
      }
    },
    async mints(change) {
      const variables = variablesOf(change);
      return Promise.all(mints.map(async ({ name, kind, about, validSeconds }) => {
        const said = await about?.(variables);
        return { name, kind, ...(said === undefined || said === null ? {} : { about: String(said) }), ...(validSeconds === undefined ? {} : { validSeconds }) };
      }));
    },
    map: (change, minted, find) => map({ id: change.id, data: change.after ?? change.before ?? {}, links: change.links }, variablesOf(change), minted, find),
    async inputOf(state, find) {
      const made = await map(state, { ...fixed, record: recordOf(state), after: recordOf(state) }, {}, find);
      return "input" in made ? made.input : undefined;
    },
  };
}

/** A row as expressions see it: its fields, its id, its keys at each connection. */
const recordOf = ({ id, data, links }: RowState): JsonObject => ({ ...data, id, links: { ...links } });

/** Fields, or a template, that look through the same references: everything else sees the reference itself. */
interface MappingPart {
  /** Paths through references, from the row. */
  readonly through: readonly (readonly string[])[];
  make(record: JsonObject, bindings: Variables): Promise<{ readonly value: Readonly<Record<string, Json>> } | { readonly failed: { readonly code: ErrorCode; readonly params: ErrorParams; readonly reason: string } }>;
}

/** @param references of the entity: field → the entity it means. */
function compileMapping(mapping: MappingPlan, references: Readonly<Record<string, string>>): MappingPart[] {
  const throughOf = (paths: readonly (readonly string[])[]) => paths.filter((path) => path.length > 1 && references[path[0]!] !== undefined);
  const [plain, following] = [{} as Record<string, FieldPlan>, {} as Record<string, FieldPlan>];
  for (const [name, field] of Object.entries(mapping.fields)) (throughOf(readsOfField(field)).length > 0 ? following : plain)[name] = field;
  try {
    return [
      ...(Object.keys(plain).length > 0 ? [{ through: [], make: fieldsOf(plain) }] : []),
      ...Object.entries(following).map(([name, field]) => ({ through: throughOf(readsOfField(field)), make: fieldsOf({ [name]: field }) })),
      ...Object.entries(mapping.templates ?? {}).map(([field, { file, text }]) => {
        const template = templateAt(text, file.endsWith(".html.hbs") ? "html" : "text", `${mapping.id ?? "map"}.fields.${field}`);
        return { through: throughOf(template.reads.map((path) => (path[0] === "record" ? path.slice(1) : path))), make: rendered(field, template) };
      }),
    ];
  } catch (thrown) {
    if (thrown instanceof PlugboardError) throw thrown;
    throw new PlugboardError("MAPPING_SYNTAX", { field: (thrown as { problem?: { field?: string } }).problem?.field ?? mapping.id ?? "map", detail: (thrown as Error).message }, { cause: thrown });
  }
}

function fieldsOf(fields: Readonly<Record<string, FieldPlan>>): MappingPart["make"] {
  const compiled = compileFields(fields);
  return async (record, bindings) => {
    const { value, problems } = await compiled.evaluate(record, bindings);
    const [problem] = problems;
    if (problem === undefined) return { value: value as Record<string, Json> };
    const [code, params]: [ErrorCode, ErrorParams] = problem.limit === undefined
      ? ["MAPPING_EVALUATION", { field: problem.field, detail: problem.message, position: problem.position }] : ["MAPPING_LIMIT", { field: problem.field, limit: problem.limit }];
    return { failed: { code, params, reason: messageOf(code, params) } };
  };
}

const rendered = (field: string, template: CompiledTemplate): MappingPart["make"] => async (record, bindings) => {
  try {
    const text = template.render({ ...record, ...bindings });
    return { value: text === undefined ? {} : { [field]: text } };
  } catch (thrown) {
    return { failed: failedAt(field, thrown) };
  }
};

function failedAt(field: string, thrown: unknown) {
  const params = { field, detail: (thrown as { problem?: { message: string } }).problem?.message ?? (thrown as Error).message };
  return { code: "MAPPING_EVALUATION", params, reason: messageOf("MAPPING_EVALUATION", params) } as const;
}

/** `custom.a` and `custom.b` may come from different parts. */
function mergeInto(target: Record<string, Json>, value: Readonly<Record<string, Json>>): void {
  for (const [name, member] of Object.entries(value)) {
    const there = target[name];
    if (isMap(there) && isMap(member)) mergeInto(target[name] = { ...there }, member);
    else target[name] = member;
  }
}

const isMap = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Each row is looked for once, however many fields look through the reference to it. */
function remembered(find: FindRow): FindRow {
  const found = new Map<string, Promise<RowState | undefined>>();
  return (entity, key, connections) => {
    const name = JSON.stringify([entity, key, connections]);
    const row = found.get(name) ?? find(entity, key, connections);
    found.set(name, row);
    return row;
  };
}

/** Through `$record` and `$after` a mapping reads the row as well. */
function readsOfField(field: FieldPlan): (readonly string[])[] {
  const text = "expression" in field ? field.expression : "ref" in field ? field.key : "";
  if (text === "") return [];
  return [...pathsOf(text), ...[...text.matchAll(/\$(?:record|after|before)((?:\.[A-Za-z_]\w*)*)/g)].map(([, path]) => path!.split(".").slice(1))];
}

/** Paths of the row that the mapping reads; `[]` among them: all of it. */
function readPaths(mapping: MappingPlan): (readonly string[])[] {
  return [...Object.values(mapping.fields).flatMap(readsOfField), ...Object.values(mapping.templates ?? {}).flatMap(({ text }) => templateAt(text, "text", mapping.id ?? "map").reads.map((path) => (path[0] === "record" ? path.slice(1) : path)))];
}

/** Entity → field → the entity that a reference there means, as the flows that fill it say. */
type References = Readonly<Record<string, Readonly<Record<string, string>>>>;

const known = new WeakMap<TenantPlan, References>();

function referencesOf(plan: TenantPlan): References {
  const made = known.get(plan);
  if (made !== undefined) return made;
  const references: Record<string, Record<string, string>> = {};
  for (const flow of Object.values(plan.flows)) {
    for (const [name, field] of Object.entries(flow.map?.fields ?? {})) if ("ref" in field) (references[flow.to.entity] ??= {})[name] = field.ref;
  }
  for (const [entity, { schema }] of Object.entries(plan.entities)) {
    // `x-ref: candidate`: the entity says it of its field itself.
    for (const [name, field] of Object.entries((schema["properties"] ?? {}) as JsonObject)) {
      const target = (field as JsonObject | null)?.["x-ref"];
      if (typeof target === "string") (references[entity] ??= {})[name] ??= target;
    }
    // Of entities that say which of their fields are references: `rules: { known: { reference: { candidate: candidate } } }`.
    for (const rule of Object.values((schema["rules"] ?? {}) as JsonObject)) {
      for (const [name, target] of Object.entries((rule as JsonObject | null)?.["reference"] as JsonObject | undefined ?? {})) if (typeof target === "string") (references[entity] ??= {})[name] ??= target;
    }
  }
  known.set(plan, references);
  return references;
}

type Followed = { readonly record: JsonObject } | { readonly missing: { readonly field: string; readonly entity: string; readonly key: string } };

async function follow(record: JsonObject, entity: string, paths: readonly (readonly string[])[], references: References, links: Readonly<Record<string, string>>, find: FindRow, depth = 0): Promise<Followed> {
  const through = Map.groupBy(paths.filter((path) => path.length > 1 && references[entity]?.[path[0]!] !== undefined), ([head]) => head!);
  let followed = record;
  for (const [field, beyond] of through) {
    const key = record[field];
    if (typeof key !== "string" || key === "") continue;     // absent: the path is absent too
    const target = references[entity]![field]!;
    const found = await find(target, key, Object.keys(links));
    if (found === undefined) return { missing: { field, entity: target, key } };
    const inner = depth >= DEEPEST ? { record: recordOf(found) } : await follow(recordOf(found), target, beyond.map((path) => path.slice(1)), references, found.links, find, depth + 1);
    if ("missing" in inner) return inner;
    followed = { ...followed, [field]: inner.record };
  }
  return { record: followed };
}
