/**
 * What every signature scheme has in common: find signatures, time and id, put together the bytes that were signed, and ask the
 * scheme whether one of the signatures is right. The scheme brings only its key and its arithmetic.
 */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import type { BuildContext, Variables, Verifier } from "../kinds.ts";
import { isDigestOf, type DigestSpec } from "./body-digest.ts";
import { compilePlace, readOne, type PlaceSpec } from "./request-place.ts";
import { refuse, verifierOf } from "./refused.ts";
import { compileSignedText } from "./signed-text.ts";
import { checkTime, type TimeUnit } from "./signed-time.ts";
import { BINARY_ENCODINGS, decodeStrictly } from "./strict-encoding.ts";
import { choiceOption } from "./verifier-option.ts";

export interface SignatureSpec extends PlaceSpec {
  readonly encoding?: string;
  readonly algorithm?: string;
  readonly prefix?: string;
  /** Between several signatures, or several `key=value` members. */
  readonly separator?: string;
  /** Of `key=value` members, the one whose values are signatures. */
  readonly key?: string;
}

export interface SignedSpec {
  readonly signed?: string;
  readonly signature: SignatureSpec;
  /** `key`: a `key=value` member of the header that the signature stands in. */
  readonly timestamp?: PlaceSpec & { readonly key?: string; readonly unit?: TimeUnit; readonly tolerance?: string };
  readonly id?: PlaceSpec;
  readonly digest?: PlaceSpec & DigestSpec;
  readonly decode_in_url?: string;
}

/** Whether a signature is one of the bytes; made once per request and set of variables. */
export type Check = (signed: Uint8Array) => (signature: Uint8Array) => boolean;

export interface Scheme {
  /** What is signed where the manifest does not say. */
  readonly signed: string;
  readonly encoding: "hex" | "base64";
  /** Reads the key. May add to the variables what `signed` names. @throws Refused */
  prepare(variables: Record<string, unknown>): Promise<Check>;
}

/** More signatures than any rotation needs; each costs a verification. */
const MAX_SIGNATURES = 16;

export function signedVerifier(spec: SignedSpec, context: BuildContext, scheme: Scheme): Verifier {
  refuseUnsignedTime(spec, context, scheme);
  const signed = compileSignedText(spec.signed ?? scheme.signed, context);
  const place = compilePlace(spec.signature, context, "signature");
  const prefix = context.template(spec.signature.prefix ?? "", "text", "signature.prefix");
  const encoding = choiceOption(spec.signature.encoding, scheme.encoding, BINARY_ENCODINGS, context, "signature.encoding");
  const time = spec.timestamp === undefined || spec.timestamp.key !== undefined ? undefined : compilePlace(spec.timestamp, context, "timestamp");
  const id = spec.id && compilePlace(spec.id, context, "id");
  const digest = spec.digest && compilePlace(spec.digest, context, "digest");

  const signaturesIn = (values: readonly string[], variables: Variables): Uint8Array[] => {
    const before = prefix.render(variables) ?? "";
    const written = encoding(variables);
    const texts = values.flatMap((value) => membersOf(value, spec.signature)).filter((text) => text.startsWith(before));
    const signatures = texts.flatMap((text) => decodeStrictly(text.slice(before.length), written) ?? []);
    if (signatures.length > MAX_SIGNATURES) refuse(`${place.say(variables)} holds more than ${MAX_SIGNATURES} signatures`);
    return signatures.length > 0 ? signatures : refuse(`${place.say(variables)} holds no signature ${before === "" ? "" : `after '${before}' `}in ${written}`);
  };

  return verifierOf(async (incoming, variables, nowMilliseconds) => {
    const values = place.read(incoming, variables).filter((value) => value !== "");
    if (values.length === 0) refuse(`${place.say(variables)} is missing`);
    let timestamp: number | undefined;
    if (spec.timestamp !== undefined) {
      const text = time === undefined ? timeAmong(values, spec) : readOne(time, incoming, variables);
      timestamp = checkTime(text, spec.timestamp.unit ?? "s", spec.timestamp.tolerance, nowMilliseconds);
      variables["timestamp"] = text;
    }
    if (id !== undefined) variables["id"] = readOne(id, incoming, variables);
    const check = await scheme.prepare(variables);
    const signatures = signaturesIn(values, variables);
    const isSignature = check(await signed(variables, incoming.raw.body));
    // All of them, whichever is right: the time taken tells nothing.
    if (!signatures.map(isSignature).includes(true)) refuse("no signature matches: the secret, the body or what is signed differs");
    if (digest !== undefined && !isDigestOf(incoming.raw.body, readOne(digest, incoming, variables), spec.digest!)) refuse(`${digest.say(variables)} is not the hash of the body`);
    return { accepted: true, ...(timestamp === undefined ? {} : { timestamp }), ...(id === undefined ? {} : { id: String(variables["id"]) }) };
  }, { decodeInUrl: spec.decode_in_url ?? "" });
}

/** A time that is not signed can be changed by anybody who replays the request. What `config` says is only known later. */
function refuseUnsignedTime({ signed, timestamp }: SignedSpec, { where }: BuildContext, scheme: Scheme): void {
  const text = signed ?? scheme.signed;
  const isSigned = timestamp === undefined || /timestamp|headers|config/.test(text) || (timestamp.query !== undefined && /request\.(url|query)/.test(text)) || (timestamp.body !== undefined && /body|form/.test(text));
  if (!isSigned) throw new PlugboardError("MANIFEST_WRONG_VALUE", { field: `${where}.signed`, expected: "text that holds {{timestamp}}", actual: JSON.stringify(text), suggestion: "A time that is not signed can be changed by anybody: sign it, or leave `timestamp` out." });
}

/** The signatures of one value: all of it, the parts of a list, or the values of one key. */
function membersOf(value: string, { separator, key }: Pick<SignatureSpec, "separator" | "key">): string[] {
  if (separator === undefined && key === undefined) return [value];
  // A header sent twice is joined by a comma and a blank.
  const parts = value.split(separator ?? ",").map((part) => part.trim().replace(/,$/, ""));
  return key === undefined ? parts : parts.flatMap((part) => (part.startsWith(`${key}=`) ? [part.slice(key.length + 1).replace(/^"(.*)"$/, "$1")] : []));
}

function timeAmong(values: readonly string[], { signature, timestamp }: SignedSpec): string {
  const [first, ...more] = values.flatMap((value) => membersOf(value, { separator: signature.separator ?? ",", key: timestamp!.key! }));
  if (first === undefined) return refuse(`the signature's '${timestamp!.key!}=' is missing`);
  return more.length > 0 ? refuse(`the signature's '${timestamp!.key!}=' is there more than once`) : first;
}
