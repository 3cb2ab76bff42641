import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

const TRUE = new Set(["true", "yes", "y", "t", "on", "1"]);
const FALSE = new Set(["false", "no", "n", "f", "off", "0"]);

export const parsing: FunctionGroup = {
  title: "Numbers and booleans",
  functions: {
    parse_number: {
      doc: "A number written by people, or absent when it is none, or is a whole number too long to keep exactly. The decimal mark is \".\" (default) or \",\"; spaces, apostrophes and the other mark may group thousands.",
      signature: "<(snlb)-s?:n>", parameters: ["text", "decimal?"],
      examples: [
        { args: [" 1,234.50 "], result: 1234.5 },
        { args: ["1.234,50", ","], result: 1234.5 },
        { args: ["1 234"], result: 1234 },
        { args: ["-3e2"], result: -300 },
        { args: ["many"] },
        { args: ["12345678901234567890"] },
        { args: ["1,23"] },
        { args: [""] },
        { args: [7], result: 7 },
        { args: ["1", ";"], error: "UNIT" },
      ],
      call: (_context, value: string | number | boolean | null, decimal = "." as string) => {
        if (decimal !== "." && decimal !== ",") throw new LibraryError("UNIT", `"${decimal}" is not a decimal mark; write "." or ",".`);
        return typeof value === "number" ? value : typeof value === "string" ? numberIn(value.trim(), decimal) : undefined;
      },
    },
    parse_boolean: {
      doc: "true for true, yes, y, t, on and 1, false for false, no, n, f, off and 0, in any case; absent for anything else.",
      signature: "<(snlb)-:b>", parameters: ["value"],
      examples: [{ args: ["Yes"], result: true }, { args: [0], result: false }, { args: [false], result: false }, { args: ["maybe"] }, { args: [null] }],
      call: (_context, value: unknown) => {
        const word = String(value).trim().toLowerCase();
        return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
      },
    },
  },
};

/** Groups must be of three digits: `1,23` is more likely another decimal mark than a thousand. */
function numberIn(text: string, decimal: "." | ","): number | undefined {
  const other = decimal === "." ? "," : "\\.";
  const pattern = new RegExp(`^[+-]?(\\d+|\\d{1,3}(?:(?:${other}|[ \\u00a0\\u202f'’])\\d{3})+)(?:\\${decimal}\\d+)?(?:[eE][+-]?\\d+)?$`);
  if (!pattern.test(text)) return undefined;
  const plain = text.replace(new RegExp(`${other}|[ \\u00a0\\u202f'’]`, "g"), "").replace(",", ".");
  const number = Number(plain);
  if (!Number.isFinite(number) || (/^[+-]?\d+$/.test(plain) && !Number.isSafeInteger(number))) return undefined;
  return number;
}
