import { bytesOf, encodeBytes, textOfBase64, textOfHex } from "./bytes.ts";
import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

export const encodings: FunctionGroup = {
  title: "Encodings",
  functions: {
    base64_encode: {
      doc: "Text as base64 of its UTF-8 bytes. (JSONata's own $base64encode fails beyond Latin-1.)",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["é漢"], result: "w6nmvKI=" }],
      call: (_context, text: string) => encodeBytes(bytesOf(text), "base64"),
    },
    base64_decode: {
      doc: "Base64 or base64url, padded or not, to UTF-8 text.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["w6nmvKI="], result: "é漢" }, { args: ["w6nmvKI"], result: "é漢" }, { args: ["%"], error: "ENCODING" }],
      call: (_context, text: string) => textOfBase64(text),
    },
    base64url_encode: {
      doc: "Text as base64url of its UTF-8 bytes, without padding (RFC 4648 §5).",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["??>"], result: "Pz8-" }],
      call: (_context, text: string) => encodeBytes(bytesOf(text), "base64url"),
    },
    hex_encode: {
      doc: "Text as hex of its UTF-8 bytes.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["é"], result: "c3a9" }],
      call: (_context, text: string) => encodeBytes(bytesOf(text), "hex"),
    },
    hex_decode: {
      doc: "Hex to UTF-8 text.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["C3A9"], result: "é" }, { args: ["c3"], error: "ENCODING" }, { args: ["xyz"], error: "ENCODING" }],
      call: (_context, text: string) => textOfHex(text),
    },
    url_encode: {
      doc: "Text for one part of an address: everything but letters, digits and - _ . ! ~ * ' ( ) is escaped.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["a b/é"], result: "a%20b%2F%C3%A9" }],
      call: (_context, text: string) => encodeURIComponent(text.toWellFormed()),
    },
    url_decode: {
      doc: "The text of an escaped part of an address; + stays +.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: ["a%20b%2F%C3%A9"], result: "a b/é" }, { args: ["%E0%A4"], error: "ENCODING" }],
      call: (_context, text: string) => {
        try { return decodeURIComponent(text); } catch { throw new LibraryError("ENCODING", "The text is not an escaped part of an address."); }
      },
    },
    query_string: {
      doc: "An object as name=value&…, escaped as a form is. Absent and null members are left out; a list gives one pair per item.",
      signature: "<o-:s>", parameters: ["object"],
      examples: [{ args: [{ q: "a b&c", tag: ["x", "y"], none: null }], result: "q=a+b%26c&tag=x&tag=y" }],
      call: (_context, object: Record<string, unknown>) => {
        const pairs = Object.entries(object).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((item) => [name, item] as const));
        return new URLSearchParams(pairs.filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)])).toString();
      },
    },
    parse_json: {
      doc: "JSON text to its value.",
      signature: "<s-:x>", parameters: ["text"],
      examples: [{ args: ['{"a":[1,null]}'], result: { a: [1, null] } }, { args: ["{a:1}"], error: "NOT_JSON" }],
      call: (_context, text: string) => {
        try { return JSON.parse(text); } catch (thrown) { throw new LibraryError("NOT_JSON", `The text is not JSON: ${(thrown as Error).message}`); }
      },
    },
  },
};
