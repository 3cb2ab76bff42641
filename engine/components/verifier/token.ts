/** A secret that comes with every request, and must be the one that was agreed. It says nothing about the body: prefer a signature. */
import { defineVerifier } from "../kinds.ts";
import { equalSecretly } from "../shared/constant-time.ts";
import { compilePlace, type PlaceSpec } from "../shared/request-place.ts";
import { refuse, verifierOf } from "../shared/refused.ts";
import { secretOption } from "../shared/verifier-option.ts";

export interface TokenVerifierSpec extends PlaceSpec { readonly secret: string; readonly prefix?: string }

export default defineVerifier<TokenVerifierSpec>("token", (spec, context) => {
  const place = compilePlace(spec, context, "token");
  const prefix = context.template(spec.prefix ?? "", "text", "prefix");
  const secret = secretOption(spec.secret, context, "secret");
  return verifierOf(async (incoming, variables) => {
    const expected = (prefix.render(variables) ?? "") + (await secret(variables));
    const given = place.read(incoming, variables);
    if (given.length === 0) refuse(`${place.say(variables)} is missing`);
    // A body with several items carries the token in each of them: one that lacks it is not from the provider.
    if (given.map((text) => equalSecretly(text, expected)).includes(false)) refuse(`${place.say(variables)} is not the secret`);
    return { accepted: true };
  });
});
