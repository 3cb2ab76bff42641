/**
 * A plain hash over text that holds the secret: older than HMAC, still sent by some. A hash that begins with the secret can be
 * continued by whoever sees it (length extension), so prefer any other scheme the provider offers.
 */
import { createHash } from "node:crypto";
import { defineVerifier } from "../kinds.ts";
import { HASHES } from "../shared/body-digest.ts";
import { equalSecretly } from "../shared/constant-time.ts";
import { signedVerifier, type SignedSpec } from "../shared/signed-verifier.ts";
import { choiceOption, secretOption } from "../shared/verifier-option.ts";

export interface DigestVerifierSpec extends SignedSpec { readonly algorithm?: string; readonly secret: string }

export default defineVerifier<DigestVerifierSpec>("digest", (spec, context) => {
  const algorithm = choiceOption(spec.algorithm ?? spec.signature.algorithm, "sha256", HASHES, context, "algorithm");
  const secret = secretOption(spec.secret, context, "secret");
  return signedVerifier(spec, context, {
    signed: "{{secret}}{{request.body}}", encoding: "hex",
    async prepare(variables) {
      variables["secret"] = await secret(variables);
      const hash = algorithm(variables);
      return (signed) => {
        const expected = createHash(hash).update(signed).digest();
        return (signature) => equalSecretly(expected, signature);
      };
    },
  });
});
