/**
 * Handlebars templates: a string that yields a string. Every inserted value is escaped for its sink by us and tells us when it
 * is absent; so the parsed template is rewritten to hand each one to `INSERT` before Handlebars compiles it. Partials,
 * decorators, raw insertions and unknown helpers are refused: what a template can do is written on its face.
 */
import Handlebars from "handlebars";
import { ExpressionError } from "./expression-error.ts";
import { templateFunctions } from "./functions/template-functions.ts";
import { evaluationError } from "./reference.ts";
import { sinks } from "./sinks.ts";
import type { CompiledTemplate, ExpressionProblem, TemplateSink } from "./types.ts";

const BLOCKS = ["if", "unless", "each", "with"] as const;
const INSERT = "plugboard_insert";

/** What one rendering may do: times round a loop, and characters it may insert. A loop in a loop in a loop over one page is long. */
const LIMITS = { turns: 100_000, characters: 10_000_000 } as const;

/** Own properties only, and silently: Handlebars would otherwise log each refusal to the console. */
const OWN_PROPERTIES = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false } as const;

const isHelper = (name: string): boolean => Object.hasOwn(templateFunctions, name) || name === "lookup";

/** @throws ExpressionError TEMPLATE when it does not parse or uses what templates may not. */
export function compileTemplate(text: string, sink: TemplateSink): CompiledTemplate {
  if (!text.includes("{{")) return { text, reads: [], render: () => text };
  const { program, problems, reads } = read(text);
  if (problems[0]) throw new ExpressionError(problems[0]);
  const escape = sinks[sink];
  const plain = plainParts(program);
  if (plain) return { text, reads, render: (variables) => renderPlain(plain, variables, escape) };
  const compiled = environment().compile(program, { knownHelpers: KNOWN_HELPERS, knownHelpersOnly: true, noEscape: true });
  return {
    text,
    reads,
    render: (variables) => {
      const state: RenderState = { absent: false, turns: 0, characters: 0, escape, now: typeof variables.now === "number" ? variables.now : Date.now() };
      try {
        const rendered = compiled(variables, { ...OWN_PROPERTIES, data: { plugboard: state } } as Handlebars.RuntimeOptions);
        return state.absent ? undefined : rendered;
      } catch (thrown) {
        throw evaluationError(thrown);
      }
    },
  };
}

/** Everything wrong with a template that can be known without data. Never throws. */
export function checkTemplate(text: string): ExpressionProblem[] {
  return text.includes("{{") ? [...read(text).problems] : [];
}

interface RenderState { absent: boolean; turns: number; characters: number; readonly escape: (value: string, first: boolean) => string; readonly now: number }
interface HelperOptions { readonly data: { readonly plugboard: RenderState }; readonly hash: { readonly first?: boolean; readonly authored?: boolean }; readonly fn?: (...args: unknown[]) => unknown }

const limit = (name: string, message: string) => new ExpressionError({ code: "LIMIT", limit: name, message });

const KNOWN_HELPERS = Object.fromEntries([INSERT, "lookup", ...BLOCKS, ...Object.keys(templateFunctions)].map((name) => [name, true]));

let shared: typeof Handlebars | undefined;

/** An instance of our own: nobody else's helpers, and none of ours for others. */
function environment(): typeof Handlebars {
  if (shared) return shared;
  shared = Handlebars.create();
  for (const name of Object.keys(shared.helpers)) if (name !== "lookup" && !(BLOCKS as readonly string[]).includes(name)) shared.unregisterHelper(name);
  for (const [name, call] of Object.entries(templateFunctions)) {
    shared.registerHelper(name, (...args: unknown[]) => {
      const { data } = args.pop() as HelperOptions;
      return call({ now: data.plugboard.now }, ...args);
    });
  }
  shared.registerHelper(INSERT, (value: unknown, { data, hash }: HelperOptions) => {
    const state = data.plugboard;
    if (value === undefined || value === null) { state.absent = true; return ""; }
    const text = insert(value, state.escape, hash.first === true, hash.authored === true);
    if ((state.characters += text.length) > LIMITS.characters) throw limit("output", "The text is larger than a template may make.");
    return text;
  });
  const each = shared.helpers.each as (this: unknown, list: unknown, options: HelperOptions) => unknown;
  shared.registerHelper("each", function (this: unknown, list: unknown, options: HelperOptions) {
    const state = options.data.plugboard;
    const fn = (...args: unknown[]): unknown => {
      if (++state.turns > LIMITS.turns) throw limit("time", `The loops of the template go round more than ${LIMITS.turns} times.`);
      return options.fn?.(...args);
    };
    return each.call(this, list, { ...options, fn });
  });
  return shared;
}

/** @throws ExpressionError TEMPLATE, SINK */
function insert(value: unknown, escape: RenderState["escape"], first: boolean, authored: boolean): string {
  if (typeof value === "object" || typeof value === "function") throw new ExpressionError({ code: "TEMPLATE", message: "A template can hold text, numbers and booleans, not an object or a list; write {{json …}} or use a `=` expression." });
  // What the manifest's author wrote (`with`) may hold slashes of its own; each part between them is still escaped.
  return authored ? String(value).split("/").map((part, index) => escape(part, first && index === 0)).join("/") : escape(String(value), first);
}

// ── names only ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Text, and values by their names: most templates are this, and every request renders several of them. Read directly, it
 * costs a tenth of a call of Handlebars.
 */
type PlainPart = string | { readonly path: readonly string[]; readonly first: boolean; readonly authored: boolean };

/** Of a program that was rewritten for INSERT. Undefined: it has a block, a function or a literal. */
function plainParts({ body }: hbs.AST.Program): PlainPart[] | undefined {
  const parts = body.flatMap((node): (PlainPart | undefined)[] => {
    if (node.type === "CommentStatement") return [];
    if (node.type === "ContentStatement") return [(node as hbs.AST.ContentStatement).value];
    if (node.type !== "MustacheStatement") return [undefined];
    const { params: [value], hash } = node as hbs.AST.MustacheStatement;
    const { type, data, depth, parts: path } = value as hbs.AST.PathExpression;
    if (type !== "PathExpression" || data || depth > 0 || path.length === 0) return [undefined];
    const [first, authored] = hash.pairs.map((pair) => (pair.value as hbs.AST.BooleanLiteral).value);
    return [{ path: path as string[], first: first!, authored: authored! }];
  });
  return parts.includes(undefined) ? undefined : (parts as PlainPart[]);
}

function renderPlain(parts: readonly PlainPart[], variables: Readonly<Record<string, unknown>>, escape: RenderState["escape"]): string | undefined {
  let text = "";
  let absent = false;
  let characters = 0;
  for (const part of parts) {
    if (typeof part === "string") { text += part; continue; }
    let value: unknown = variables;
    for (const name of part.path) value = value !== undefined && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    if (value === undefined || value === null) { absent = true; continue; }
    const inserted = insert(value, escape, part.first, part.authored);
    if ((characters += inserted.length) > LIMITS.characters) throw limit("output", "The text is larger than a template may make.");
    text += inserted;
  }
  return absent ? undefined : text;
}

// ── reading the parsed template ─────────────────────────────────────────────────────────────────────────────────────

type Path = readonly string[];
/** What names stand for inside a block: the path of its context (undefined when it cannot be told), and block parameters. */
interface Context { readonly path: Path | undefined; readonly outer?: Context; readonly parameters: ReadonlyMap<string, Path | undefined> }

interface Reading { readonly program: hbs.AST.Program; readonly problems: readonly ExpressionProblem[]; readonly reads: readonly Path[] }

function read(text: string): Reading {
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parse(text);
  } catch (thrown) {
    return { program: undefined as never, problems: [parseProblem(thrown as Error & { lineNumber?: number; column?: number }, text)], reads: [] };
  }
  const problems: ExpressionProblem[] = [];
  const reads = new Map<string, Path>();
  const refuse = (node: hbs.AST.Node, message: string) => {
    const position = offset(text, node.loc.start.line, node.loc.start.column);
    problems.push({ code: "TEMPLATE", message, position, length: Math.max(1, offset(text, node.loc.end.line, node.loc.end.column) - position) });
  };

  const resolve = (path: hbs.AST.PathExpression, context: Context): Path | undefined => {
    const parts = path.parts as string[];
    if (path.data) return parts[0] === "root" ? parts.slice(1) : undefined;
    let at: Context | undefined = context;
    for (let up = 0; up < path.depth; up++) at = at?.outer;
    if (path.depth === 0 && parts[0] !== undefined) {
      for (let scope: Context | undefined = context; scope; scope = scope.outer) {
        if (!scope.parameters.has(parts[0])) continue;
        const base = scope.parameters.get(parts[0]);
        return base && [...base, ...parts.slice(1)];
      }
    }
    return at?.path && [...at.path, ...parts];
  };
  const note = (path: Path | undefined) => { if (path) reads.set(JSON.stringify(path), path); };

  const visitValue = (node: hbs.AST.Expression, context: Context): void => {
    if (node.type === "PathExpression") note(resolve(node as hbs.AST.PathExpression, context));
    if (node.type === "SubExpression") visitCall(node as hbs.AST.SubExpression, context);
  };
  const visitArguments = (node: { params: hbs.AST.Expression[]; hash?: hbs.AST.Hash }, context: Context) => {
    for (const param of node.params) visitValue(param, context);
    for (const pair of node.hash?.pairs ?? []) refuse(pair, `Helpers take no named arguments ('${pair.key}').`);
  };
  const visitCall = (node: hbs.AST.SubExpression | hbs.AST.MustacheStatement, context: Context) => {
    const name = (node.path as hbs.AST.PathExpression).original as string;
    if (!isHelper(name)) refuse(node.path, `There is no template function '${name}'.`);
    visitArguments(node, context);
  };

  const visitBlock = (node: hbs.AST.BlockStatement, context: Context) => {
    const name = String(node.path.original);
    if (!(BLOCKS as readonly string[]).includes(name)) refuse(node.path, `There is no block '${name}'; blocks are ${BLOCKS.map((block) => `#${block}`).join(", ")}.`);
    if (node.params.length !== 1) refuse(node, `#${name} takes one value.`);
    visitArguments(node, context);
    const [value] = node.params;
    const path = value?.type === "PathExpression" ? resolve(value as hbs.AST.PathExpression, context) : undefined;
    const moves = name === "each" || name === "with";
    const inner: Context = moves
      ? { path, outer: context, parameters: new Map((node.program?.blockParams ?? []).map((parameter, index) => [parameter, index === 0 ? path : undefined])) }
      : context;
    if (node.program) visitProgram(node.program, inner, false);
    if (node.inverse) visitProgram(node.inverse, context, false);
  };

  const visitProgram = (inside: hbs.AST.Program, context: Context, outermost: boolean) => {
    inside.body.forEach((node, index) => {
      switch (node.type) {
        case "MustacheStatement": {
          const mustache = node as hbs.AST.MustacheStatement;
          if (mustache.escaped === false) refuse(node, "Values are always escaped for where they go; write {{…}} with two braces.");
          if (mustache.params.length > 0 || mustache.hash?.pairs.length > 0 || isHelper(String((mustache.path as hbs.AST.PathExpression).original))) visitCall(mustache, context);
          else visitValue(mustache.path, context);
          inside.body[index] = inserted(mustache, outermost && index === 0);
          break;
        }
        case "BlockStatement": visitBlock(node as hbs.AST.BlockStatement, context); break;
        case "ContentStatement": case "CommentStatement": break;
        default: refuse(node, "Templates have no partials and no decorators.");
      }
    });
  };

  visitProgram(program, { path: [], parameters: new Map() }, true);
  return { program, problems, reads: [...reads].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path) };
}

/** `{{x}}` becomes `{{INSERT x}}`, `{{lower x}}` becomes `{{INSERT (lower x)}}`. */
function inserted(node: hbs.AST.MustacheStatement, first: boolean): hbs.AST.MustacheStatement {
  const { loc } = node;
  const isCall = node.params.length > 0 || isHelper(String((node.path as hbs.AST.PathExpression).original));
  const isAuthored = !isCall && (node.path as hbs.AST.PathExpression).parts?.[0] === "with";
  const value = isCall ? { type: "SubExpression", path: node.path, params: node.params, hash: undefined, loc } : node.path;
  return {
    ...node,
    path: { type: "PathExpression", data: false, depth: 0, parts: [INSERT], original: INSERT, loc } as hbs.AST.PathExpression,
    params: [value as hbs.AST.Expression],
    hash: { type: "Hash", loc, pairs: [{ type: "HashPair", key: "first", value: { type: "BooleanLiteral", value: first, original: first, loc } as hbs.AST.Expression, loc }, { type: "HashPair", key: "authored", value: { type: "BooleanLiteral", value: isAuthored, original: isAuthored, loc } as hbs.AST.Expression, loc }] },
  };
}

/** Handlebars says where as a drawing (`----^`) or, for blocks that do not match, as line and column. */
function parseProblem(thrown: Error & { lineNumber?: number; column?: number }, text: string): ExpressionProblem {
  const drawn = /^Parse error on line (\d+):\n(.*)\n(-*)\^\n([^]*)$/.exec(thrown.message);
  if (!drawn) {
    const position = thrown.lineNumber === undefined ? 0 : offset(text, thrown.lineNumber, thrown.column ?? 0);
    return { code: "TEMPLATE", message: thrown.message.replace(/ - \d+:\d+$/, ""), position, length: 1 };
  }
  const [, line = "1", excerpt = "", dashes = "", detail = ""] = drawn;
  // The drawing may begin with `...` and shows the text with its line breaks removed; its line is where the parser stopped.
  const shown = excerpt.replace(/^\.\.\./, "");
  const before = shown.slice(0, Math.max(0, dashes.length - (excerpt.length - shown.length)));
  const end = offset(text, Number(line) + 1, 0);
  const flat = text.slice(0, end);
  const found = before === "" ? -1 : flat.replaceAll("\n", "").lastIndexOf(before);
  let position = offset(text, Number(line), 0);
  if (found >= 0) {
    // Back from the text without line breaks to the text with them.
    let left = found + before.length;
    position = 0;
    while (left > 0 && position < text.length) { if (text[position] !== "\n") left--; position++; }
  }
  return { code: "TEMPLATE", message: sentence(detail), position: Math.min(position, text.length), length: 1 };
}

/** "Expecting 'ID', 'STRING', …, got 'INVALID'" in words. */
function sentence(detail: string): string {
  const got = /got '(\w+)'/.exec(detail)?.[1];
  if (detail.includes("OPEN_ENDBLOCK") && got === "EOF") return "A block is not closed: {{#if}} needs {{/if}}.";
  if (got === "EOF" || got === "INVALID") return "The template stops making sense here; is a `}}` missing?";
  return detail;
}

function offset(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  return start + column;
}
