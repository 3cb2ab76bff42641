/**
 * A JSON Web Token: in a header, where a claim may hold the hash of the body, or as the body itself. Which algorithms count is said
 * by the manifest and never by the token, and they fit the kind of key: `none`, and a public key used as an HMAC secret, are
 * refused. Source: RFC 7519, RFC 8725 §3.1.
 */
import { createSecretKey, type KeyObject } from "node:crypto";
import { errors, jwtVerify, type JWTPayload } from "jose";
import { PlugboardError } from "../../errors/plugboard-error.ts";
import { defineVerifier } from "../kinds.ts";
import { isDigestOf, type DigestSpec } from "../shared/body-digest.ts";
import { durationSeconds } from "../shared/duration.ts";
import { readPublicKey } from "../shared/public-key.ts";
import { refuse, verifierOf } from "../shared/refused.ts";
import { TOLERANCE } from "../shared/signed-time.ts";
import { decodeAnyBase64, decodeStrictly } from "../shared/strict-encoding.ts";
import { secretOption } from "../shared/verifier-option.ts";

export interface JwtSpec {
  readonly algorithm?: string | readonly string[];
  readonly key: string;
  readonly key_encoding?: "utf8" | "base64" | "hex";
  /** `body`, or a header's name. */
  readonly in?: string;
  readonly prefix?: string;
  readonly claims?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly tolerance?: string;
  readonly digest?: DigestSpec & { readonly claim: string };
}

/** Keys of a set that are tried. */
const MAX_KEYS = 16;

export default defineVerifier<JwtSpec>("jwt", (spec, context) => {
  const algorithms = [spec.algorithm ?? "RS256"].flat();
  const isShared = algorithms.every((name) => name.startsWith("HS"));
  if (!isShared && algorithms.some((name) => name.startsWith("HS"))) {
    throw new PlugboardError("MANIFEST_WRONG_VALUE", { field: `${context.where}.algorithm`, expected: "algorithms of one kind: with a shared secret (HS…), or with a public key", actual: algorithms.join(", "), suggestion: "With both, a public key could be used as the secret." });
  }
  const key = secretOption(spec.key, context, "key");
  const [issuer, audience] = [spec.issuer, spec.audience].map((text, index) => (text === undefined ? undefined : secretOption(text, context, index === 0 ? "issuer" : "audience")));
  const place = spec.in ?? "authorization";
  const tolerance = durationSeconds(spec.tolerance ?? TOLERANCE);
  return verifierOf(async (incoming, variables, nowMilliseconds) => {
    const carried = place === "body" ? Buffer.from(incoming.raw.body).toString("latin1") : (incoming.header(place) ?? refuse(`header '${place}' is missing`));
    const where = place === "body" ? "the body" : `header '${place}'`;
    const token = carried.startsWith(spec.prefix ?? "") ? carried.slice((spec.prefix ?? "").length) : refuse(`${where} does not begin with '${spec.prefix!}'`);
    const parts = token.split(".").map((part) => decodeStrictly(part, "base64url"));
    if (parts.length !== 3 || parts.includes(undefined)) refuse(`${where} is no signed token`);
    const material = await key(variables);
    const keys = isShared ? [sharedKey(material, spec.key_encoding ?? "utf8")] : publicKeysOf(material, kidOf(parts[0]!));
    const options = {
      algorithms, clockTolerance: tolerance, currentDate: new Date(nowMilliseconds),
      ...(issuer === undefined ? {} : { issuer: await issuer(variables) }), ...(audience === undefined ? {} : { audience: await audience(variables) }),
    };
    const payload = await verified(token, keys, options);
    checkAge(payload, tolerance, nowMilliseconds / 1000);
    if (spec.digest !== undefined && !isDigestOf(incoming.raw.body, String(payload[spec.digest.claim] ?? ""), spec.digest)) refuse(`the token's claim '${spec.digest.claim}' is not the hash of the body`);
    return {
      accepted: true,
      ...(payload.iat === undefined ? {} : { timestamp: payload.iat * 1000 }),
      ...(typeof payload.jti === "string" ? { id: payload.jti } : {}),
      ...(place === "body" ? { body: payload } : {}),
      ...(spec.claims === undefined ? {} : { variables: { [spec.claims]: payload } }),
    };
  });
});

async function verified(token: string, keys: readonly KeyObject[], options: Parameters<typeof jwtVerify>[2]): Promise<JWTPayload> {
  const reasons = new Set<string>();
  for (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (thrown) {
      reasons.add(reasonOf(thrown));
    }
  }
  return refuse([...reasons].join("; "));
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof errors.JWTExpired) return "the token has expired";
  if (thrown instanceof errors.JWTClaimValidationFailed) return `the token's claim '${thrown.claim}' is not what it must be`;
  if (thrown instanceof errors.JOSEAlgNotAllowed) return "the token's algorithm is not the one that is allowed";
  if (thrown instanceof errors.JWSSignatureVerificationFailed) return "the token's signature does not match the key";
  // A key of another kind than the token's algorithm.
  return thrown instanceof TypeError ? "the key does not fit the token's algorithm" : "this is no signed token that can be read";
}

/** A token that says no end is good for as long as clocks may differ; one that says no time at all, for ever. */
function checkAge({ iat, exp }: JWTPayload, tolerance: number, now: number): void {
  if (iat === undefined) return;
  if (iat - now > tolerance) refuse("the token was issued in the future");
  if (exp === undefined && now - iat > tolerance) refuse("the token is too old, and names no end");
}

function sharedKey(text: string, encoding: "utf8" | "base64" | "hex"): KeyObject {
  if (text.includes("-----BEGIN") || text.trimStart().startsWith("{")) return refuse("the key is a public key, not the secret that HS algorithms need");
  const bytes = encoding === "utf8" ? Buffer.from(text) : encoding === "hex" ? decodeStrictly(text, "hex") : decodeAnyBase64(text);
  return bytes === undefined ? refuse(`the key is not ${encoding}`) : createSecretKey(bytes);
}

/** One key, or those of a set: the one the token names, or all where it names none of them. */
function publicKeysOf(text: string, kid: string | undefined): readonly KeyObject[] {
  const members = membersOf(text);
  const named = members.filter((member) => kid !== undefined && member.kid === kid);
  const found = (named.length > 0 ? named : members).slice(0, MAX_KEYS).flatMap(({ text: each }) => readPublicKey(each) ?? []);
  return found.length > 0 ? found : refuse("the key is no public key (PEM, certificate, JWK or JWKS)");
}

function membersOf(text: string): readonly { readonly text: string; readonly kid?: unknown }[] {
  try {
    const parsed = JSON.parse(text) as { keys?: unknown };
    if (Array.isArray(parsed.keys)) return parsed.keys.map((member: { kid?: unknown }) => ({ text: JSON.stringify(member), kid: member.kid }));
  } catch { /* Not JSON: a PEM. */ }
  return [{ text }];
}

function kidOf(header: Uint8Array): string | undefined {
  try {
    const { kid } = JSON.parse(Buffer.from(header).toString()) as { kid?: unknown };
    return typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}
