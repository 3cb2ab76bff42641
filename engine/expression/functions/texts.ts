import type { FunctionGroup } from "./types.ts";

/** Letters that Unicode does not split into a base letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", Æ: "AE", ø: "o", Ø: "O", œ: "oe", Œ: "OE", ł: "l", Ł: "L", đ: "d", Đ: "D", ð: "d", Ð: "D", þ: "th", Þ: "Th", ı: "i" };

export const texts: FunctionGroup = {
  title: "Text",
  functions: {
    slug: {
      doc: "Lower-case letters and digits joined by hyphens, accents removed; other alphabets keep their letters.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["  Crème Brûlée & Co. "], result: "creme-brulee-co" }, { args: ["Straße 7"], result: "strasse-7" }, { args: ["!?"], result: "" }],
      call: (_context, text: string) => withoutAccents(text).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, ""),
    },
    strip_accents: {
      doc: "The text with plain Latin letters instead of accented ones.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["Łódź, Ærø"], result: "Lodz, AEro" }],
      call: (_context, text: string) => withoutAccents(text),
    },
    collapse_spaces: {
      doc: "The text without space at its ends, and with one space for every run of white space inside.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: [" a \n\u00a0b "], result: "a b" }],
      call: (_context, text: string) => text.replace(/\s+/g, " ").trim(),
    },
    truncate: {
      doc: "At most so many characters; a cut text ends in the mark (default …), which counts. Never cuts a character in half.",
      signature: "<s-ns?:s>", parameters: ["text", "length", "mark?"],
      examples: [{ args: ["Integration", 6], result: "Integ…" }, { args: ["👍👍👍", 2, ""], result: "👍👍" }, { args: ["short", 9], result: "short" }],
      call: (_context, text: string, length: number, mark = "…" as string) => {
        const characters = [...text];
        if (characters.length <= length) return text;
        const end = [...mark];
        return [...characters.slice(0, Math.max(0, length - end.length)), ...end].slice(0, Math.max(0, length)).join("");
      },
    },
    presence: {
      doc: "The value, or absent when it is null, empty or nothing but white space: the field is then left out.",
      signature: "<x-:x>", parameters: ["value"],
      examples: [{ args: ["Acme"], result: "Acme" }, { args: ["  "] }, { args: [null] }, { args: [0], result: 0 }],
      call: (_context, value: unknown) => {
        if (value === null || (typeof value === "string" && value.trim() === "")) return undefined;
        return Array.isArray(value) && value.length === 0 ? undefined : value;
      },
    },
    translate: {
      doc: "The value that a table has for a text, number or boolean; else the third argument; else absent. Only the table's own entries count.",
      signature: "<x-ox?:x>", parameters: ["value", "table", "otherwise?"],
      examples: [
        { args: ["M", { M: "male", F: "female" }], result: "male" },
        { args: [2, { 1: "new", 2: "open" }], result: "open" },
        { args: ["X", { M: "male" }, "unknown"], result: "unknown" },
        { args: ["constructor", { M: "male" }] },
      ],
      call: (_context, value: unknown, table: Record<string, unknown> | undefined, otherwise?: unknown) => {
        if (!["string", "number", "boolean"].includes(typeof value) || table === undefined) return otherwise;
        return Object.hasOwn(table, String(value)) ? table[String(value)] : otherwise;
      },
    },
  },
};

function withoutAccents(text: string): string {
  return text.replace(/[ßæÆøØœŒłŁđĐðÐþÞı]/g, (letter) => LETTERS[letter] as string).normalize("NFD").replace(/\p{M}/gu, "").normalize("NFC");
}
