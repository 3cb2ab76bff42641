/** What the parts of the editor share: both trees, the sample, the fields as they are now, and what is known of each. */
import { useMemo } from "react";
import { compileExpression } from "../../engine/expression/index.ts";
import { parse, type Tree } from "../../engine/expression/syntax/index.ts";
import { describe, inferType, lintMapping, typeOfSamples, typeOfSchema, withSamples, type Schema } from "../../engine/expression/types-of/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import type { Editing } from "./edits.ts";
import { readGraph } from "./graph/read-graph.ts";
import type { Graph } from "./graph/types.ts";
import type { NodeValue } from "./graph/values.ts";
import { sourceTree, targetTree, type SourceField, type TargetField } from "./trees.ts";

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

export function useMappingView({ state, recordSchema, entitySchema, record, samples, where }: { readonly state: Editing; readonly recordSchema: JsonObject | null; readonly entitySchema: JsonObject | null; readonly record: unknown; readonly samples: readonly unknown[]; readonly where: string | null }): MappingView {
  const sources = useMemo(() => sourceTree(recordSchema, record), [recordSchema, record]);
  const declared = useMemo(() => (recordSchema ? withSamples(typeOfSchema(recordSchema as Schema), samples) : typeOfSamples(samples)), [recordSchema, samples]);
  return useMemo(() => {
    const made: Record<string, { ref: string; key: string } | { expression: string }> = {};
    for (const { field, ref, expression } of Object.values(state.now)) if (ref !== null) made[field] = { ref, key: expression ?? "" }; else if (expression !== null) made[field] = { expression };
    const lints = safely(() => lintMapping({ fields: made, ...(where === null ? {} : { where }) } as Parameters<typeof lintMapping>[0], recordSchema as Schema | undefined ?? undefined, entitySchema as Schema | undefined ?? undefined, { samples }), []);
    const fields = targetTree(entitySchema, Object.keys(state.now)).map((target): FieldState => {
      const written = state.now[target.field];
      const text = written?.expression ?? null;
      const changed = JSON.stringify([state.base[target.field]?.expression, state.base[target.field]?.constant]) !== JSON.stringify([written?.expression, written?.constant]);
      const base = { target, text, ref: written?.ref ?? null, changed, ...(written?.constant === undefined ? {} : { constant: written.constant }) };
      if (text === null) return { ...base, tree: undefined, graph: undefined, type: "", reads: [], value: written?.constant === undefined ? { absent: true } : { value: written.constant }, problems: target.required && written === undefined ? [{ severity: "error", code: "REQUIRED", message: "Required, and nothing makes it." }] : [] };
      const { tree, problems } = parse(text);
      const graph = problems.length === 0 ? readGraph(tree) : undefined;
      const value = evaluated(text, record);
      return {
        ...base, tree: problems.length === 0 ? tree : undefined, graph, value, type: safely(() => describe(inferType(text, declared).type), ""),
        reads: graph?.nodes.filter(({ kind, root }) => kind === "source" && root === "record").map(({ path }) => path!.map((step) => step.replace(/\[-?\d+\]$/, "")).join(".")) ?? [],
        problems: [
          ...problems.map(({ message, start }) => ({ severity: "error", code: "SYNTAX", message, position: start })),
          ...("problem" in value && problems.length === 0 ? [{ severity: "error", code: "EVALUATION", message: value.problem }] : []),
          ...lints.filter(({ at }) => at === `fields.${target.field}`).map(({ severity, code, message, hint, start }) => ({ severity, code, message: [message, hint].filter(Boolean).join(" "), position: start })),
        ],
      };
    });
    const written = fields.filter(({ text }) => text !== null);
    const length = written.reduce((sum, { text }) => sum + text!.length, 0);
    return { sources, fields, record, coverage: length === 0 ? 1 : written.reduce((sum, { text, graph }) => sum + (graph?.coverage ?? 0) * text!.length, 0) / length };
  }, [state.now, state.base, sources, declared, record, samples, recordSchema, entitySchema, where]);
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
