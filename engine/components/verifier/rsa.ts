/** An RSA signature, checked with the provider's public key or certificate. Source: RFC 8017 §8.1 (PSS), §8.2 (PKCS #1 v1.5). */
import { constants, verify } from "node:crypto";
import { defineVerifier } from "../kinds.ts";
import { HASHES } from "../shared/body-digest.ts";
import { publicKeys } from "../shared/public-key.ts";
import { refuse } from "../shared/refused.ts";
import { signedVerifier, type SignedSpec } from "../shared/signed-verifier.ts";
import { choiceOption, secretOption } from "../shared/verifier-option.ts";

export interface RsaSpec extends SignedSpec { readonly algorithm?: string; readonly key: string; readonly padding?: "pkcs1" | "pss" }

export default defineVerifier<RsaSpec>("rsa", (spec, context) => {
  const algorithm = choiceOption(spec.algorithm ?? spec.signature.algorithm, "sha256", HASHES, context, "algorithm");
  const key = secretOption(spec.key, context, "key");
  const read = publicKeys();
  const padding = spec.padding === "pss" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return signedVerifier(spec, context, {
    signed: "{{request.body}}", encoding: "base64",
    async prepare(variables) {
      const publicKey = read(await key(variables));
      if (publicKey?.asymmetricKeyType !== "rsa") return refuse("the key is no RSA public key");
      const hash = algorithm(variables);
      return (signed) => (signature) => verify(hash, signed, { key: publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature);
    },
  });
});
