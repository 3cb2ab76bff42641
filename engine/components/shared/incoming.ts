/**
 * A request as a verifier's options may name it. Headers and address come as they are; body, form and query are read only when
 * an option names them, with limits, because nothing is proven yet. What cannot be read is absent, and never an error.
 */
import type { IncomingRequest, Variables } from "../kinds.ts";

/** Levels of a JSON body, and parameters of a form or query. */
const MAX_DEPTH = 64;
const MAX_PARAMETERS = 1000;
/** Items of lists on the way to a field: each may cost a comparison. */
const MAX_ITEMS = 10_000;

export type Pair = readonly [name: string, value: string];

export interface Incoming {
  readonly raw: IncomingRequest;
  /** The `Content-Type` without parameters, lower-case; "" when there is none. */
  readonly mediaType: string;
  readonly query: () => readonly Pair[] | undefined;
  readonly form: () => readonly Pair[] | undefined;
  /** A JSON body, or a form as a map of its first values. */
  readonly body: () => unknown;
  header(name: string): string | undefined;
  /** The set's variables, and over them `request`, `headers`, `body`, `now`: a new object, to which `timestamp` and `id` are added. */
  over(set: Variables, nowMilliseconds: number): Record<string, unknown>;
}

/** @param decodeInUrl characters whose percent-escapes are decoded in `request.url` and its parts, as some senders sign them */
export function readIncoming(raw: IncomingRequest, decodeInUrl = ""): Incoming {
  const mediaType = (own(raw.headers, "content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  const isForm = mediaType === "application/x-www-form-urlencoded";
  const [, scheme = "", host = "", path = "", search] = /^(?:([a-z][a-z0-9+.-]*):\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/i.exec(raw.url) ?? [];
  const written = (text: string): string => (decodeInUrl === "" ? text : text.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return decodeInUrl.includes(character) ? character : escape;
  }));
  const text = lazy(() => textOf(raw.body));
  const query = lazy(() => pairsOf(search ?? ""));
  const form = lazy(() => (raw.body.length === 0 ? [] : isForm && hasOneSpelling(text() ?? "") ? pairsOf(text() ?? "") : undefined));
  const body = lazy(() => (isForm ? firstOf(form()) : jsonOf(text())));
  const request = {
    method: raw.method.toUpperCase(), url: written(raw.url), scheme, host, path: written(path), query_string: written(search ?? ""), headers: raw.headers,
    get query() { return firstOf(query()); },
    get body() { return text(); },
    get form() { return firstOf(form()); },
    get sorted_form() { return sortedForm(form()); },
    get form_json() { return formJson(form()); },
  };
  return {
    raw, mediaType, query, form, body,
    header: (name) => own(raw.headers, name.toLowerCase()),
    over: (set, now) => ({ ...set, request, headers: raw.headers, now, get body() { return body(); } }),
  };
}

/** Every text or number at a dotted path; of a list, those of every item. Own members only. */
export function textsAt(value: unknown, path: string): readonly string[] {
  let found: readonly unknown[] = [value];
  for (const name of path.split(".")) {
    found = itemsOf(found).map((each) => (typeof each === "object" && each !== null && Object.hasOwn(each, name) ? (each as Record<string, unknown>)[name] : undefined));
    if (found.length > MAX_ITEMS) return [""];
  }
  const all = itemsOf(found);
  return all.length > MAX_ITEMS ? [""] : all.map((each) => (typeof each === "string" || typeof each === "number" ? String(each) : ""));
}

/** Lists opened. One that is empty, as an item that lacks the field, counts as a text that equals nothing. */
const itemsOf = (values: readonly unknown[]): readonly unknown[] => values.flatMap((each) => (Array.isArray(each) && each.length > 0 ? (each as readonly unknown[]) : [each]));

const own = (map: Readonly<Record<string, string>>, name: string): string | undefined => (Object.hasOwn(map, name) ? map[name] : undefined);

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function jsonOf(text: string | undefined): unknown {
  if (text === undefined || isDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") { if (++depth > MAX_DEPTH) return true; }
    else if (character === "}" || character === "]") depth--;
  }
  return false;
}

/**
 * Signatures over a form's parameters do not cover its bytes, so what reads the same, but no sender writes, is no form: `%2b` beside
 * `%2B`, or a name without `=`.
 */
function hasOneSpelling(text: string): boolean {
  if (text.split("&", MAX_PARAMETERS + 1).some((pair) => pair !== "" && !pair.includes("="))) return false;
  return !(/%(?:[a-f]|[0-9A-F][a-f])/.test(text) && /%(?:[A-F]|[0-9a-f][A-F])/.test(text));
}

function pairsOf(text: string): readonly Pair[] | undefined {
  if (text.split("&", MAX_PARAMETERS + 1).length > MAX_PARAMETERS) return undefined;
  // URLSearchParams takes a first `?` off.
  return [...new URLSearchParams(`?${text}`)];
}

/** `fromEntries` makes own members even of `__proto__`. */
const firstOf = (pairs: readonly Pair[] | undefined): Readonly<Record<string, string>> | undefined => pairs && Object.fromEntries(pairs.toReversed());

/** Every name followed by its value, names in order of their code units; a name's values without repeats, in order, too. */
function sortedForm(pairs: readonly Pair[] | undefined): string | undefined {
  if (pairs === undefined) return undefined;
  const values = new Map<string, Set<string>>();
  for (const [name, value] of pairs) values.set(name, (values.get(name) ?? new Set<string>()).add(value));
  return [...values.keys()].toSorted(byCodeUnit).map((name) => [...values.get(name)!].toSorted(byCodeUnit).map((value) => name + value).join("")).join("");
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The form as a JSON object of texts in the order received: a blank after `:` and `,`, and only ASCII, the rest escaped. */
function formJson(pairs: readonly Pair[] | undefined): string | undefined {
  if (pairs === undefined) return undefined;
  const ascii = (text: string): string => JSON.stringify(text).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `{${[...new Map(pairs)].map(([name, value]) => `${ascii(name)}: ${ascii(value)}`).join(", ")}}`;
}
