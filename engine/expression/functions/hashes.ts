/** Hashes of text as UTF-8, synchronous and the same in the browser. */
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { bytesOf, encodeBytes } from "./bytes.ts";
import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

const ALGORITHMS = { md5, sha1, sha256, sha384, sha512 } as const;

export const hashes: FunctionGroup = {
  title: "Hashes",
  functions: {
    hash: {
      doc: "Hash of a text, by sha256 (default), sha384, sha512, sha1 or md5, written as hex (default), base64 or base64url. sha1 and md5 protect nothing: they are for providers that ask for them.",
      signature: "<s-s?s?:s>",
      parameters: ["text", "algorithm?", "encoding?"],
      examples: [
        { args: ["abc"], result: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { args: ["abc", "md5"], result: "900150983cd24fb0d6963f7d28e17f72" },
        { args: ["é", "sha1", "base64"], result: "vxW+cXrBsIC08cRWaSgliR/1Bz0=" },
        { args: ["abc", "sha3"], error: "ALGORITHM" },
      ],
      call: (_context, text: string, algorithm = "sha256" as string, encoding = "hex" as string) => encodeBytes(hashOf(algorithm)(bytesOf(text)), encoding),
    },
    hmac: {
      doc: "Keyed hash (HMAC) of a text; otherwise as $hash.",
      signature: "<s-ss?s?:s>",
      parameters: ["text", "key", "algorithm?", "encoding?"],
      examples: [
        // RFC 4231 §4.3, test case 2.
        { args: ["what do ya want for nothing?", "Jefe"], result: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { args: ["what do ya want for nothing?", "Jefe", "sha256", "base64url"], result: "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM" },
      ],
      call: (_context, text: string, key: string, algorithm = "sha256" as string, encoding = "hex" as string) => encodeBytes(hmac(hashOf(algorithm), bytesOf(key), bytesOf(text)), encoding),
    },
  },
};

function hashOf(algorithm: string) {
  const name = algorithm.toLowerCase().replace("-", "");
  if (!Object.hasOwn(ALGORITHMS, name)) throw new LibraryError("ALGORITHM", `"${algorithm}" is not a hash; write one of ${Object.keys(ALGORITHMS).join(", ")}.`);
  return ALGORITHMS[name as keyof typeof ALGORITHMS];
}
