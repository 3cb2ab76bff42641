/** Lints of a whole mapping: each field against its target, required fields that nobody maps, and the rule that chooses records. */
import { nearest } from "../../errors/nearest.ts";
import { parse, walk, type Node } from "../syntax/index.ts";
import type { FieldSource } from "../expression.ts";
import { typeOfSchema, type Schema } from "./from-schema.ts";
import { withExcerpts, withSamples } from "./from-samples.ts";
import { inferTree, neverTrue } from "./infer.ts";
import { lint, type Lint } from "./lint.ts";
import { pathOf } from "./narrow.ts";
import { signatureOf } from "./signatures.ts";
import { checkTarget } from "./target.ts";
import { ABSENT, NUMBER, STRING, UNKNOWN, memberOf, union, type Type } from "./type.ts";

/** A mapping as it is written; expressions without a leading `=`. */
export interface MappingText {
  readonly where?: string;
  /** Target field (dotted: `custom.division`) → how it is made. */
  readonly fields: Readonly<Record<string, FieldSource>>;
}

export interface MappingLint extends Lint {
  /** Which text the offsets are of: `where`, `fields.name`, or `fields` for one that is missing. */
  readonly at: string;
}

export interface LintOptions {
  /** Records that were seen: they add what the schema does not say. */
  readonly samples?: readonly unknown[];
  /** Records as tests write them, cut down to what they need: they add fields and types, and no claim that a field can be absent. */
  readonly excerpts?: readonly unknown[];
  /** Types of `$config`, `$account` …, by name without `$`. */
  readonly variables?: Readonly<Record<string, Type>>;
  /** Target fields that records are found by, and so must be the same at every run. */
  readonly keys?: readonly string[];
}

/**
 * Lints every field of a mapping. Fields that do not parse have none: `parse` says what is wrong with them.
 * @param source JSON Schema of the record; undefined when the connector ships none.
 * @param target JSON Schema of the entity, or of an action's input; undefined when there is none.
 */
export function lintMapping(mapping: MappingText, source: Schema | undefined, target: Schema | undefined, options: LintOptions = {}): MappingLint[] {
  const linter = mappingLinter(mapping.where, source, target, options);
  const at = (place: string, lints: readonly Lint[]): MappingLint[] => lints.map((one) => ({ ...one, at: place }));
  return [...at("where", linter.where), ...Object.entries(mapping.fields).flatMap(([name, field]) => at(`fields.${name}`, linter.field(name, field))), ...at("fields", linter.missing(mapping))];
}

export interface MappingLinter {
  readonly where: readonly Lint[];
  /** Of one field: what the others say does not matter to it. */
  field(name: string, written: FieldSource): readonly Lint[];
  missing(mapping: MappingText): readonly Lint[];
}

/** `lintMapping` in parts, for an editor: what a field says is judged again when it changes, and not with every other one. */
export function mappingLinter(rule: string | undefined, source: Schema | undefined, target: Schema | undefined, options: LintOptions = {}): MappingLinter {
  const declared = source === undefined ? ANY_RECORD : typeOfSchema(source);
  const record = withExcerpts(withSamples(declared, options.samples ?? []), options.excerpts ?? []);
  const entity = target === undefined ? UNKNOWN : typeOfSchema(target);
  const variables = options.variables ?? {};
  const ofWhere: Lint[] = [];

  let where = rule === undefined ? undefined : parsed(rule);
  if (where) {
    const inferred = inferTree(where, record, { variables });
    ofWhere.push(...inferred.lints);
    if (neverTrue(inferred.type)) {
      ofWhere.push(lint("LINT_NEVER_TRUE", where, { when: ": no record is kept" }, "error"));
      // Of a record that cannot be there nothing could be said: the fields are judged as if all were kept.
      where = undefined;
    }
  }
  const given = where;
  return {
    where: ofWhere,
    field(name, written) {
      const text = "expression" in written ? written.expression : "key" in written ? written.key : JSON.stringify(written.constant);
      const root = parsed(text);
      if (!root) return [];
      const inferred = inferTree(root, record, { variables, ...(given ? { given } : {}) });
      const { type, required } = targetOf(entity, name);
      const isReference = "key" in written;
      // A constant stands in YAML, not in an expression: it has no place inside.
      const found = [...inferred.lints, ...checkTarget(root, inferred, isReference ? KEY : type, { name, required })].filter((one) => !isSettledByWhere(one, root, given));
      return [...found, ...(isReference || options.keys?.includes(name) ? lintKey(root) : [])].toSorted((left, right) => left.start - right.start);
    },
    missing: (mapping) => requiredUnmapped(entity, mapping, record),
  };
}

/** A record is an object, whatever is in it. */
const ANY_RECORD: Type = { object: { members: new Map(), rest: UNKNOWN } };

/** A key of another row: text or a number. */
const KEY: Type = union(STRING, NUMBER, { null: true });

/**
 * `where: email or phone` says that one of the two is there, which no type says of either. A field that reads both is taken to
 * know that.
 */
function isSettledByWhere(one: Lint, field: Node, where: Node | undefined): boolean {
  if (!where || !(one.code === "LINT_POSSIBLY_ABSENT" || (one.code === "LINT_WRONG_TYPE" && /^null\b/.test(String(one.params.actual))))) return false;
  const read = pathsIn(field);
  let settled = false;
  walk(where, (node) => {
    if (node.kind === "binary" && node.operator === "or") settled ||= [...pathsIn(node)].filter((path) => read.has(path)).length > 1;
  });
  return settled;
}

function pathsIn(root: Node): Set<string> {
  const paths = new Set<string>();
  walk(root, (node) => {
    const path = pathOf(node);
    if (path && path.steps.length > 0) paths.add(path.steps.join("."));
    return path === undefined;
  });
  return paths;
}

/** Lints of a key: what differs at every run finds nothing again. */
export function lintKey(key: Node | string): Lint[] {
  const root = typeof key === "string" ? parsed(key) : key;
  const lints: Lint[] = [];
  if (!root) return lints;
  walk(root, (node) => {
    if (node.kind !== "call" || node.callee.kind !== "variable" || !signatureOf(node.callee.name)?.isRandom) return;
    lints.push(lint("LINT_UNSTABLE_KEY", node, { name: node.callee.name }, "error"));
  });
  return lints;
}

/**
 * Lints of a rule of a change flow: `becomes` sees the row, `when` also `before` and `after`. A row that is new has no `before`,
 * and every comparison with what is absent is false.
 */
export function lintRule(rule: string, row: Schema | undefined): Lint[] {
  const root = parsed(rule);
  if (!root) return [];
  const after = row === undefined ? UNKNOWN : typeOfSchema(row);
  const over = (before: Type) => {
    const members = new Map([...(after.object?.members ?? []), ["before", before] as const, ["after", after] as const]);
    const source: Type = { object: { members, ...(after.object && !after.object.rest ? {} : { rest: UNKNOWN }) } };
    return inferTree(root, source, { variables: { before, after } });
  };
  const changed = over(union(after, ABSENT));
  if (neverTrue(changed.type)) return [...changed.lints, lint("LINT_NEVER_TRUE", root, { when: "" }, "error")];
  if (!asksWhatBeforeIsNot(root) || !neverTrue(over(ABSENT).type)) return [...changed.lints];
  return [...changed.lints, lint("LINT_NEVER_TRUE", root, { when: " for a new row: it has no 'before', and a comparison with nothing is false", suggestion: "Ask $not(before.x = …) instead of before.x != …, or use becomes." })];
}

/** `before.status = "open"` asks for rows that were there, and means it; `before.status != "won"` is meant to hold for new ones too. */
function asksWhatBeforeIsNot(rule: Node): boolean {
  let asks = false;
  walk(rule, (node) => {
    if (node.kind !== "binary" || node.operator !== "!=") return;
    asks ||= [node.left, node.right].some((operand) => { const path = pathOf(operand); return path !== undefined && (typeof path.from === "object" ? path.from.variable : path.steps[0]) === "before"; });
  });
  return asks;
}

function parsed(text: string): Node | undefined {
  const { tree, problems } = parse(text);
  return problems.length > 0 ? undefined : tree.root;
}

function targetOf(entity: Type, name: string): { type: Type; required: boolean } {
  let type = entity;
  let required = true;
  for (const part of name.split(".")) {
    if (!type.object) return { type: UNKNOWN, required: false };
    const member = memberOf(type.object, part) ?? UNKNOWN;
    required &&= !member.absent && !member.unknown;
    type = member;
  }
  return { type, required };
}

function requiredUnmapped(entity: Type, mapping: MappingText, record: Type): Lint[] {
  if (!entity.object) return [];
  const mapped = new Set(Object.keys(mapping.fields).map((name) => name.split(".")[0]));
  const missing = [...entity.object.members].filter(([name, type]) => !type.absent && !type.unknown && !mapped.has(name));
  return missing.map(([name]) => {
    const path = nearestPath(name, record);
    return lint("LINT_REQUIRED_UNMAPPED", { start: 0, end: 0 }, { field: name, suggestion: path === undefined ? "" : `Add it: ${name}: ${path}` }, "error");
  });
}

/** The path of the source whose last name is nearest to a target's. */
function nearestPath(name: string, record: Type): string | undefined {
  const paths = new Map<string, string>();
  const collect = (type: Type, above: string, depth: number): void => {
    for (const [member, inner] of type.object?.members ?? []) {
      const path = above === "" ? member : `${above}.${member}`;
      if (!paths.has(member)) paths.set(member, path);
      if (depth > 0) collect(inner, path, depth - 1);
    }
  };
  collect(record, "", 2);
  const near = nearest(name, paths.keys());
  return near === undefined ? undefined : paths.get(near);
}
