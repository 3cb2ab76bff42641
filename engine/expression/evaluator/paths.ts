/** Paths: each step maps over what the step before gave. Meaning is the reference's `evaluatePath`, step by step. */
import { readPath } from "../plain-path.ts";
import type { Node } from "../reference.ts";
import type { Code, Compiler } from "./compiler.ts";
import { compileFilter } from "./filters.ts";
import { compileGroup, type Pair } from "./groups.ts";
import { compileSort } from "./sorts.ts";
import { isSequence, sequenced, sequenceOf, settle, type Frame, type Sequence } from "./values.ts";

type Tuple = Record<string, unknown>;

interface Step {
  readonly node: Node;
  readonly code: Code;
  readonly isSort: boolean;
  readonly sort: ((list: Sequence, frame: Frame) => Sequence) | undefined;
  readonly stages: readonly Stage[];
  readonly startsTuples: boolean;
  readonly isList: boolean;
  readonly focus: string | undefined;
  readonly index: string | undefined;
  readonly ancestor: string | undefined;
}

type Stage = { readonly filter: (value: unknown, frame: Frame) => unknown } | { readonly index: string };

export function compilePath(node: Node, compiler: Compiler): Code {
  const nodes = node.steps as Node[];
  if (isNames(node)) return compileNames(nodes.map((step) => String(step.value)));
  const group = node.group ? compileGroup((node.group as Node).lhs as Pair[], (node.group as Node).position, compiler) : undefined;

  const steps = nodes.map((step) => compileStep(step, compiler));
  const startsAtVariable = nodes[0]?.type === "variable";
  const keepSingleton = node.keepSingletonArray === true;
  const keepTuples = node.tuple === true || node.tuple !== undefined && node.tuple !== false;

  return (input, frame) => {
    let current: Sequence = Array.isArray(input) && !startsAtVariable ? input : sequenceOf(input);
    let result: Sequence | undefined;
    let tuples: Sequence | undefined;
    let isTuples = false;
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at] as Step;
      if (step.startsTuples) isTuples = true;
      if (at === 0 && step.isList) result = step.code(current, frame) as Sequence | undefined;
      else if (isTuples) tuples = tupleStep(step, current, tuples, frame);
      else result = plainStep(step, current, frame, at === steps.length - 1);
      if (!isTuples && (result === undefined || result.length === 0)) break;
      if (step.focus === undefined) current = result ?? sequenceOf();
    }
    if (isTuples) {
      if (keepTuples) result = tuples;
      else {
        result = sequenceOf();
        for (const tuple of tuples ?? []) result.push((tuple as Tuple)["@"]);
      }
    }
    if (keepSingleton && result) {
      if (Array.isArray(result) && result.cons && !result.sequence) result = sequenceOf(result);
      result.keepSingleton = true;
    }
    return group ? group(isTuples ? tuples : result, frame) : result;
  };
}

/** `a.b.c` needs no step machinery; a list it maps over comes out as a sequence. */
function compileNames(names: readonly string[]): Code {
  return (input) => {
    const value = readPath(input, names, sequenced);
    // A sequence kept in an object that the expression made melts again when it is reached.
    return isSequence(value) && value.keepSingleton ? settle(sequenceOf(...value), false) : value;
  };
}

function compileStep(node: Node, compiler: Compiler): Step {
  const stages = ((node.stages ?? []) as Node[]).map((stage): Stage => (stage.type === "index" ? { index: String(stage.value) } : { filter: compileFilter(stage.expr as Node, compiler) }));
  const isSort = node.type === "sort";
  return {
    node, isSort, stages,
    code: isSort ? () => undefined : compiler.compile(node),
    sort: isSort ? compileSort(node, compiler) : undefined,
    startsTuples: Boolean(node.tuple),
    isList: Boolean(node.consarray),
    focus: node.focus as string | undefined,
    index: node.index as string | undefined,
    ancestor: (node.ancestor as { label: string } | undefined)?.label,
  };
}

function plainStep(step: Step, input: Sequence, frame: Frame, last: boolean): Sequence {
  const { run } = frame;
  if (step.sort) return staged(step.stages, step.sort(input, frame), frame);
  const found: unknown[] = [];
  for (let index = 0; index < input.length; index++) {
    run.tick();
    let value = step.code(input[index], frame);
    for (const stage of step.stages) if ("filter" in stage) value = stage.filter(value, frame);
    if (value !== undefined) found.push(value);
  }
  run.made(found.length);
  const [only] = found;
  if (last && found.length === 1 && Array.isArray(only) && !isSequence(only)) return only;
  const result = sequenceOf();
  for (const value of found) {
    if (!Array.isArray(value) || (value as Sequence).cons) result.push(value);
    else for (const item of value) result.push(item);
    run.checkLength(result.length);
  }
  return result;
}

function tupleStep(step: Step, input: Sequence, before: Sequence | undefined, frame: Frame): Sequence {
  const { run } = frame;
  const result = sequenceOf();
  result.tupleStream = true;
  if (step.sort) {
    if (before) return staged(step.stages, step.sort(before, frame), frame);
    step.sort(input, frame).forEach((item, place) => {
      const tuple = tupleOf(undefined, item);
      if (step.index !== undefined) tuple[step.index] = place;
      result.push(tuple);
    });
    return staged(step.stages, result, frame);
  }
  const tuples = (before ?? input.map((item) => tupleOf(undefined, item))) as Tuple[];
  for (const tuple of tuples) {
    run.tick();
    const value = step.code(tuple["@"], frame.withTuple(tuple));
    if (value === undefined) continue;
    const values: Sequence = Array.isArray(value) ? value : [value];
    values.forEach((item, place) => {
      const next = tupleOf(tuple, undefined);
      if (values.tupleStream) Object.assign(next, item);
      else {
        next["@"] = step.focus === undefined ? item : tuple["@"];
        if (step.focus !== undefined) next[step.focus] = item;
        if (step.index !== undefined) next[step.index] = place;
        if (step.ancestor !== undefined) next[step.ancestor] = tuple["@"];
      }
      result.push(next);
    });
    run.checkLength(result.length);
  }
  return staged(step.stages, result, frame);
}

function staged(stages: readonly Stage[], list: Sequence, frame: Frame): Sequence {
  let result = list;
  for (const stage of stages) {
    if ("filter" in stage) result = stage.filter(result, frame) as Sequence;
    else result.forEach((tuple, place) => { (tuple as Tuple)[stage.index] = place; });
  }
  return result;
}

const tupleOf = (from: Tuple | undefined, item: unknown): Tuple => {
  const tuple: Tuple = Object.assign(Object.create(null) as Tuple, from);
  if (from === undefined) tuple["@"] = item;
  return tuple;
};

/** `a.b.c` and no more. */
export const isNames = (node: Node): boolean => !node.group && !node.keepSingletonArray && !node.tuple && (node.steps as Node[]).every(isName);

const PLAIN: ReadonlySet<string> = new Set(["type", "value", "position"]);
const isName = (node: Node): boolean => node.type === "name" && Object.keys(node).every((member) => PLAIN.has(member));
