/** An Ed25519 signature, checked with the provider's public key. Source: RFC 8032. */
import { verify } from "node:crypto";
import { defineVerifier } from "../kinds.ts";
import { publicKeys } from "../shared/public-key.ts";
import { refuse } from "../shared/refused.ts";
import { signedVerifier, type SignedSpec } from "../shared/signed-verifier.ts";
import { secretOption } from "../shared/verifier-option.ts";

export interface Ed25519Spec extends SignedSpec { readonly key: string }

export default defineVerifier<Ed25519Spec>("ed25519", (spec, context) => {
  const key = secretOption(spec.key, context, "key");
  const read = publicKeys();
  return signedVerifier(spec, context, {
    signed: "{{timestamp}}{{request.body}}", encoding: "hex",
    async prepare(variables) {
      const publicKey = read(await key(variables));
      if (publicKey?.asymmetricKeyType !== "ed25519") return refuse("the key is no Ed25519 public key");
      return (signed) => (signature) => verify(null, signed, publicKey, signature);
    },
  });
});
