/** What the parts of the editor share: both trees, the sample, the fields as they are now, and what is known of each. */
import { useMemo } from "react";
import { compileExpression } from "../../engine/expression/index.ts";
import { parse, type Tree } from "../../engine/expression/syntax/index.ts";
import { describe, inferType, lintMapping, typeOfSamples, typeOfSchema, withSamples, type Schema } from "../../engine/expression/types-of/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import type { FieldText, State } from "./edits.ts";
import { readGraph } from "./graph/read-graph.ts";
import type { Graph } from "./graph/types.ts";
import type { NodeValue } from "./graph/values.ts";
import { sourceTree, targetTree, withUnseen, type SourceField, type TargetField } from "./trees.ts";

export interface FieldState {
  readonly target: TargetField;
  /** Null: nothing makes it. */
  readonly text: string | null;
  readonly constant?: unknown;
  readonly ref: string | null;
  readonly tree: Tree | undefined;
  readonly graph: Graph | undefined;
  readonly value: NodeValue;
  /** In words. */
  readonly type: string;
  readonly problems: readonly { readonly severity: string; readonly message: string; readonly code: string; readonly position?: number | undefined }[];
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
  const declared = useMemo(() => (recordSchema ? withSamples(typeOfSchema(recordSchema as Schema), samples) : typeOfSamples(samples)), [recordSchema, samples]);
  const targets = useMemo(() => targetTree(entitySchema, Object.keys(now.fields)), [entitySchema, Object.keys(now.fields).join("\n")]);
  /** What is known of a text does not change with the texts beside it. */
  const texts = useMemo(() => new Map<string, Read>(), [record, declared]);
  return useMemo(() => {
    const made: Record<string, { ref: string; key: string } | { expression: string }> = {};
    for (const { field, ref, expression } of Object.values(now.fields)) if (ref !== null) made[field] = { ref, key: expression ?? "" }; else if (expression !== null) made[field] = { expression };
    const lints = safely(() => lintMapping({ fields: made, ...(now.where === null ? {} : { where: now.where }) } as Parameters<typeof lintMapping>[0], recordSchema as Schema | undefined ?? undefined, entitySchema as Schema | undefined ?? undefined, { samples }), []);
    const lintsOf = Map.groupBy(lints, ({ at }) => at);
    const fields = targets.map((target): FieldState => {
      const written = now.fields[target.field];
      const text = (written?.expression ?? "").trim() === "" ? null : written!.expression;
      const changed = said(base.fields[target.field]) !== said(written);
      const shared = { target, text, ref: written?.ref ?? null, changed, ...(written?.constant === undefined ? {} : { constant: written.constant }) };
      if (text === null) return { ...shared, tree: undefined, graph: undefined, type: "", reads: [], value: written?.constant === undefined ? { absent: true } : { value: written.constant }, problems: target.required && written === undefined ? [{ severity: "error", code: "REQUIRED", message: "Required, and nothing makes it." }] : [] };
      let read = texts.get(text);
      if (read === undefined) texts.set(text, read = readText(text, record, declared));
      return { ...shared, ...read, problems: [...read.problems, ...(lintsOf.get(`fields.${target.field}`) ?? []).map(({ severity, code, message, hint, start }) => ({ severity, code, message: [message, hint].filter(Boolean).join(" "), position: start }))] };
    });
    const written = fields.filter(({ text }) => text !== null);
    const length = written.reduce((sum, { text }) => sum + text!.length, 0);
    const sources = withUnseen(known, [...unseen, ...fields.flatMap(({ reads }) => reads.map((path) => path.split(".")))]);
    return { sources, fields, record, coverage: length === 0 ? 1 : written.reduce((sum, { text, graph }) => sum + (graph?.coverage ?? 0) * text!.length, 0) / length };
  }, [now.fields, now.where, base.fields, targets, texts, known, unseen, samples, recordSchema, entitySchema]);
}

const said = (field: FieldText | undefined): string => JSON.stringify([field?.expression || undefined, field?.constant, field?.ref]);

type Read = Pick<FieldState, "tree" | "graph" | "value" | "type" | "problems" | "reads">;

function readText(text: string, record: unknown, declared: ReturnType<typeof typeOfSamples>): Read {
  const { tree, problems } = parse(text);
  const graph = problems.length === 0 ? readGraph(tree) : undefined;
  const value = evaluated(text, record);
  return {
    tree: problems.length === 0 ? tree : undefined, graph, value, type: safely(() => describe(inferType(text, declared).type), ""),
    reads: graph?.nodes.filter(({ kind, root }) => kind === "source" && root === "record").map(({ path }) => path!.map((step) => step.replace(/\[-?\d+\]$/, "")).join(".")) ?? [],
    problems: [
      ...problems.map(({ message, start }) => ({ severity: "error", code: "SYNTAX", message, position: start })),
      ...("problem" in value && problems.length === 0 ? [{ severity: "error", code: "EVALUATION", message: value.problem }] : []),
    ],
  };
}

const safely = <Result>(work: () => Result, otherwise: Result): Result => { try { return work(); } catch { return otherwise; } };

function evaluated(text: string, record: unknown): NodeValue {
  try {
    const value = compileExpression(text).evaluate(record);
    return value === undefined ? { absent: true } : { value };
  } catch (thrown) {
    return { problem: (thrown as Error).message };
  }
}
