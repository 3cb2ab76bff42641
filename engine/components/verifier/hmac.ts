/** A keyed hash over parts of the request. Source: RFC 2104; what is hashed differs by provider, so it is a template. */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { defineVerifier } from "../kinds.ts";
import { HASHES } from "../shared/body-digest.ts";
import { equalSecretly } from "../shared/constant-time.ts";
import { refuse } from "../shared/refused.ts";
import { signedVerifier, type SignedSpec } from "../shared/signed-verifier.ts";
import { decodeAnyBase64, decodeStrictly } from "../shared/strict-encoding.ts";
import { choiceOption, secretOption } from "../shared/verifier-option.ts";

export interface HmacSpec extends SignedSpec {
  readonly algorithm?: string;
  readonly secret: string;
  readonly secret_encoding?: string;
  /** Taken off before the rest is decoded. */
  readonly secret_prefix?: string;
}

const SECRET_ENCODINGS = ["utf8", "base64", "hex"] as const;

export default defineVerifier<HmacSpec>("hmac", (spec, context) => {
  const algorithm = choiceOption(spec.algorithm ?? spec.signature.algorithm, "sha256", HASHES, context, spec.algorithm === undefined ? "signature.algorithm" : "algorithm");
  const secret = secretOption(spec.secret, context, "secret");
  const encoding = choiceOption(spec.secret_encoding, "utf8", SECRET_ENCODINGS, context, "secret_encoding");
  // Node takes three times as long where it is given the bytes, and making its key object as long as the hash of a small body.
  let made: { readonly text: string; readonly encoding: string; readonly key: KeyObject } | undefined;
  const keyFor = (text: string, written: (typeof SECRET_ENCODINGS)[number]): KeyObject => {
    if (made?.text !== text || made.encoding !== written) made = { text, encoding: written, key: createSecretKey(keyOf(text, written, spec.secret_prefix ?? "")) };
    return made.key;
  };
  return signedVerifier(spec, context, {
    signed: "{{request.body}}", encoding: "hex",
    async prepare(variables) {
      const key = keyFor(await secret(variables), encoding(variables));
      const hash = algorithm(variables);
      return (signed) => {
        const expected = createHmac(hash, key).update(signed).digest();
        return (signature) => equalSecretly(expected, signature);
      };
    },
  });
});

function keyOf(text: string, encoding: (typeof SECRET_ENCODINGS)[number], prefix: string): Uint8Array {
  const bare = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const key = encoding === "utf8" ? Buffer.from(bare) : encoding === "hex" ? decodeStrictly(bare, "hex") : decodeAnyBase64(bare);
  return key === undefined || key.length === 0 ? refuse(`the secret is not ${encoding === "utf8" ? "there behind its prefix" : encoding}`) : key;
}
