/** A signature on an elliptic curve (P-256, P-384, P-521), checked with the provider's public key. Source: FIPS 186-5 §6. */
import { verify } from "node:crypto";
import { defineVerifier } from "../kinds.ts";
import { HASHES } from "../shared/body-digest.ts";
import { publicKeys } from "../shared/public-key.ts";
import { refuse } from "../shared/refused.ts";
import { signedVerifier, type SignedSpec } from "../shared/signed-verifier.ts";
import { choiceOption, secretOption } from "../shared/verifier-option.ts";

export interface EcdsaSpec extends SignedSpec {
  readonly algorithm?: string;
  readonly key: string;
  /** `der`: ASN.1, of varying length; `ieee`: r and s, one after the other. */
  readonly format?: "der" | "ieee";
}

export default defineVerifier<EcdsaSpec>("ecdsa", (spec, context) => {
  const algorithm = choiceOption(spec.algorithm ?? spec.signature.algorithm, "sha256", HASHES, context, "algorithm");
  const key = secretOption(spec.key, context, "key");
  const read = publicKeys();
  return signedVerifier(spec, context, {
    signed: "{{timestamp}}{{request.body}}", encoding: "base64",
    async prepare(variables) {
      const publicKey = read(await key(variables));
      if (publicKey?.asymmetricKeyType !== "ec") return refuse("the key is no public key of an elliptic curve");
      const hash = algorithm(variables);
      return (signed) => (signature) => verify(hash, signed, { key: publicKey, dsaEncoding: spec.format === "ieee" ? "ieee-p1363" : "der" }, signature);
    },
  });
});
