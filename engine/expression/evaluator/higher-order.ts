/** JSONata's functions that call functions, without promises. Meaning and codes are the reference's. */
import { apply } from "./apply.ts";
import { booleanOf, numeric } from "./truth.ts";
import { fail } from "./failure.ts";
import { Fn, sequenceOf, type Frame } from "./values.ts";

type Invoke = (args: readonly unknown[], input: unknown, frame: Frame) => unknown;
type List = readonly unknown[] | undefined;

/** A function gets the value, and the position and the whole only when it takes them. */
const argumentsFor = (fn: unknown, ...args: readonly unknown[]): readonly unknown[] => args.slice(0, fn instanceof Fn ? Math.max(1, fn.arity) : 1);

const each: Invoke = ([object, fn], input, frame) => {
  const result = sequenceOf();
  for (const [key, value] of entriesOf(object)) {
    frame.run.tick();
    const made = apply(fn, argumentsFor(fn, value, key, object), input, frame);
    if (made !== undefined) result.push(made);
  }
  return result;
};

const map: Invoke = ([list, fn], input, frame) => {
  if (list === undefined) return undefined;
  const result = sequenceOf();
  for (const [index, item] of (list as unknown[]).entries()) {
    frame.run.tick();
    const made = apply(fn, argumentsFor(fn, item, index, list), input, frame);
    if (made !== undefined) result.push(made);
  }
  return result;
};

const filter: Invoke = ([list, fn], input, frame) => {
  if (list === undefined) return undefined;
  const result = sequenceOf();
  for (const [index, item] of (list as unknown[]).entries()) {
    frame.run.tick();
    if (booleanOf(apply(fn, argumentsFor(fn, item, index, list), input, frame))) result.push(item);
  }
  return result;
};

const single: Invoke = ([list, fn], input, frame) => {
  if (list === undefined) return undefined;
  let found: { value: unknown } | undefined;
  for (const [index, item] of (list as unknown[]).entries()) {
    frame.run.tick();
    if (fn !== undefined && !booleanOf(apply(fn, argumentsFor(fn, item, index, list), input, frame))) continue;
    if (found) throw fail("D3138", { index });
    found = { value: item };
  }
  if (!found) throw fail("D3139");
  return found.value;
};

const reduce: Invoke = ([list, fn, init], input, frame) => {
  if (list === undefined) return undefined;
  const items = list as readonly unknown[];
  const { arity } = fn as Fn;
  if (arity < 2) throw fail("D3050", { index: 1 });
  let index = init === undefined && items.length > 0 ? 1 : 0;
  let result = index === 1 ? items[0] : init;
  for (; index < items.length; index++) {
    frame.run.tick();
    result = apply(fn, [result, items[index], index, list].slice(0, Math.max(2, arity)), input, frame);
  }
  return result;
};

const sift: Invoke = ([object, fn], input, frame) => {
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entriesOf(object)) {
    frame.run.tick();
    if (booleanOf(apply(fn, argumentsFor(fn, value, key, object), input, frame))) result[key] = value;
  }
  return Object.keys(result).length === 0 ? undefined : result;
};

const sort: Invoke = ([list, fn], input, frame) => {
  if (fn === undefined) {
    const items = list as List;
    if (items && items.length > 1 && !items.every((item) => numeric(item)) && !items.every((item) => typeof item === "string")) throw fail("D3070", { index: 1 });
    return sorted(items, (a, b) => (a as string) > (b as string), frame);
  }
  return sorted(list as List, (a, b) => Boolean(apply(fn, [a, b], input, frame)), frame);
};

/** Stable merge sort, asking in the order in which the reference asks. `swap`: the second belongs before the first. */
export function sorted(list: List, swap: (a: unknown, b: unknown) => boolean, frame: Frame): List {
  if (list === undefined || list.length <= 1) return list;
  const middle = Math.floor(list.length / 2);
  const left = sorted(list.slice(0, middle), swap, frame) as readonly unknown[];
  const right = sorted(list.slice(middle), swap, frame) as readonly unknown[];
  const merged: unknown[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    frame.run.tick();
    if (swap(left[l], right[r])) merged.push(right[r++]);
    else merged.push(left[l++]);
  }
  while (l < left.length) merged.push(left[l++]);
  while (r < right.length) merged.push(right[r++]);
  return merged;
}

// ── text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a regular expression, or a function in its place, gives for one match. */
interface Match { readonly match: string; readonly start: number; readonly end: number; readonly groups: readonly string[]; readonly next: Fn }

function matched(matcher: unknown, args: readonly unknown[], input: unknown, frame: Frame): Match | undefined {
  // One match may look at the whole text.
  frame.run.checkTime();
  const match = apply(matcher, args, input, frame) as Match | undefined;
  if (match && !(typeof match.start === "number" || typeof match.end === "number" || Array.isArray(match.groups) || (match.next as unknown) instanceof Fn)) throw fail("T1010");
  return match || undefined;
}

function* matches(matcher: unknown, text: string, limit: number | undefined, input: unknown, frame: Frame): Generator<Match> {
  let match = matched(matcher, [text], input, frame);
  for (let count = 0; match && (limit === undefined || count < limit); count++) {
    yield match;
    match = matched(match.next, [], input, frame);
  }
}

const contains: Invoke = ([text, token], input, frame) => {
  if (text === undefined || token === undefined) return undefined;
  return typeof token === "string" ? (text as string).includes(token) : matched(token, [text], input, frame) !== undefined;
};

const match: Invoke = ([text, pattern, limit], input, frame) => {
  if (text === undefined) return undefined;
  if ((limit as number) < 0) throw fail("D3040", { value: limit, index: 3 });
  const result = sequenceOf();
  if (limit === undefined || (limit as number) > 0) {
    for (const found of matches(pattern, text as string, limit as number | undefined, input, frame)) result.push({ match: found.match, index: found.start, groups: found.groups });
  }
  return result;
};

const split: Invoke = ([text, separator, limit], input, frame) => {
  if (text === undefined) return undefined;
  if ((limit as number) < 0) throw fail("D3020", { value: limit, index: 3 });
  if (limit !== undefined && !((limit as number) > 0)) return [];
  const whole = text as string;
  if (typeof separator === "string") {
    if (limit === undefined) frame.run.checkLength(separator === "" ? whole.length : 0);
    return whole.split(separator, limit as number | undefined);
  }
  const result: string[] = [];
  let start = 0;
  for (const found of matches(separator, whole, limit as number | undefined, input, frame)) {
    result.push(whole.substring(start, found.start));
    start = found.end;
  }
  if (limit === undefined || result.length < (limit as number)) result.push(whole.substring(start));
  return result;
};

const replace: Invoke = ([text, pattern, replacement, limit], input, frame) => {
  if (text === undefined) return undefined;
  if (pattern === "") throw fail("D3010", { value: pattern, index: 2 });
  if ((limit as number) < 0) throw fail("D3011", { value: limit, index: 4 });
  const whole = text as string;
  if (limit !== undefined && !((limit as number) > 0)) return whole;
  return typeof pattern === "string"
    ? replaceText(whole, pattern, String(replacement), limit as number | undefined, frame)
    : replaceMatches(whole, pattern, replacement, limit as number | undefined, input, frame);
};

function replaceText(text: string, pattern: string, replacement: string, limit: number | undefined, frame: Frame): string {
  let result = "";
  let position = 0;
  let index = text.indexOf(pattern);
  for (let count = 0; index !== -1 && (limit === undefined || count < limit); count++) {
    result += text.substring(position, index) + replacement;
    frame.run.checkText(result.length);
    frame.run.tick();
    position = index + pattern.length;
    index = text.indexOf(pattern, position);
  }
  return result + text.substring(position);
}

function replaceMatches(text: string, pattern: unknown, replacement: unknown, limit: number | undefined, input: unknown, frame: Frame): string {
  let result = "";
  let position = 0;
  for (const found of matches(pattern, text, limit, input, frame)) {
    result += text.substring(position, found.start);
    const inserted = typeof replacement === "string" ? filled(replacement, found) : apply(replacement, [found], input, frame);
    if (typeof inserted !== "string") throw fail("D3012", { value: inserted });
    result += inserted;
    frame.run.checkText(result.length);
    position = found.start + found.match.length;
  }
  return result + text.substring(position);
}

/** `$1` … groups, `$0` the whole, `$$` a dollar. `$12` is the twelfth group only where there are that many. */
function filled(replacement: string, { match: whole, groups }: Match): string {
  let text = "";
  let position = 0;
  let index = replacement.indexOf("$");
  while (index !== -1 && position < replacement.length) {
    text += replacement.substring(position, index);
    position = index + 1;
    const after = replacement.charAt(position);
    if (after === "$") { text += "$"; position++; }
    else if (after === "0") { text += whole; position++; }
    else {
      const digits = groups.length === 0 ? 1 : Math.floor(Math.log(groups.length) * Math.LOG10E) + 1;
      let group = Number.parseInt(replacement.substring(position, position + digits), 10);
      if (digits > 1 && group > groups.length) group = Number.parseInt(replacement.substring(position, position + digits - 1), 10);
      if (Number.isNaN(group)) text += "$";
      else {
        text += groups[group - 1] ?? "";
        position += String(group).length;
      }
    }
    index = replacement.indexOf("$", position);
  }
  return text + replacement.substring(position);
}

const entriesOf = (value: unknown): [string, unknown][] => (typeof value === "object" && value !== null ? Object.entries(value) : []);

/** Arity is what the reference's own has: it decides how many arguments they get when they are passed on. */
export const higherOrder: Readonly<Record<string, { readonly arity: number; readonly invoke: Invoke }>> = Object.assign(Object.create(null), {
  map: { arity: 2, invoke: map }, filter: { arity: 2, invoke: filter }, single: { arity: 2, invoke: single }, reduce: { arity: 3, invoke: reduce },
  each: { arity: 2, invoke: each }, sift: { arity: 2, invoke: sift }, sort: { arity: 2, invoke: sort },
  contains: { arity: 2, invoke: contains }, match: { arity: 3, invoke: match }, split: { arity: 3, invoke: split }, replace: { arity: 4, invoke: replace },
});
