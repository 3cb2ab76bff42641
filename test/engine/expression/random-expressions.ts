import fc from "fast-check";

/** Expressions over few names, from the parts that mappings are made of; most of them mean something on the records below. */
const name = fc.constantFrom("a", "b", "c", "items", "name", "n");
export const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const sub = tie("expression");
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthSize: "small", withCrossShrink: true },
      name,
      fc.constantFrom("1", "2", "0", "-1", '"x"', '"a b"', "true", "null", "$", "$$", "$v", "$v.a", "*", "**"),
      fc.tuple(sub, fc.oneof(name, sub)).map(([left, right]) => `${left}.${right.startsWith("-") || /^\d/.test(right) ? `(${right})` : right}`),
      fc.tuple(sub, sub).map(([left, right]) => `${left}[${right}]`),
      fc.tuple(sub, fc.constantFrom("+", "-", "*", "/", "%", "&", "=", "!=", "<", ">=", "and", "or", "in", ".."), sub).map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(sub, sub, sub).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(sub, sub).map(([a, b]) => `(${a} ?: ${b} ?? 1)`),
      fc.array(sub, { maxLength: 3 }).map((parts) => `[${parts.join(", ")}]`),
      fc.tuple(sub, sub).map(([a, b]) => `{ "k": ${a}, "l": ${b} }`),
      fc.tuple(sub, sub, sub).map(([a, b, c]) => `${a}{ $string(${b}): ${c} }`),
      fc.tuple(sub, sub).map(([a, b]) => `($x := ${a}; ${b}.($x & $string($)))`),
      fc.tuple(fc.constantFrom("sum", "count", "max", "string", "number", "boolean", "not", "exists", "keys", "distinct", "reverse", "spread", "merge", "type", "uppercase", "length", "trim", "average", "abs", "floor", "sort", "shuffleless"), sub).map(([f, a]) => `$${f === "shuffleless" ? "count" : f}(${a})`),
      fc.tuple(fc.constantFrom("join", "append", "lookup", "split", "contains", "substringBefore", "formatNumber", "power", "pad", "zip"), sub, sub).map(([f, a, b]) => `$${f}(${a}, ${b})`),
      fc.tuple(fc.constantFrom("map", "filter", "single", "sort"), sub, sub).map(([f, a, b]) => `$${f}(${a}, function($e${f === "sort" ? ", $d" : ""}){ ${b} })`),
      fc.tuple(fc.constantFrom("each", "sift"), sub, sub).map(([f, a, b]) => `$${f}(${a}, function($e, $k){ ${b} })`),
      fc.tuple(sub, sub).map(([a, b]) => `$reduce(${a}, function($acc, $e){ $acc + ${b} })`),
      fc.tuple(sub, fc.constantFrom("$sum", "$count", "$uppercase", "$map(function($q){ $q })", "$string()", "$join('-')", "$substring(0, 1)", "|$|{ 'z': 1 }, ['a']|")).map(([a, f]) => `${a} ~> ${f}`),
      fc.tuple(sub, sub).map(([a, b]) => `${a}^(>${b}, n)`),
      fc.tuple(name, name).map(([a, b]) => `${a}@$w.${b}[$ = $w.n]`),
      fc.tuple(name, sub).map(([a, b]) => `${a}#$i.{ "i": $i, "v": ${b} }`),
      fc.tuple(name, name).map(([a, b]) => `${a}.${b}.{ "up": %.n, "v": $ }`),
      fc.tuple(sub).map(([a]) => `${a}[]`),
      fc.constantFrom("$match(name, /a+/)", "$replace(name, /(a)(b)?/, '<$1$2$0>')", "$split(name, /\\s/)", "name ~> /a/", "$substring(?, 0, 1)(name)", "($f := function($n){ $n < 1 ? 0 : $f($n - 1) }; $f(50))", "($sum ~> $string)([1, 2])"),
    ),
  };
});

/** Small records over the same names. */
export const record = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(1, 2, 0, -1.5, "x", "a b", "", null, true, false, "12"),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(name, tie("node"), { maxKeys: 4 }),
  ),
})).node;
