/**
 * What the parts of the editor share: both trees, the sample, the fields as they are now, and what is known of each. A field whose
 * text, target and sample stay the same stays the same object, whatever happens to the fields beside it: a letter typed costs
 * what one field costs, in a mapping of any size.
 */
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo, useRef } from "react";
import { compileExpression, type CompiledExpression } from "../../engine/expression/index.ts";
import { parse, type Tree } from "../../engine/expression/syntax/index.ts";
import { describe, inferType, mappingLinter, typeOfSamples, typeOfSchema, withSamples, type MappingLinter, type Schema } from "../../engine/expression/types-of/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import type { FieldText, State } from "./edits.ts";
import { readGraph } from "./graph/read-graph.ts";
import type { Graph } from "./graph/types.ts";
import type { NodeValue } from "./graph/values.ts";
import { flat, sourceTree, targetTree, withUnseen, type SourceField, type TargetField } from "./trees.ts";

export interface FieldProblem { readonly severity: string; readonly message: string; readonly code: string; readonly position?: number | undefined }

export interface FieldState {
  readonly target: TargetField;
  /** Null: nothing makes it. */
  readonly text: string | null;
  readonly constant?: unknown;
  readonly ref: string | null;
  readonly tree: Tree | undefined;
  readonly graph: Graph | undefined;
  readonly value: NodeValue;
  readonly problems: readonly FieldProblem[];
  /** Dotted paths of the record that it reads. */
  readonly reads: readonly string[];
  readonly changed: boolean;
}

export interface MappingView {
  readonly sources: readonly SourceField[];
  readonly fields: readonly FieldState[];
  readonly record: unknown;
  /** Share of all expressions that has a picture. */
  readonly coverage: number;
  /** What an expression gives, in words. */
  typeOf(text: string): string;
}

export interface ViewOptions {
  readonly base: State;
  readonly now: State;
  readonly recordSchema: JsonObject | null;
  readonly entitySchema: JsonObject | null;
  readonly record: unknown;
  readonly samples: readonly unknown[];
  /** Source fields that somebody named and nobody has seen. */
  readonly unseen: readonly (readonly string[])[];
}

export function useMappingView({ base, now, recordSchema, entitySchema, record, samples, unseen }: ViewOptions): MappingView {
  const known = useMemo(() => sourceTree(recordSchema, record), [recordSchema, record]);
  const declared = useMemo(() => targetTree(entitySchema, []), [entitySchema]);
  const own = Object.keys(now.fields).filter((field) => !declared.some((target) => target.field === field)).join("\n");
  const targets = useMemo(() => (own === "" ? declared : [...declared, ...targetTree(null, own.split("\n"))]), [declared, own]);
  const typeOf = useMemo(() => {
    const record = recordSchema ? withSamples(typeOfSchema(recordSchema as Schema), samples) : typeOfSamples(samples);
    return (text: string): string => safely(() => describe(inferType(text, record).type), "");
  }, [recordSchema, samples]);
  // Which records are kept bears on every field: judged once it is written, not at every letter.
  const [where] = useDebouncedValue(now.where, 300);
  const judged = useMemo(() => judgeOf(where, recordSchema, entitySchema, samples), [where, recordSchema, entitySchema, samples]);
  const valueOf = useMemo(() => remembered((text) => evaluated(text, record)), [record]);
  const before = useRef(new Map<string, Made>());

  const fields = useMemo(() => {
    const made = (target: TargetField, written: FieldText | undefined, saved: FieldText | undefined): FieldState => {
      const text = (written?.expression ?? "").trim() === "" ? null : written!.expression;
      const constant = written?.constant;
      const shared = { target, text, ref: written?.ref ?? null, changed: saved !== written && said(saved) !== said(written), ...(constant === undefined ? {} : { constant }) };
      if (text === null) return { ...shared, tree: undefined, graph: undefined, reads: NONE, value: constant === undefined ? ABSENT : { value: constant }, problems: target.required && written === undefined ? MISSING : NONE };
      const { problems, ...read } = readingOf(text);
      const value = valueOf(text);
      return { ...shared, ...read, value, problems: judged(target.field, shared.ref, text, problems, value) };
    };
    const all = targets.map((target): Made => {
      const old = before.current.get(target.field);
      const from = [target, now.fields[target.field], base.fields[target.field], judged, valueOf] as const;
      if (old !== undefined && from.every((part, index) => part === old.from[index])) return old;
      const state = made(from[0], from[1], from[2]);
      return { from, state: old !== undefined && isSame(old.state, state) ? old.state : state };
    });
    before.current = new Map(all.map((each) => [each.state.target.field, each]));
    return all.map(({ state }) => state);
  }, [now.fields, base.fields, targets, judged, valueOf]);

  // A path that is being typed is another one at every letter: it is taken for a field once the hand rests.
  const paths = useMemo(() => new Set(flat(known).map(({ path }) => path.join("."))), [known]);
  const [read] = useDebouncedValue(fields.flatMap(({ reads }) => reads.filter((path) => !paths.has(path))).join("\n"), 300);
  const beyond = [...unseen.map((path) => path.join(".")), ...read.split("\n")].filter((path) => path !== "" && !paths.has(path)).join("\n");
  const sources = useMemo(() => withUnseen(known, beyond === "" ? [] : beyond.split("\n").map((path) => path.split("."))), [known, beyond]);
  return useMemo(() => {
    const written = fields.filter(({ text }) => text !== null);
    const length = written.reduce((sum, { text }) => sum + text!.length, 0);
    return { sources, fields, record, typeOf, coverage: length === 0 ? 1 : written.reduce((sum, { text, graph }) => sum + (graph?.coverage ?? 0) * text!.length, 0) / length };
  }, [sources, fields, record, typeOf]);
}

/** A field, and what it was made from. */
interface Made { readonly from: readonly unknown[]; readonly state: FieldState }

const ABSENT: NodeValue = { absent: true };
const NONE: readonly never[] = [];
const MISSING: readonly FieldProblem[] = [{ severity: "error", code: "REQUIRED", message: "Required, and nothing makes it." }];

const said = (field: FieldText | undefined): string => (field === undefined ? "" : JSON.stringify([field.expression || undefined, field.constant, field.ref]));

/** Everything a field consists of is remembered by its text, so that the parts of what did not change are the same ones. */
const isSame = (a: FieldState, b: FieldState): boolean => a.target === b.target && a.text === b.text && a.constant === b.constant && a.ref === b.ref && a.graph === b.graph && isSameProblems(a.problems, b.problems) && a.changed === b.changed && (a.value === b.value || a.text === null);

const isSameProblems = (a: FieldState["problems"], b: FieldState["problems"]): boolean => a === b || (a.length === b.length && a.every(({ code, message, position }, index) => code === b[index]!.code && message === b[index]!.message && position === b[index]!.position));

/** What was worked out once for a text is that. Forgotten as a whole when it is much: typing makes a text per letter. */
function remembered<Result>(work: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, { readonly is: Result }>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(text, found = { is: work(text) });
    }
    return found.is;
  };
}
const MOST_REMEMBERED = 4000;

type Reading = Pick<FieldState, "tree" | "graph" | "reads" | "problems">;

/** What a text says by itself, without a record or a schema. */
const readingOf = remembered((text): Reading => {
  const { tree, problems } = parse(text);
  if (problems.length > 0) return { tree: undefined, graph: undefined, reads: NONE, problems: problems.map(({ message, start }) => ({ severity: "error", code: "SYNTAX", message, position: start })) };
  const graph = readGraph(tree);
  return { tree, graph, problems: NONE, reads: graph.nodes.filter(({ kind, root }) => kind === "source" && root === "record").map(({ path }) => path!.map((step) => step.replace(/\[-?\d+\]$/, "")).join(".")) };
});

const compiledOf = remembered((text): CompiledExpression | Error => { try { return compileExpression(text); } catch (thrown) { return thrown as Error; } });

function evaluated(text: string, record: unknown): NodeValue {
  const compiled = compiledOf(text);
  if (compiled instanceof Error) return { problem: compiled.message };
  try {
    const value = compiled.evaluate(record);
    return value === undefined ? ABSENT : { value };
  } catch (thrown) {
    return { problem: (thrown as Error).message };
  }
}

/** What is wrong with a field: of its text, of its value for the sample, and of its type. */
function judgeOf(where: string | null, recordSchema: JsonObject | null, entitySchema: JsonObject | null, samples: readonly unknown[]): (field: string, ref: string | null, text: string, syntax: readonly FieldProblem[], value: NodeValue) => readonly FieldProblem[] {
  const linter = safely((): MappingLinter | undefined => mappingLinter(where ?? undefined, recordSchema as Schema | undefined ?? undefined, entitySchema as Schema | undefined ?? undefined, { samples }), undefined);
  const known = new Map<string, { readonly value: NodeValue; readonly problems: readonly FieldProblem[] }>();
  return (field, ref, text, syntax, value) => {
    const key = `${field}\n${ref ?? ""}\n${text}`;
    const old = known.get(key);
    if (old?.value === value) return old.problems;
    const lints = safely(() => linter?.field(field, ref === null ? { expression: text } : { ref, key: text }) ?? NONE, NONE);
    const problems = [...syntax, ...("problem" in value && syntax.length === 0 ? [{ severity: "error", code: "EVALUATION", message: value.problem }] : []), ...lints.map(({ severity, code, message, hint, start }) => ({ severity, code, message: [message, hint].filter(Boolean).join(" "), position: start }))];
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(key, { value, problems: problems.length === 0 ? NONE : problems });
    return known.get(key)!.problems;
  };
}

const safely = <Result>(work: () => Result, otherwise: Result): Result => { try { return work(); } catch { return otherwise; } };
