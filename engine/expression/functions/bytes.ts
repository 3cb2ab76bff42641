import { LibraryError } from "./library-error.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `hex`, `base64` or `base64url` (RFC 4648 §5, without padding). @throws LibraryError ENCODING */
export function encodeBytes(bytes: Uint8Array, encoding: string): string {
  if (encoding === "hex") return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (encoding !== "base64" && encoding !== "base64url") throw new LibraryError("ENCODING", `"${encoding}" is not an encoding; write hex, base64 or base64url.`);
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x8000) chunks.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  const base64 = btoa(chunks.join(""));
  return encoding === "base64" ? base64 : base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Base64 in either alphabet, padded or not, as UTF-8 text. @throws LibraryError ENCODING */
export function textOfBase64(text: string): string {
  try {
    const binary = atob(text.trim().replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    throw new LibraryError("ENCODING", "The text is not base64 of UTF-8 text.");
  }
}

/** @throws LibraryError ENCODING */
export function textOfHex(text: string): string {
  const digits = text.trim();
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new LibraryError("ENCODING", "The text is not hex.");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
  } catch {
    throw new LibraryError("ENCODING", "The text is not hex of UTF-8 text.");
  }
}
