import type { ErrorCode } from "../../errors/catalog.ts";
import { hintOf, messageOf, type ErrorParams } from "../../errors/plugboard-error.ts";
import type { Span } from "../syntax/index.ts";

export type LintCode = Extract<ErrorCode, `LINT_${string}`>;

/** What is probably not meant, in one expression. `start` and `end` are offsets into its text. */
export interface Lint extends Span {
  readonly code: LintCode;
  /** `error`: no record can come out right. `warning`: some may not. */
  readonly severity: "error" | "warning";
  readonly params: ErrorParams;
  readonly message: string;
  readonly hint?: string;
}

export function lint(code: LintCode, span: Span, params: ErrorParams, severity: Lint["severity"] = "warning"): Lint {
  const hint = hintOf(code, params);
  return { code, severity, params, message: messageOf(code, params), ...(hint ? { hint } : {}), start: span.start, end: span.end };
}
