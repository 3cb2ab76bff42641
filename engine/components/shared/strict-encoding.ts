/**
 * Bytes from text, in one spelling only: what Node decodes leniently (stray characters, spare bits of the last digit, mixed case)
 * would let a changed signature or key pass for the real one.
 */
export type BinaryEncoding = "hex" | "base64" | "base64url";
export const BINARY_ENCODINGS = ["hex", "base64", "base64url"] as const;

/** Padding may be there or not; hex is lower-case or upper-case, not both. `undefined` for anything else. */
export function decodeStrictly(text: string, encoding: BinaryEncoding): Buffer | undefined {
  if (encoding === "hex") return text !== "" && text.length % 2 === 0 && (/^[0-9a-f]+$/.test(text) || /^[0-9A-F]+$/.test(text)) ? Buffer.from(text, "hex") : undefined;
  const bytes = Buffer.from(text, encoding);
  const written = bytes.toString(encoding);
  const bare = written.replace(/=+$/, "");
  const padded = bare.padEnd(Math.ceil(bare.length / 4) * 4, "=");
  return text !== "" && (text === bare || text === padded) ? bytes : undefined;
}

/** Base64 in either alphabet. */
export const decodeAnyBase64 = (text: string): Buffer | undefined => decodeStrictly(text, "base64") ?? decodeStrictly(text, "base64url");
