/** A POST in which an OAuth client proves itself. Source: RFC 6749 §2.3.1; revocation RFC 7009 §2.1. */
import { encodeBase64 } from "./base64.ts";
import { encodePairs } from "./percent.ts";
import type { AuthContext, BuildContext, OutgoingRequest, Variables } from "../kinds.ts";

export interface ClientSpec {
  readonly client_id?: string;
  readonly client_secret?: string;
  /** Where id and secret stand: the Authorization header, the form, or a JSON body. @default "form" */
  readonly client_auth?: "basic" | "form" | "json";
}

export interface Client {
  /** @throws PlugboardError AUTH_MISSING_CREDENTIAL */
  id(context: AuthContext): string;
  /** @throws PlugboardError AUTH_MISSING_CREDENTIAL */
  request(url: URL, members: Variables, context: AuthContext): OutgoingRequest;
}

export function compileClient(spec: ClientSpec, { template }: BuildContext): Client {
  const clientId = template(spec.client_id ?? "{{config.client_id}}", "text", "client_id");
  const clientSecret = template(spec.client_secret ?? "{{config.client_secret}}", "text", "client_secret");
  const rendered = (one: typeof clientId, { variables, missing }: AuthContext): string => {
    const text = one.render(variables);
    if (text === undefined || text === "") throw missing(one.reads);
    return text;
  };
  return {
    id: (context) => rendered(clientId, context),
    request(url, members, context) {
      const [id, word] = [rendered(clientId, context), rendered(clientSecret, context)];
      const headers = new Headers({ accept: "application/json" });
      const sent: Record<string, unknown> = { ...members };
      if (spec.client_auth === "basic") {
        // Both are form-encoded before they are joined.
        const credential = encodeBase64(`${encodeURIComponent(id)}:${encodeURIComponent(word)}`);
        context.secret(credential);
        headers.set("authorization", `Basic ${credential}`);
      } else {
        sent["client_id"] = id;
        sent["client_secret"] = word;
      }
      const json = spec.client_auth === "json";
      headers.set("content-type", json ? "application/json" : "application/x-www-form-urlencoded");
      return { method: "POST", url, headers, body: json ? JSON.stringify(sent) : encodePairs(sent), label: `POST ${url.pathname}` };
    },
  };
}
