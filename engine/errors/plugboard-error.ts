import { catalog, type ErrorCode, type ErrorEntry } from "./catalog.ts";

export type ErrorParams = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where in a file something stands. `line` and `col` count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly col: number;
  /** Characters from `col` that are at fault; 1 when unknown. */
  readonly length?: number;
}

/** One problem found in configuration: collected, never thrown one by one. */
export interface Problem {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly params: ErrorParams;
  readonly at?: Location;
  /** JSON pointer of the value in its file, e.g. `/fragments/object/pagination`. */
  readonly pointer?: string;
}

export interface ErrorDetails {
  readonly at?: Location | undefined;
  readonly cause?: unknown;
  /** Seconds to wait before the next try, where the provider said so. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A failure with a code of the catalogue. `message` is the finished sentence; `params` never hold a secret. */
export class PlugboardError extends Error {
  override readonly name = "PlugboardError";
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  readonly at: Location | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, params: ErrorParams = {}, details: ErrorDetails = {}) {
    super(fill(catalog[code].message, params), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.params = params;
    this.at = details.at;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  get entry(): ErrorEntry {
    return catalog[this.code];
  }

  /** The hint with its parameters filled in; undefined when a parameter it needs is absent or empty. */
  get hint(): string | undefined {
    return hintOf(this.code, this.params);
  }

  toJSON(): { code: ErrorCode; message: string; hint?: string; at?: Location } {
    return { code: this.code, message: this.message, ...(this.hint ? { hint: this.hint } : {}), ...(this.at ? { at: this.at } : {}) };
  }
}

export function messageOf(code: ErrorCode, params: ErrorParams): string {
  return fill(catalog[code].message, params);
}

export function hintOf(code: ErrorCode, params: ErrorParams): string | undefined {
  const hint = (catalog[code] as ErrorEntry).hint;
  if (hint === undefined) return undefined;
  for (const [, name] of hint.matchAll(/\{(\w+)\}/g)) if (params[name!] === undefined || params[name!] === "") return undefined;
  return fill(hint, params);
}

function fill(text: string, params: ErrorParams): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ""));
}
