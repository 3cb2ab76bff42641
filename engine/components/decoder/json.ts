/** JSON in UTF-8. Whole numbers that a double cannot hold stay text, digit by digit: ids must not be rounded. */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import { defineDecoder } from "../kinds.ts";
import { decodeText } from "../shared/decode-text.ts";

export default defineDecoder("json", () => ({
  accept: "application/json",
  decode(bytes, headers) {
    const text = decodeText(bytes, headers);
    if (/^\s*$/.test(text.slice(0, 64)) && text.trim() === "") return undefined;
    try {
      return LONG_DIGITS.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
    } catch (thrown) {
      // An HTML page is a sign-in page or an outage page: asking again at once gives the same, so the caller is told.
      const html = /^\s*</.test(text);
      throw new PlugboardError("RUN_NOT_DECODABLE", {
        expected: "JSON", html, request: "the request",
        detail: html ? `it begins with: ${text.trimStart().slice(0, 200)}` : (thrown as Error).message.slice(0, 200),
        suggestion: html ? "Check base_url and path: this is a web page." : undefined,
      }, { cause: thrown });
    }
  },
}));

/** Quick look: only bodies with a long run of digits pay for the slow parse. */
const LONG_DIGITS = /[:[,\s]-?\d{16}/;

function keepDigits(_key: string, value: unknown, context?: { readonly source: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context === undefined) return value;
  return /^-?\d+$/.test(context.source) ? context.source : value;
}
