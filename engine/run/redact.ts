/**
 * The one choke point between secrets and everything people read. Secrets are known by value, in every encoding they travel in;
 * names of headers and fields are no proof of what they hold.
 *
 *   a redactor   of one run, check or call: its own connection's secrets
 *   live         of the process: everything any redactor learned lately. Server logs, errors of the API, the run log and the
 *                records of deliveries all pass it, whatever went wrong before
 */
import { PlugboardError, type ErrorParams } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";

export interface Redactor {
  /** From now on this value never leaves. */
  learn(value: string): void;
  text(text: string): string;
  data<T>(value: T): T;
  /** The same error with clean parameters and without a cause: a cause may hold the request. */
  error(error: PlugboardError): PlugboardError;
}

const MASK = "***";
/** Shorter values are words of their own: masking them would mask everything. */
const SHORTEST = 4;

/** @param owner the tenant whose secrets they are. */
export function createRedactor(secrets: readonly string[] = [], owner = ""): Redactor {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;

  const learn = (value: string): void => {
    if (value.length < SHORTEST) return;
    live.learn(value, owner);
    const before = forms.size;
    for (const form of encodings(value)) if (form.length >= SHORTEST) forms.add(form);
    if (forms.size > before) pattern = undefined;
  };
  const text = (input: string): string => {
    if (forms.size === 0) return input;
    // Longest first: a secret may be the beginning of another.
    pattern ??= new RegExp([...forms].sort((a, b) => b.length - a.length).map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"), "g");
    return input.replace(pattern, MASK);
  };
  const data = <T>(value: T): T => {
    if (typeof value === "string") return text(value) as T;
    if (Array.isArray(value)) return value.map(data) as T;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, data(member)])) as T;
  };

  for (const secret of secrets) learn(secret);
  return {
    learn, text, data,
    error: (error) => new PlugboardError(error.code, data(error.params as JsonObject) as ErrorParams, { at: error.at, retryAfterSeconds: error.retryAfterSeconds }),
  };
}

export interface LiveRedactor {
  /** @param owner its tenant; empty: nobody's in particular, masked everywhere. */
  learn(value: string, owner?: string): void;
  /**
   * @param owner mask only what is this tenant's (or nobody's): what one tenant reads must not tell it that its guess of another
   *   one's secret was right. Absent: everything, for what only the operator reads.
   */
  text(text: string, owner?: string): string;
  data<T>(value: T, owner?: string): T;
}

/** Shorter ones are words of somebody's: a run masks them in what it says itself, the process does not. */
const SHORTEST_LIVE = 8;
/** Secrets kept in mind; those not used for the longest time go first. */
const MOST_LIVE = 20_000;
/** Forms are found by how they begin. */
const HEAD = 4;

export function createLiveRedactor(most = MOST_LIVE): LiveRedactor {
  /** `owner\u0000secret` → its forms; used last is last. */
  const known = new Map<string, readonly string[]>();
  /** How a form begins → form → owner → how many of its secrets have it. */
  const heads = new Map<string, Map<string, Map<string, number>>>();

  const count = (form: string, owner: string, change: 1 | -1): void => {
    const head = form.slice(0, HEAD);
    const forms = heads.get(head) ?? new Map<string, Map<string, number>>();
    const owners = forms.get(form) ?? new Map<string, number>();
    const now = (owners.get(owner) ?? 0) + change;
    if (now > 0) owners.set(owner, now);
    else owners.delete(owner);
    if (owners.size > 0) forms.set(form, owners);
    else forms.delete(form);
    if (forms.size > 0) heads.set(head, forms);
    else heads.delete(head);
  };
  const text = (input: string, owner?: string): string => {
    if (heads.size === 0 || input.length < SHORTEST_LIVE) return input;
    let out = "";
    let copied = 0;
    for (let at = 0; at <= input.length - SHORTEST_LIVE; at++) {
      const forms = heads.get(input.slice(at, at + HEAD));
      if (forms === undefined) continue;
      let longest = 0;
      for (const [form, owners] of forms) {
        if (form.length > longest && input.startsWith(form, at) && (owner === undefined || owners.has(owner) || owners.has(""))) longest = form.length;
      }
      if (longest === 0) continue;
      out += input.slice(copied, at) + MASK;
      copied = at + longest;
      at = copied - 1;
    }
    return copied === 0 ? input : out + input.slice(copied);
  };
  const data = <T>(value: T, owner?: string): T => {
    if (typeof value === "string") return text(value, owner) as T;
    if (Array.isArray(value)) return value.map((item) => data(item, owner)) as T;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, data(member, owner)])) as T;
  };
  return {
    learn(value, owner = "") {
      if (value.length < SHORTEST_LIVE) return;
      const key = `${owner}\u0000${value}`;
      const before = known.get(key);
      known.delete(key);
      const forms = before ?? [...new Set(encodings(value))].filter((form) => form.length >= SHORTEST_LIVE);
      known.set(key, forms);
      if (before !== undefined) return;
      for (const form of forms) count(form, owner, 1);
      if (known.size <= most) return;
      const [oldest, gone] = known.entries().next().value!;
      known.delete(oldest);
      for (const form of gone) count(form, oldest.slice(0, oldest.indexOf("\u0000")), -1);
    },
    text, data,
  };
}

export const live: LiveRedactor = createLiveRedactor();

/** Plain, base64 (both alphabets, and inside a longer base64 text), hex, form and URL encoding, JSON text. */
function* encodings(value: string): Generator<string> {
  const bytes = Buffer.from(value, "utf8");
  yield value;
  yield JSON.stringify(value).slice(1, -1);
  yield encodeURIComponent(value.toWellFormed());
  yield new URLSearchParams({ "": value.toWellFormed() }).toString().slice(1);
  yield bytes.toString("hex");
  yield bytes.toString("base64").replace(/=+$/, "");
  yield bytes.toString("base64url");
  // `user:secret` in base64: three alignments; only the groups that hold nothing but the secret are the same everywhere.
  for (const shift of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const whole = padded.slice(shift === 0 ? 0 : 4, Math.floor((bytes.length + shift) / 3) * 4);
    if (whole.length >= 8) yield whole;
  }
}
