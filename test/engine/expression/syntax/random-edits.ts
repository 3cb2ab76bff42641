/**
 * `npm run fuzz:edits [-- COUNT SEED]`: random edits of made expressions over a small record. For each edit that is not refused:
 *
 * - every byte outside the span it names is as it was;
 * - the result means what was intended. The oracle does not know how the edit works: it writes the intention plainly, everything in
 *   brackets, into the source, and the reference must give the same value (or the same error) for both on every sample.
 */
import jsonata from "jsonata";
import { isDeepStrictEqual } from "node:util";
import { applyEdit, parse, scopesOf, walk, type Edit, type Node, type Tree } from "../../../../engine/expression/syntax/index.ts";
import { random } from "./made-expressions.ts";

export interface EditsResult {
  readonly applied: number;
  readonly refused: number;
  readonly byEdit: Readonly<Record<string, number>>;
  /** Edits whose result had a value on some sample: the rest were equal in failing or in being absent. */
  readonly withValue: number;
  readonly failures: readonly string[];
}

const SAMPLES: readonly unknown[] = [
  { a: 1, b: "text", c: [1, 2, 3], d: { a: 2, b: "in", e: [{ a: 1, b: "x" }, { a: 5, b: "y" }] }, e: [{ a: 3, b: "p" }, { a: 4, b: "q" }], f: null, g: true },
  { a: "7", c: 2, d: [{ a: 1 }, { a: 2, e: { a: 9, b: "z" } }], e: { a: 1, b: "only" }, g: false },
];
const SPACES = ["", "", "", " ", " /* c */ ", "\n"];

/** Expressions over the samples that mostly have values. */
function maker(next: () => number) {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const gap = () => pick(SPACES);
  const atom = () => pick(["a", "b", "c", "d", "e", "d.e", "e.a", "d.a", "1", "2", "'x'", "\"text\"", "true", "null", "$", "f", "g"]);
  const path = (): string => pick(["d.e.a", "e.b", "e[0].a", "d.e[a > 1].b", "e.(a & b)", "e.{ 'k': a }", "$.d", "e^(>a).b", "c[1]", "d.e[]", "e@$v.a", "e#$i.($i + a)", "d.e.%.a"]);
  const expression = (depth: number): string => {
    if (depth <= 0) return next() < 0.6 ? atom() : path();
    const sub = () => expression(depth - 1);
    switch (Math.floor(next() * 12)) {
      case 0: case 1: return `${sub()}${gap()} ${pick(["+", "-", "*", "/", "%", "&", "&", "=", "!=", "<", "and", "or", "in", "??", "?:"])} ${gap()}${sub()}`;
      case 2: return `(${sub()})`;
      case 3: return `$${pick(["string", "count", "sum", "exists", "boolean", "type", "lowercase", "append"])}(${gap()}${sub()}${gap()})`;
      case 4: return `${sub()} ? ${sub()} : ${sub()}`;
      case 5: return `($x := ${sub()};${gap()} ${pick(["$x", "[$x, $x]", "$string($x)", `$x & ${sub()}`, `${sub()}`])})`;
      case 6: return `{ 'k': ${sub()}, "m n":${gap()}${sub()} }`;
      case 7: return `[${sub()}, ${sub()}]`;
      case 8: return `$map(c, function($n)${gap()}{ ${pick(["$n", "$n + 1", "[$n, $$]"])} })`;
      case 9: return `e.(${sub()})`;
      case 10: return `-${sub()}`;
      default: return path();
    }
  };
  return { pick, gap, expression: () => `${gap()}${expression(1 + Math.floor(next() * 3))}${gap()}`, small: () => expression(Math.floor(next() * 2)) };
}

export async function tryEdits(count: number, seed: number): Promise<EditsResult> {
  const next = random(seed);
  const make = maker(next);
  const failures: string[] = [];
  const byEdit: Record<string, number> = {};
  let applied = 0;
  let refused = 0;
  let withValue = 0;
  while (applied < count) {
    const source = make.expression();
    const { tree, problems } = parse(source);
    if (problems.length > 0) continue;
    const nodes: Node[] = [];
    walk(tree.root, (node) => void nodes.push(node));
    const kind = make.pick(KINDS);
    const fitting = nodes.filter((node) => FITTING[kind]?.includes(node.kind) ?? true);
    const chosen = fitting.length > 0 ? choose(tree, kind, make.pick(fitting), make) : undefined;
    if (!chosen) continue;
    const result = applyEdit(tree, chosen.edit);
    if ("refused" in result) {
      refused++;
      continue;
    }
    applied++;
    byEdit[chosen.edit.edit] = (byEdit[chosen.edit.edit] ?? 0) + 1;
    const report = (what: string) => void failures.push(`${JSON.stringify(source)} ${chosen.say} → ${JSON.stringify(result.text)}: ${what}`);
    const { start, end } = result.within;
    const grown = result.text.length - source.length;
    if (source.slice(0, start) !== result.text.slice(0, start) || source.slice(end) !== result.text.slice(end + grown)) report("a byte outside the span changed");
    const outcomes = await Promise.all(SAMPLES.map(async (sample) => [await outcome(result.text, sample), await outcome(chosen.plainly, sample)]));
    if (outcomes.some(([actual]) => actual !== "absent" && !isFailure(actual))) withValue++;
    // Operands are evaluated together, so which of two failures comes first is not fixed.
    for (const [actual, intended] of outcomes) if (!(isFailure(actual) && isFailure(intended)) && !isDeepStrictEqual(actual, intended)) report(`gives ${JSON.stringify(actual)}, and ${chosen.plainly} gives ${JSON.stringify(intended)}`);
  }
  return { applied, refused, byEdit, withValue, failures };
}

interface Chosen {
  readonly edit: Edit;
  /** The source with the intention written out, in brackets wherever they can stand. */
  readonly plainly: string;
  readonly say: string;
}

const KINDS = ["replace", "set_literal", "rename", "replace_argument", "wrap", "unwrap", "swap", "insert_binding"] as const;
const FITTING: Readonly<Record<string, readonly Node["kind"][]>> = { rename: ["name", "variable"], replace_argument: ["call"], unwrap: ["call"], swap: ["binary"] };

function choose(tree: Tree, kind: Edit["edit"], at: Node, make: ReturnType<typeof maker>): Chosen | undefined {
  const { text } = tree;
  const source = (node: Node) => text.slice(node.start, node.end);
  const instead = (node: Node, other: string) => text.slice(0, node.start) + other + text.slice(node.end);
  const say = (edit: Edit, extra = "") => `${edit.edit} of ${source(edit.at)} ${extra}`;
  // These group without brackets, and do not mean the same in them.
  const brackets = (plain: string) => (["array", "variable", "bind", "keep_array", "call"].includes(parse(plain).tree.root.kind) ? plain : `(${plain})`);
  switch (kind) {
    case "replace": {
      const other = make.small();
      // In a path that binds positions or items the reference filters the whole path, not the step, and `[]` makes a list of the
      // whole path: brackets would change both.
      if ((/[@#]/.test(text) && other.includes("[")) || other.includes("[]")) return undefined;
      const edit: Edit = { edit: "replace", at, text: other };
      return { edit, plainly: instead(at, brackets(other)), say: say(edit, `by ${other}`) };
    }
    case "set_literal": {
      if (isKeyOrStep(tree, at)) return undefined;
      const value = make.pick(["new", "it's", 3, -1, true, null] as const);
      const edit: Edit = { edit: "set_literal", at, value };
      return { edit, plainly: instead(at, brackets(JSON.stringify(value))), say: say(edit, JSON.stringify(value)) };
    }
    case "rename": {
      if (at.kind === "variable") {
        const { binders, uses } = scopesOf(tree.root);
        const binder = binders.find(({ variable }) => variable === at) ?? uses.get(at)?.at(-1);
        if (!binder) return undefined;
        const edit: Edit = { edit: "rename", at, name: "renamed" };
        return { edit, plainly: text, say: say(edit) };           // renaming a variable with its uses changes no value
      }
      if (at.kind !== "name") return undefined;
      const name = make.pick(["a", "b", "d", "e"]);
      const edit: Edit = { edit: "rename", at, name };
      return { edit, plainly: instead(at, `\`${name}\``), say: say(edit, `to ${name}`) };
    }
    case "replace_argument": {
      if (at.kind !== "call" || !at.args[0]) return undefined;
      const other = make.small();
      const edit: Edit = { edit: "replace_argument", at, index: 0, text: other };
      return { edit, plainly: instead(at.args[0], brackets(other)), say: say(edit, `by ${other}`) };
    }
    case "wrap": {
      const edit: Edit = { edit: "wrap", at, name: "string" };
      return { edit, plainly: instead(at, `$string(${brackets(source(at))})`), say: say(edit) };
    }
    case "unwrap": {
      if (at.kind !== "call" || !at.args[0]) return undefined;
      const edit: Edit = { edit: "unwrap", at, index: 0 };
      return { edit, plainly: instead(at, brackets(source(at.args[0]))), say: say(edit) };
    }
    case "swap": {
      if (at.kind !== "binary") return undefined;
      const edit: Edit = { edit: "swap", at };
      return { edit, plainly: instead(at, `((${source(at.right)}) ${at.operator} (${source(at.left)}))`), say: say(edit) };
    }
    case "insert_binding": {
      const value = make.pick(["1", "b", "d.e", "function($x){ $x }", "$$"]);
      const edit: Edit = { edit: "insert_binding", at, name: "fresh", value };
      return { edit, plainly: text, say: say(edit, value) };      // nobody uses the variable, so no value changes
    }
  }
}

/** A text there is a name, and an edit keeps it one; brackets would make it a value. */
function isKeyOrStep(tree: Tree, at: Node): boolean {
  let found = false;
  walk(tree.root, (node) => void (node.kind === "map" && node.right === at && at.kind === "string" && (found = true)));
  return found;
}

async function outcome(text: string, sample: unknown): Promise<unknown> {
  try {
    const value: unknown = await jsonata(text, { timeout: 2000, stack: 2000 }).evaluate(structuredClone(sample));
    return value === undefined ? "absent" : JSON.parse(JSON.stringify({ value }));
  } catch (thrown) {
    return { failed: (thrown as { code?: string }).code ?? String(thrown) };
  }
}

const isFailure = (value: unknown): boolean => typeof value === "object" && value !== null && "failed" in value;

if (import.meta.main) {
  const [count = 10_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  const started = performance.now();
  const { applied, refused, withValue, byEdit, failures } = await tryEdits(count, seed);
  for (const failure of failures.slice(0, 20)) console.error(`${failure}\n`);
  console.log(`fuzz:edits seed ${seed}: ${applied} applied, ${withValue} with a value, ${refused} refused, ${failures.length} wrong, ${((performance.now() - started) / 1000).toFixed(1)} s`, byEdit);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
