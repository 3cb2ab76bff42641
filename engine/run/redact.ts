/**
 * The one choke point between a run and everything people read. Secrets are known by value, in every encoding they travel in;
 * names of headers and fields are no proof of what they hold.
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

export function createRedactor(secrets: readonly string[] = []): Redactor {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;

  const learn = (value: string): void => {
    if (value.length < SHORTEST) return;
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
