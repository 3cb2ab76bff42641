/** A token that the person entered, sent as RFC 6750 §2.1 says. */
import { defineAuth } from "../kinds.ts";

export interface BearerSpec { readonly token: string }

export default defineAuth<BearerSpec>("bearer", (spec, { template }) => {
  const token = template(spec.token, "header", "token");
  return {
    async apply(request, { variables, missing, secret }) {
      const text = token.render(variables);
      if (text === undefined || text === "") throw missing(token.reads);
      secret(text);
      request.headers.set("authorization", `Bearer ${text}`);
    },
  };
});
