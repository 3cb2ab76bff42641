/**
 * The part of OData 4.0 that a read-only feed answers: `$filter` and `$orderby` over typed, flat columns.
 * Source: OData 4.01 Part 2, URL Conventions, §5.1.1 (built-in filter operations) and §5.1.4 ($orderby), read 2026-11.
 * Comparisons are typed: a quoted date compared with a DateTimeOffset column is an error there, and so it is here.
 */

export type EdmType = "Int32" | "Decimal" | "String" | "Boolean" | "DateTimeOffset";
export type Columns = Readonly<Record<string, EdmType>>;
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** The query cannot be understood: the vendor answers 400 with this message. */
export class ODataSyntaxError extends Error {}

type Operand = { readonly type: EdmType | "Null"; readonly of: (row: Row) => bigint | number | string | boolean | null };
type Test = (row: Row) => boolean;

const TOKEN = /\s*(?:(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))|(-?\d+(?:\.\d+)?)(?![\w-])|'((?:[^']|'')*)'|([A-Za-z_]\w*)|([(),]))/y;
type Token = { readonly kind: "date" | "number" | "text" | "word" | "mark"; readonly text: string; readonly at: number };

/** @throws ODataSyntaxError naming the position. */
export function compileFilter(source: string, columns: Columns): Test {
  const tokens = tokenize(source);
  let next = 0;
  const peek = () => tokens[next];
  const is = (text: string) => peek()?.text === text && (peek()?.kind === "word" || peek()?.kind === "mark");
  const take = (text?: string): Token => {
    const token = peek();
    if (token === undefined) throw new ODataSyntaxError(`Syntax error at position ${source.length} in '${source}'.`);
    if (text !== undefined && token.text !== text) throw new ODataSyntaxError(`'${text}' expected at position ${token.at} in '${source}'.`);
    next += 1;
    return token;
  };

  const either = (): Test => {
    let left = both();
    while (is("or")) { take(); const [a, b] = [left, both()]; left = (row) => a(row) || b(row); }
    return left;
  };
  const both = (): Test => {
    let left = one();
    while (is("and")) { take(); const [a, b] = [left, one()]; left = (row) => a(row) && b(row); }
    return left;
  };
  const one = (): Test => {
    if (is("not")) { take(); const inner = one(); return (row) => !inner(row); }
    if (is("(")) { take(); const inner = either(); take(")"); return inner; }
    if (is("contains") || is("startswith") || is("endswith")) return textFunction();
    const left = operand();
    const operator = take();
    const right = operand();
    return comparison(left, operator, right, source);
  };
  const textFunction = (): Test => {
    const name = take().text;
    take("(");
    const inside = operand();
    take(",");
    const part = operand();
    take(")");
    if (inside.type !== "String" || part.type !== "String") throw new ODataSyntaxError(`No function signature for the function with name '${name}' matches the specified arguments.`);
    return (row) => {
      const [a, b] = [inside.of(row), part.of(row)];
      if (typeof a !== "string" || typeof b !== "string") return false;
      return name === "contains" ? a.includes(b) : name === "startswith" ? a.startsWith(b) : a.endsWith(b);
    };
  };
  const operand = (): Operand => {
    const token = take();
    if (token.kind === "date") { const at = ticksOf(token.text); return { type: "DateTimeOffset", of: () => at }; }
    if (token.kind === "number") { const value = Number(token.text); return { type: "Decimal", of: () => value }; }
    if (token.kind === "text") return { type: "String", of: () => token.text };
    if (token.kind === "mark") throw new ODataSyntaxError(`Syntax error at position ${token.at} in '${source}'.`);
    if (token.text === "null") return { type: "Null", of: () => null };
    if (token.text === "true" || token.text === "false") return { type: "Boolean", of: () => token.text === "true" };
    return column(token.text, columns);
  };

  const test = either();
  if (next < tokens.length) throw new ODataSyntaxError(`Syntax error at position ${peek()!.at} in '${source}'.`);
  return test;
}

/** `UpdatedDate,Id desc` as a comparison; null sorts first, as SQL Server has it. @throws ODataSyntaxError */
export function compileOrder(source: string, columns: Columns): (a: Row, b: Row) => number {
  const parts = source.split(",").map((part) => {
    const [name = "", direction = "asc", ...rest] = part.trim().split(/\s+/);
    if (rest.length > 0 || (direction !== "asc" && direction !== "desc")) throw new ODataSyntaxError(`Syntax error in $orderby '${source}'.`);
    return { of: column(name, columns).of, sign: direction === "desc" ? -1 : 1 };
  });
  return (a, b) => {
    for (const { of, sign } of parts) {
      const order = compare(of(a), of(b));
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

/**
 * Ticks of 100 ns since the epoch: .NET prints up to seven fractional digits and drops trailing zeros, so text does not sort.
 * @throws ODataSyntaxError
 */
export function ticksOf(text: string): bigint {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const milliseconds = parts ? Date.parse(parts[1]! + parts[3]!) : NaN;
  if (Number.isNaN(milliseconds)) throw new ODataSyntaxError(`Unrecognized 'Edm.DateTimeOffset' literal '${text}'.`);
  return BigInt(milliseconds) * 10_000n + BigInt((parts![2] ?? "").padEnd(7, "0") || "0");
}

function column(name: string, columns: Columns): Operand {
  const type = columns[name];
  if (type === undefined) throw new ODataSyntaxError(`Could not find a property named '${name}'.`);
  if (type !== "DateTimeOffset") return { type, of: (row) => row[name] ?? null };
  return { type, of: (row) => typeof row[name] === "string" ? ticksOf(row[name]) : null };
}

function comparison(left: Operand, operator: Token, right: Operand, source: string): Test {
  const numeric = (type: string) => type === "Int32" || type === "Decimal";
  const fits = left.type === right.type || left.type === "Null" || right.type === "Null" || (numeric(left.type) && numeric(right.type));
  if (!fits) throw new ODataSyntaxError(`A binary operator with incompatible types was detected. Found operand types 'Edm.${left.type}' and 'Edm.${right.type}' for operator kind '${operator.text}'.`);
  // OData 4.01 §5.1.1.1: eq and ne know null as a value; every other comparison with null is false.
  const known = (row: Row) => left.of(row) !== null && right.of(row) !== null;
  switch (operator.text) {
    case "eq": return (row) => left.of(row) === right.of(row);
    case "ne": return (row) => left.of(row) !== right.of(row);
    case "gt": return (row) => known(row) && compare(left.of(row), right.of(row)) > 0;
    case "ge": return (row) => known(row) && compare(left.of(row), right.of(row)) >= 0;
    case "lt": return (row) => known(row) && compare(left.of(row), right.of(row)) < 0;
    case "le": return (row) => known(row) && compare(left.of(row), right.of(row)) <= 0;
    default: throw new ODataSyntaxError(`Syntax error at position ${operator.at} in '${source}'.`);
  }
}

function compare(a: bigint | number | string | boolean | null, b: bigint | number | string | boolean | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const end = source.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(source);
    if (found === null) throw new ODataSyntaxError(`Syntax error at position ${at} in '${source}'.`);
    const [, date, number, text, word, mark] = found;
    if (date !== undefined) tokens.push({ kind: "date", text: date, at });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, at });
    else if (text !== undefined) tokens.push({ kind: "text", text: text.replaceAll("''", "'"), at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, at });
    else tokens.push({ kind: "mark", text: mark!, at });
  }
  return tokens;
}
