/** Name and password. Source: RFC 7617. Many providers put an API key into the name and leave the password empty. */
import { defineAuth } from "../kinds.ts";
import { encodeBase64 } from "../shared/base64.ts";

export interface BasicSpec { readonly username: string; readonly password?: string }

export default defineAuth<BasicSpec>("basic", (spec, { template }) => {
  const username = template(spec.username, "text", "username");
  const password = spec.password === undefined ? undefined : template(spec.password, "text", "password");
  return {
    async apply(request, { variables, missing, secret }) {
      const name = username.render(variables);
      if (name === undefined) throw missing(username.reads);
      const word = password?.render(variables);
      if (password !== undefined && word === undefined) throw missing(password.reads);
      const credential = encodeBase64(`${name}:${word ?? ""}`);
      secret(credential);
      request.headers.set("authorization", `Basic ${credential}`);
    },
  };
});
