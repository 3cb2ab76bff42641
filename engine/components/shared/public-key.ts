/** Public keys in the forms that providers hand out: PEM, a certificate, JWK, base64 of a DER, or the raw bytes of an Ed25519 key. */
import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { decodeAnyBase64, decodeStrictly } from "./strict-encoding.ts";

/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes. Source: RFC 8410 §4. */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** `undefined` when the text is no public key; a private one is none. `whpk_` is the prefix of Standard Webhooks. */
export function readPublicKey(text: string): KeyObject | undefined {
  // An environment variable often holds a PEM with its line breaks written as \n.
  const tidy = text.replaceAll("\\n", "\n").trim();
  try {
    if (tidy.startsWith("{")) {
      const jwk = JSON.parse(tidy) as { d?: unknown; k?: unknown };
      return jwk.d === undefined && jwk.k === undefined ? createPublicKey({ key: jwk as never, format: "jwk" }) : undefined;
    }
    const pem = /^-----BEGIN (PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END \1-----$/.exec(tidy);
    if (pem !== null) {
      const der = decodeStrictly(pem[2]!.replace(/\s+/g, ""), "base64");
      if (der === undefined) return undefined;
      return pem[1] === "CERTIFICATE" ? new X509Certificate(der).publicKey : createPublicKey({ key: der, format: "der", type: pem[1] === "PUBLIC KEY" ? "spki" : "pkcs1" });
    }
    const bare = tidy.replace(/^whpk_/, "");
    const bytes = decodeStrictly(bare, "hex") ?? decodeAnyBase64(bare.replace(/\s+/g, ""));
    if (bytes === undefined) return undefined;
    return createPublicKey({ key: bytes.length === 32 ? Buffer.concat([ED25519_SPKI, bytes]) : bytes, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** Remembers the last few: parsing one takes longer than a verification with it. */
export function publicKeys(): (text: string) => KeyObject | undefined {
  const known = new Map<string, KeyObject | undefined>();
  return (text) => {
    if (known.size > 20) known.clear();
    if (!known.has(text)) known.set(text, readPublicKey(text));
    return known.get(text);
  };
}
