/** Makes expressions that mean harm, from a seed: families of known attacks, and random nests of their pieces. */

/** Mulberry32: the same numbers from the same seed everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Hostile { readonly family: string; readonly text: string }

const FORBIDDEN = ["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__", "__lookupGetter__", "_jsonata_lambda", "_jsonata_function", "then", "next", "apply", "call", "bind", "process", "globalThis", "outerWrapper", "sequence", "push", "length"];
const PATTERNS = ["(a+)+b", "(a|a)*b", "(a|aa)+$", "(.*a){12}", "([a-zA-Z]+)*x", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a{0,50}){0,50}b", "((a{1,10}){1,10}){1,10}", "(?=a)a", "(a)\\1", "[^]*b", "\\p{L}+x", ".{1000}", "(((((a*)*)*)*)*)*b"];
const FUNCTIONS = ["sum", "count", "max", "string", "substring", "length", "trim", "pad", "match", "replace", "split", "join", "formatNumber", "formatBase", "number", "round", "power", "boolean", "map", "filter", "reduce", "sift", "keys", "lookup", "append", "spread", "merge", "reverse", "each", "error", "assert", "type", "sort", "distinct", "zip", "shuffle", "toMillis", "fromMillis", "eval", "clone", "parse_json", "slug", "parse_datetime", "add_duration", "hash", "truncate", "translate", "phone", "query_string", "start_of", "format_datetime", "parse_number"];

export function hostileExpressions(seed: number): () => Hostile {
  const random = randomOf(seed);
  const int = (max: number) => Math.floor(random() * max);
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
  const name = () => (random() < 0.4 ? pick(FORBIDDEN) : pick(["a", "b", "items", "x", "name"]));
  const quoted = () => JSON.stringify(random() < 0.3 ? "a".repeat(int(60)) + pick(["", "!", "b"]) : name());
  const number = () => pick(["0", "-1", "1e308", "-1e308", "9007199254740993", "1e-320", "0.1", String(int(1000)), "1e9"]);

  const expression = (depth: number): string => {
    if (depth <= 0) return pick([() => `\`${name()}\``, quoted, number, () => "$", () => "$$", () => `$${pick(FUNCTIONS)}`, () => "**", () => "*", () => "null", () => `/${pick(PATTERNS)}/i`])();
    const inner = () => expression(depth - 1 - int(2));
    return pick([
      () => `${inner()}.${inner()}`,
      () => `${inner()}[${inner()}]`,
      () => `(${inner()} ${pick(["+", "-", "*", "/", "%", "&", "=", "!=", "<", ">=", "and", "or", "in", "..", "~>", "?:", "??"])} ${inner()})`,
      () => `$${pick(FUNCTIONS)}(${Array.from({ length: int(4) }, inner).join(", ")})`,
      () => `{ ${quoted()}: ${inner()}, ${inner()}: ${inner()} }`,
      () => `[${inner()}, ${inner()}]`,
      () => `[${number()}..${number()}]`,
      () => `(${inner()} ? ${inner()} : ${inner()})`,
      () => `($v := ${inner()}; ${inner()}.$v)`,
      () => `function($p, $q){ ${inner()} }(${inner()}, ${inner()})`,
      () => `${inner()} ~> |${inner()}|${inner()}, ${inner()}|`,
      () => `${inner()}^(>${inner()})`,
      () => `${inner()}{ ${inner()}: ${inner()} }`,
      () => `${inner()}@$w.${inner()}`,
      () => `${inner()}#$i[$i > ${number()}]`,
      () => `$map(${inner()}, function($e){ ${inner()} })`,
      () => `$reduce(${inner()}, function($acc, $e){ $acc & $acc })`,
    ])();
  };

  const families: Readonly<Record<string, () => string>> = {
    nest: () => expression(2 + int(5)),
    recursion: () => `($f := function($n){ ${pick(["1 + $f($n)", "[$f($n), $f($n)]", "$f($n) & $f($n + 1)", "{'a': $f($n)}", "$map([1, 2], $f)"])} }; $f(${number()}))`,
    mutual: () => "($g := function($n){ 1 }; $f := function($n){ $n > 1e9 ? 1 : 1 + $h($n) }; $h := function($n){ $f($n + 1) }; $f(1))",
    range: () => `${pick(["$sum", "$count", "$string", "$reverse", ""])}([${int(100)}..${pick([1000, 1e5, 1e6, 9_999_999, 1e9])}])`,
    product: () => `[1..${10 ** (1 + int(3))}].[1..${10 ** (1 + int(3))}].{ 'a': $, 'b': [$, $] }`,
    doubling: () => `($d := function($s, $n){ $n <= 0 ? $s : $d(${pick(["$s & $s", "[$s, $s]", "$append($s, $s)", "[[$s], [$s]]", "{'a': $s, 'b': $s}", "$string($s) & $string($s)"])}, $n - 1) }; $d(${pick(["'ab'", "[1, 2]", "{'k': 1}"])}, ${10 + int(60)}))`,
    padding: () => `$${pick(["pad", "formatNumber"])}(${pick(["'x'", "1"])}, ${pick(["1e9", "-1e9", "5e8", "1e308", "'0'", "''", "'#,##0.00'"])}${pick(["", ", 'yz'"])})`,
    regex: () => `$${pick(["match", "contains", "replace", "split"])}(${JSON.stringify(pick(["a", "x", "ab"]).repeat(1 + int(3000)) + pick(["!", "", "c"]))}, /${pick(PATTERNS)}/${pick(["", "i", "m"])}${pick(["", ", 'y'"])})`,
    prototype: () => pick([
      () => `{ ${JSON.stringify(pick(FORBIDDEN))}: { 'polluted': true } }.polluted`,
      () => `$lookup($, ${JSON.stringify(pick(FORBIDDEN))})`,
      () => `$$.${pick(FORBIDDEN)}.${pick(FORBIDDEN)}('return process')()`,
      () => `$merge([{ '__proto__': { 'polluted': 1 } }, $])`,
      () => `$ ~> |$|{ '__proto__': { 'polluted': 1 }, 'constructor': 1 }|`,
      () => `$parse_json('{"__proto__":{"polluted":1}}').${pick(FORBIDDEN)}`,
      () => `$each($$, function($v, $k){ $v.${pick(FORBIDDEN)} })`,
      () => `$sift($, function($v){ $v.${pick(FORBIDDEN)} }).${pick(FORBIDDEN)}`,
      () => `$spread($).${pick(FORBIDDEN)}`,
      () => `($${pick(["sum", "map", "string"])} := ${pick(["null", "1", "function($x){ $x }"])}; $${pick(["sum", "map", "string"])}([1]))`,
      () => `$${pick(FUNCTIONS)}.${pick(["implementation", "signature", "environment", "constructor", "_jsonata_function", "apply"])}`,
      () => `(function($x){ $x }).${pick(["environment", "body", "input", "apply", "arguments"])}`,
      () => `evil(${number()})`,
      () => `a ~> evil`,
      () => `$map([1], evil)`,
      () => `$query_string({ '__proto__': 1, 'constructor': [1] })`,
      () => `$translate('${pick(FORBIDDEN)}', {})`,
    ])(),
    deep: () => pick([
      () => `${"(".repeat(1 + int(4000))}1${")".repeat(int(4000))}`,
      () => `${"[".repeat(2000)}1${"]".repeat(2000)}`,
      () => `${"-".repeat(int(3000))}1`,
      () => `${"a.".repeat(int(800))}a`,
      () => `1${" + 1".repeat(int(1500))}`,
      () => `a${"[0]".repeat(int(1500))}`,
      () => `${"x ? ".repeat(int(1500))}1`,
    ])(),
    garbage: () => Array.from({ length: 1 + int(30) }, () => pick(["(", ")", "[", "]", "{", "}", "'", '"', "`", "/", "\\", "\u0000", "$", "@", "#", "%", "^", "|", "~>", ":=", "..", "/*", "*/", "function", "λ", "\ud800", "a", "1", ";", ",", "?", ":"])).join(""),
    sorting: () => `$sort([1..${pick([100, 10_000, 90_000])}], function($a, $b){ ${pick(["$a < $b", "true", "$random() > 0.5", "$string($a) < $string($b)"])} })[0]`,
    library: () => `$${pick(["parse_datetime", "add_duration", "truncate", "hash", "phone", "email", "slug", "parse_number", "collapse_spaces", "format_duration", "from_epoch", "start_of", "duration_seconds", "query_string", "parse_json"])}(${pick([quoted, number, () => `$pad('${pick(["a", "1", " ", "[", "("])}', ${pick([100, 100_000])}, '${pick(["a", "1", " ", "[", "("])}')`])()}${pick(["", `, ${quoted()}`, `, ${number()}`, `, 'P${int(1e9)}Y'`])})`,
    picture: () => `$fromMillis(${number()}, '${pick(["[Y1]", "[X]", "[M01]/[D01]", "[[", "[Y,*-9999]", "[H#1]", "[FNn]"])}') & $formatNumber(${number()}, '${pick(["#0", "0.0e0", "#,##,#0", "0;0;0", "%‰"])}') & $formatInteger(${number()}, '${pick(["w", "I", "A", "Ww;o", "#,##0"])}')`,
  };
  // Those that run until their time is over come less often: they would be nearly all of a run's time.
  const names = Object.keys(families).flatMap((family) => (["doubling", "product", "sorting"].includes(family) ? [family] : [family, family, family, family]));
  return () => {
    const family = pick(names);
    return { family, text: (families[family] as () => string)() };
  };
}

/** A record that means harm too: it looks like the reference's own functions. */
export const HOSTILE_INPUT = JSON.parse(`{
  "a": { "b": [1, [2, [3]], null], "name": "x" }, "items": [{ "name": "a" }, { "name": null }, [], "s"], "x": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "name": "n",
  "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } },
  "evil": { "_jsonata_lambda": true, "input": {}, "environment": {}, "arguments": [], "body": { "type": "name", "value": "constructor" } },
  "native": { "_jsonata_function": true, "implementation": "constructor" }
}`) as unknown;
