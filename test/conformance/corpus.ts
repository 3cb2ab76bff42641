/**
 * Reads a folder of expression cases: `groups/<group>/<case>.json` holds a case or a list of them, `datasets/<name>.json` their
 * input. It is the layout of JSONata's own test-suite; none of its files is kept here.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface CorpusCase {
  /** `group/file#index`. */
  readonly name: string;
  readonly group: string;
  readonly expression: string;
  /** Read anew at every call, so that no case sees what another changed. */
  readonly input: () => unknown;
  readonly bindings: Readonly<Record<string, unknown>>;
  /** Milliseconds the evaluation may take. */
  readonly timelimit?: number;
  /** Depth of the evaluation's stack, as the reference counts it. */
  readonly depth?: number;
  readonly unordered: boolean;
  readonly expected: Expected;
}

export type Expected =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "absent" }
  | { readonly kind: "error"; readonly code: string; readonly token?: unknown };

interface CaseFile {
  "expr"?: string;
  "expr-file"?: string;
  "dataset"?: string | null;
  "data"?: unknown;
  "bindings"?: Record<string, unknown>;
  "timelimit"?: number;
  "depth"?: number;
  "unordered"?: boolean;
  "result"?: unknown;
  "undefinedResult"?: boolean;
  "code"?: string;
  "token"?: unknown;
  "error"?: { code?: string; token?: unknown };
}

export function readCorpus(folder: string): CorpusCase[] {
  const groups = join(folder, "groups");
  return readdirSync(groups).sort().flatMap((group) =>
    readdirSync(join(groups, group)).filter((file) => file.endsWith(".json")).sort().flatMap((file) => {
      const content = JSON.parse(readFileSync(join(groups, group, file), "utf8")) as CaseFile | CaseFile[];
      return [content].flat().map((one, index) => toCase(folder, group, `${group}/${file.replace(/\.json$/, "")}#${index}`, one));
    }));
}

function toCase(folder: string, group: string, name: string, one: CaseFile): CorpusCase {
  const dataText = one.dataset ? readFileSync(join(folder, "datasets", `${one.dataset}.json`), "utf8") : JSON.stringify(one.data);
  return {
    name, group,
    expression: one.expr ?? readFileSync(join(folder, "groups", group, one["expr-file"]!), "utf8"),
    input: () => (dataText === undefined ? undefined : JSON.parse(dataText)),
    bindings: one.bindings ?? {},
    ...(one.timelimit === undefined ? {} : { timelimit: one.timelimit }),
    ...(one.depth === undefined ? {} : { depth: one.depth }),
    unordered: one.unordered ?? false,
    expected: expectationOf(name, one),
  };
}

function expectationOf(name: string, one: CaseFile): Expected {
  const code = one.code ?? one.error?.code;
  const token = one.token ?? one.error?.token;
  if (one.undefinedResult) return { kind: "absent" };
  if (code !== undefined) return { kind: "error", code, ...(token === undefined ? {} : { token }) };
  if ("result" in one) return { kind: "value", value: one.result };
  throw new Error(`${name} says neither result, undefinedResult nor code`);
}

/** The corpus that lies beside a checkout in development. Users do not have it; tests that want it say that they skip. */
export function corpusBesideCheckout(): string | undefined {
  const folder = new URL("../../../shared/corpus/jsonata", import.meta.url).pathname;
  return existsSync(folder) ? folder : undefined;
}
