import { PlugboardError } from "../../errors/plugboard-error.ts";

/**
 * Text of a body in the charset its content-type names (UTF-8 without one); a byte order mark goes. Wrong bytes are refused, not
 * replaced: a replaced character would be stored as if the provider had said it.
 * @throws PlugboardError RUN_NOT_DECODABLE naming the byte offset.
 */
export function decodeText(bytes: Uint8Array, headers: Readonly<Record<string, string>>): string {
  const named = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers["content-type"] ?? "")?.[1] ?? "utf-8";
  const marked = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : named;
  try {
    return new TextDecoder(marked, { fatal: true }).decode(bytes);
  } catch (thrown) {
    const unknown = thrown instanceof RangeError;
    throw new PlugboardError("RUN_NOT_DECODABLE", {
      expected: `text in ${marked}`, request: "the request", detail: unknown ? "this charset is not known" : `byte ${wrongByte(bytes, marked)} is not ${marked}`,
    }, { cause: thrown });
  }
}

/** Offset of the first byte that does not decode, found by halving: a decoder does not say. */
function wrongByte(bytes: Uint8Array, charset: string): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder(charset, { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}
