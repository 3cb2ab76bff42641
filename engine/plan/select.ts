/** Which fields of a record a flow reads, so that a provider can be asked for just those. */
import { pathsOf } from "../expression/index.ts";
import type { FlowPlan, MappingPlan, StreamPlan } from "./types.ts";

/**
 * Names of the record's fields (below the stream's `select` path) that mapping, `where`, key, version and cursor read;
 * sorted, unique. Empty when some expression reads the record as a whole: then no field may be left out.
 */
export function selectOf(stream: StreamPlan, mapping: MappingPlan | undefined): FlowPlan["select"] {
  if (!mapping) return [];
  const below = stream.select === undefined ? [] : stream.select.split(".");
  const fields = new Set<string>();
  for (const path of expressionsOf(stream, mapping).flatMap(readsOf)) {
    const field = path[below.length];
    const [inside, contains] = [startsWith(path, below), startsWith(below, path)];
    if (inside && field !== undefined) fields.add(field);
    else if (contains) return [];
  }
  return [...fields].toSorted();
}

function expressionsOf(stream: StreamPlan, mapping: MappingPlan): string[] {
  const fields = Object.values(mapping.fields).map((field) => ("expression" in field ? field.expression : "ref" in field ? field.key : undefined));
  const cursor = typeof stream.cursor?.["field"] === "string" ? stream.cursor["field"] : undefined;
  return [mapping.where, ...fields, ...stream.key, stream.version, cursor].filter((each) => each !== undefined);
}

/** Expressions whose reads are kept: tenants share those of their preset. */
const KEPT = 4096;
const known = new Map<string, readonly (readonly string[])[]>();

function readsOf(expression: string): readonly (readonly string[])[] {
  const reads = known.get(expression) ?? parsedReads(expression);
  if (known.size >= KEPT && !known.has(expression)) known.clear();
  known.set(expression, reads);
  return reads;
}

/** An expression that does not parse reads nothing here: that is reported where expressions are checked. */
function parsedReads(expression: string): readonly (readonly string[])[] {
  try {
    return pathsOf(expression);
  } catch {
    return [];
  }
}

const startsWith = (path: readonly string[], start: readonly string[]): boolean => start.every((step, index) => path[index] === step);
