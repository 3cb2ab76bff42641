/** Standard Webhooks: id, time and body, signed with HMAC-SHA256 (`v1`) or Ed25519 (`v1a`). Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md (read 2026-11). */
import { createHmac, verify } from "node:crypto";
import { defineVerifier } from "../kinds.ts";
import { equalSecretly } from "../shared/constant-time.ts";
import { publicKeys } from "../shared/public-key.ts";
import { refuse, verifierOf } from "../shared/refused.ts";
import { checkTime } from "../shared/signed-time.ts";
import { decodeAnyBase64, decodeStrictly } from "../shared/strict-encoding.ts";
import { secretOption } from "../shared/verifier-option.ts";

export interface StandardWebhooksSpec {
  /** `whsec_` keys check `v1`, `whpk_` keys `v1a`; several are separated by blanks. */
  readonly secret: string;
  readonly tolerance?: string;
  /** What the names of the three headers begin with. */
  readonly headers?: string;
}

/** Signatures and keys looked at; a rotation has two. */
const MOST = 16;

export default defineVerifier<StandardWebhooksSpec>("standard_webhooks", (spec, context) => {
  const secret = secretOption(spec.secret, context, "secret");
  const named = context.template(spec.headers ?? "webhook", "text", "headers");
  const readKey = publicKeys();
  return verifierOf(async (incoming, variables, nowMilliseconds) => {
    const keys = (await secret(variables)).trim().split(/\s+/).slice(0, MOST);
    const name = named.render(variables) || "webhook";
    const header = (part: string): string => incoming.header(`${name}-${part}`) || refuse(`header '${name}-${part}' is missing`);
    const [id, time, written] = [header("id"), header("timestamp"), header("signature")];
    const timestamp = checkTime(time, "s", spec.tolerance, nowMilliseconds);
    const signed = Buffer.concat([Buffer.from(`${id}.${time}.`), incoming.raw.body]);
    const signatures = written.split(" ").slice(0, MOST).map((part) => /^(v1a?),(.+?),?$/.exec(part)).flatMap((match) => (match === null ? [] : [{ version: match[1]!, bytes: decodeStrictly(match[2]!, "base64") }]));
    if (signatures.every(({ bytes }) => bytes === undefined)) refuse(`header '${name}-signature' holds no v1 or v1a signature in base64`);
    const isRight = keys.flatMap((key) => {
      const ofKey = signatures.filter(({ version }) => version === (key.startsWith("whpk_") ? "v1a" : "v1"));
      if (key.startsWith("whpk_")) {
        const publicKey = readKey(key);
        if (publicKey?.asymmetricKeyType !== "ed25519") return refuse("a key after 'whpk_' is no Ed25519 public key");
        return ofKey.map(({ bytes }) => bytes !== undefined && verify(null, signed, publicKey, bytes));
      }
      const bytesOfKey = decodeAnyBase64(key.replace(/^whsec_/, "")) ?? refuse("the secret is not base64");
      const expected = createHmac("sha256", bytesOfKey).update(signed).digest();
      return ofKey.map(({ bytes }) => bytes !== undefined && equalSecretly(expected, bytes));
    });
    if (!isRight.includes(true)) refuse("no signature matches: the secret or the body differs");
    return { accepted: true, timestamp, id };
  });
});
