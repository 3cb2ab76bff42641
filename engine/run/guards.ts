/** Ends streams that would never end. Memory is bounded: a pass may have millions of keys. */
import { createHash } from "node:crypto";
import type { PageToken } from "../components/kinds.ts";

/** Page tokens remembered, in the checkpoint: a loop through more pages than this is caught by the other guards. */
const TOKENS_KEPT = 1_000;
/** Pages in a row without a key that this pass had not seen. */
export const PAGES_WITHOUT_PROGRESS = 3;

/** `undefined` for tokens that count upwards by themselves: they never repeat, and need no room in the checkpoint. */
export function tokenHash(token: PageToken): string | undefined {
  const names = Object.keys(token);
  if (names.length === 1 && (names[0] === "number" || names[0] === "offset")) return undefined;
  return createHash("sha256").update(JSON.stringify(token)).digest("base64url").slice(0, 11);
}

export const remember = (tokens: readonly string[], hash: string | undefined): readonly string[] => (hash === undefined ? tokens : [...tokens.slice(-(TOKENS_KEPT - 1)), hash]);

/**
 * Whether keys are new, in 2 MiB however many there are: a Bloom filter. It may take a new key for a seen one, never the other
 * way round: at a million keys one in a thousand, at ten million most of them, and still not a hundred on three pages in a row.
 */
export class SeenKeys {
  readonly #bits = new Uint32Array(1 << 19);
  #rowWithout = 0;

  /** Takes in a page's keys; gives the number of pages in a row, this one included, that had no new one. */
  pagesWithoutNew(keys: readonly string[]): number {
    let fresh = false;
    for (const key of keys) if (this.#add(key)) fresh = true;
    this.#rowWithout = fresh ? 0 : this.#rowWithout + 1;
    return this.#rowWithout;
  }

  #add(key: string): boolean {
    const a = fnv(key, 0x811c9dc5);
    const b = fnv(key, 0x9747b28c) | 1;
    let fresh = false;
    for (let index = 0; index < 6; index++) {
      const bit = (a + Math.imul(index, b)) >>> 8;
      const mask = 1 << (bit & 31);
      if ((this.#bits[bit >>> 5]! & mask) === 0) {
        fresh = true;
        this.#bits[bit >>> 5]! |= mask;
      }
    }
    return fresh;
  }
}

/** FNV-1a with a final mix (its high bits are weak on short keys). */
function fnv(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
