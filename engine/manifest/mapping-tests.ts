/** Runs the `tests` inside mappings: each record through the mapping's expressions, and what comes out against the entity. */
import type { Problem } from "../errors/plugboard-error.ts";
import { checkTemplate, compileExpression, compileFields, compileTemplate, type CompiledExpression, type CompiledTemplate } from "../expression/index.ts";
import { entitySchema, entityProblems } from "./entity-schema.ts";
import { isMap, merged } from "./merged.ts";
import { inputOf } from "./references/mapping.ts";
import { splitName } from "./references/names.ts";
import type { Json, JsonObject, Manifest, Workspace } from "./types.ts";

export interface MappingTestResult {
  readonly mapping: string;
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed; at the test's line. */
  readonly problem?: Problem;
}

/**
 * Mappings that do not compile are left out: `validateWorkspace` says why.
 * @param told what it said: with an error in the mapping or its entity, a test fails for a reason that is known.
 */
export async function runMappingTests(workspace: Workspace, told: readonly Problem[] = []): Promise<MappingTestResult[]> {
  const wrong = new Set(told.flatMap(({ severity, at }) => (severity === "error" && at ? [at.file] : [])));
  const isWrong = (layers: readonly Manifest[] = []): boolean => layers.some(({ file }) => wrong.has(file));
  const results: MappingTestResult[] = [];
  for (const [id, layers] of workspace.mappings) {
    if (isWrong(layers) || isWrong(workspace.entities.get(String(merged(layers).to)))) continue;
    for (const [depth, manifest] of layers.entries()) {
      const tests = Array.isArray(manifest.value.tests) ? manifest.value.tests : [];
      if (tests.length === 0) continue;
      // A layer's tests are of the mapping as that layer sees it, whatever is laid over it.
      const whole = merged(layers.slice(0, depth + 1));
      const map = compile(whole, id, workspace);
      if (!map) continue;
      for (const [index, test] of tests.entries()) if (isMap(test)) results.push(await runOne(id, String(whole.to), map, test, manifest, `/tests/${index}`, workspace));
    }
  }
  return results;
}

/**
 * What was told, and the tests that failed. A trap in a mapping whose tests fail has caught somebody: it is told once, as the
 * error that it is.
 */
export function withTests(told: readonly Problem[], results: readonly MappingTestResult[]): Problem[] {
  const failed = results.flatMap(({ problem }) => problem ?? []);
  const files = new Set(failed.map(({ at }) => at?.file));
  const hasCaught = ({ code, at, pointer }: Problem): boolean => code === "MANIFEST_TRAP" && files.has(at?.file) && pointer?.startsWith("/fields/") === true;
  const caught = new Set(told.filter(hasCaught).map(({ at }) => at?.file));
  return [...told.map((problem): Problem => (hasCaught(problem) ? { ...problem, severity: "error" } : problem)), ...failed.filter(({ at }) => !caught.has(at?.file))];
}

type Outcome = { readonly filtered: true } | { readonly value: JsonObject } | { readonly error: { readonly code: string; readonly at: string; readonly detail: string } };
type Mapped = (record: Json, variables: Readonly<Record<string, unknown>>) => Promise<Outcome>;

type Source = { expression: string } | { constant: number | boolean } | { ref: string; key: string };

function compile(mapping: JsonObject, id: string, workspace: Workspace): Mapped | undefined {
  const fields: Record<string, Source> = {};
  const templates: { field: string; template: CompiledTemplate }[] = [];
  for (const [name, field] of Object.entries(isMap(mapping.fields) ? mapping.fields : {})) {
    if (typeof field === "string") fields[name] = { expression: bare(field) };
    else if (typeof field === "number" || typeof field === "boolean") fields[name] = { constant: field };
    else if (isMap(field) && typeof field.ref === "string") fields[name] = { ref: field.ref, key: bare(String(field.key)) };
    else if (isMap(field) && typeof field.template === "string") {
      const text = workspace.attachments.get(["mappings", ...id.split("/").slice(0, -1), field.template].join("/"));
      if (text === undefined || checkTemplate(text).length > 0) return undefined;
      templates.push({ field: name, template: compileTemplate(text, field.template.endsWith(".html.hbs") ? "html" : "text") });
    } else if (field !== null) return undefined;
  }
  let where: CompiledExpression | undefined;
  let compiled: ReturnType<typeof compileFields>;
  try {
    where = mapping.where === undefined ? undefined : compileExpression(`$boolean(${bare(String(mapping.where))}\n)`);
    compiled = compileFields(fields);
  } catch {
    return undefined;
  }
  return async (record, variables) => {
    try {
      if (where && (await where.evaluate(record, variables)) !== true) return { filtered: true };
    } catch (thrown) {
      return { error: { code: "MAPPING_EVALUATION", at: "where", detail: (thrown as Error).message } };
    }
    const { value, problems } = await compiled.evaluate(record, variables);
    const [problem] = problems;
    if (problem) return { error: { code: problem.code === "LIMIT" ? "MAPPING_LIMIT" : "MAPPING_EVALUATION", at: `fields.${problem.field}`, detail: `fields.${problem.field}: ${problem.message}` } };
    const made = value as Record<string, Json>;
    for (const { field, template } of templates) {
      try {
        const text = template.render({ ...(isMap(record) ? record : {}), ...variables, record });
        if (text !== undefined) made[field] = text;
      } catch (thrown) {
        return { error: { code: "MAPPING_EVALUATION", at: `fields.${field}`, detail: `fields.${field}: ${(thrown as Error).message}` } };
      }
    }
    return { value: made };
  };
}

async function runOne(mapping: string, entity: string, map: Mapped, test: JsonObject, manifest: Manifest, pointer: string, workspace: Workspace): Promise<MappingTestResult> {
  const name = String(test.name ?? pointer);
  const outcome = await withEntity(await map(test.given ?? null, isMap(test.with) ? test.with : {}), entity, workspace);
  const found = failureOf(test, outcome);
  if (!found) return { mapping, name, passed: true };
  const at = found.member === undefined ? pointer : `${pointer}/${found.member}`;
  return { mapping, name, passed: false, problem: { code: "MANIFEST_TEST_FAILED", severity: "error", params: { name, detail: found.detail }, at: manifest.locate(at, found.member === undefined ? "value" : "key"), pointer: at } };
}

/** What comes out against what the mapping makes: an entity, or the input of an action. */
function withEntity(outcome: Outcome, entity: string, workspace: Workspace): Outcome {
  if (!("value" in outcome)) return outcome;
  const action = splitName(entity);
  const input = action && inputOf(action, workspace);
  const schema = action ? input && { type: "object", properties: Object.fromEntries(input), additionalProperties: false } : entitySchema(entity, workspace);
  const [problem] = schema ? entityProblems(schema, outcome.value) : [];
  return problem ? { error: { code: "MAPPING_INVALID", at: problem.field === "" ? "fields" : `fields.${problem.field}`, detail: `not a valid ${action ? `input of ${entity}` : entity}: ${problem.detail}` } } : outcome;
}

function failureOf(test: JsonObject, outcome: Outcome): { detail: string; member?: string } | undefined {
  const wantsError = isMap(test.error) ? test.error : undefined;
  if (wantsError) {
    if (!("error" in outcome)) return { detail: `it should be refused with ${String(wantsError.code)}, but it ${"filtered" in outcome ? "was dropped by `where`" : "was mapped"}`, member: "error" };
    if (outcome.error.code !== wantsError.code || (wantsError.at !== undefined && outcome.error.at !== wantsError.at)) return { detail: `it should be refused with ${[wantsError.code, wantsError.at].filter(Boolean).join(" at ")}, but was with ${outcome.error.code} at ${outcome.error.at}`, member: "error" };
    return undefined;
  }
  if ("error" in outcome) return { detail: outcome.error.detail };
  if (test.filtered === true) return "filtered" in outcome ? undefined : { detail: "`where` should drop the record, but it was mapped", member: "filtered" };
  if ("filtered" in outcome) return { detail: "the record was dropped by `where`" };
  if (test.expect === undefined) return undefined;
  const differences = differ(test.expect, outcome.value, "");
  return differences.length === 0 ? undefined : { detail: differences.join("; "), member: "expect" };
}

/** Every difference in words: `size: expected "sme", got nothing`. */
function differ(expected: Json, actual: Json | undefined, path: string): string[] {
  if (isMap(expected) && isMap(actual)) {
    return [...new Set([...Object.keys(expected), ...Object.keys(actual)])].flatMap((key) => {
      const at = path === "" ? key : `${path}.${key}`;
      if (!(key in expected)) return [`${at}: expected nothing, got ${show(actual[key])}`];
      return differ(expected[key]!, actual[key], at);
    });
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) return expected.flatMap((each, index) => differ(each as Json, actual[index] as Json, `${path}[${index}]`));
  return expected === actual ? [] : [`${path}: expected ${show(expected)}, got ${show(actual)}`];
}

const show = (value: Json | undefined): string => (value === undefined ? "nothing" : JSON.stringify(value));
const bare = (text: string): string => text.replace(/^\s*=/, "");
