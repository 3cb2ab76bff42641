/** HTTP Basic on the incoming request. Source: RFC 7617. */
import { defineVerifier } from "../kinds.ts";
import { equalSecretly } from "../shared/constant-time.ts";
import { refuse, verifierOf } from "../shared/refused.ts";
import { decodeStrictly } from "../shared/strict-encoding.ts";
import { secretOption } from "../shared/verifier-option.ts";

export interface BasicVerifierSpec { readonly username: string; readonly password: string }

export default defineVerifier<BasicVerifierSpec>("basic", (spec, context) => {
  const username = context.value(spec.username, "text", "username");
  const password = secretOption(spec.password, context, "password");
  return verifierOf(async (incoming, variables) => {
    const name = await username(variables);
    const expected = `${name === undefined ? refuse("the option 'username' is not set") : String(name)}:${await password(variables)}`;
    const header = incoming.header("authorization") ?? refuse("header 'authorization' is missing");
    // The scheme's name in any case (RFC 9110 §11.1).
    const credential = /^basic +(\S+)$/i.exec(header)?.[1] ?? refuse("header 'authorization' is not of the scheme Basic");
    const given = decodeStrictly(credential, "base64") ?? refuse("the credential of header 'authorization' is not base64");
    if (!equalSecretly(given, expected)) refuse("user name or password differs");
    return { accepted: true };
  });
});
