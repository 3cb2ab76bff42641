/**
 * A provider that is not ours (oidc-provider) with pages that a person clicks: for connecting by signing in, and for single
 * sign-on. Whoever signs in reaches the accounts of `accountsOf`; /people lists them as records.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import type { Page } from "playwright-core";

export const APP = { client_id: "plugboard", client_secret: "canary-app-of-the-operator" };

export interface SignInProvider {
  readonly url: string;
  /** Accounts by login; of one that is not named, the login itself. */
  readonly accountsOf: Map<string, { readonly id: string; readonly name: string }[]>;
  /** Groups by login, for single sign-on. */
  readonly groupsOf: Map<string, string[]>;
  /** From now on no token is good any more, until somebody signs in anew. */
  forgetEverybody(): void;
  /** Where it sends browsers back to; known once our server listens. */
  begin(redirectUris: readonly string[]): void;
  close(): void;
}

export async function startSignInProvider(): Promise<SignInProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const accountsOf = new Map<string, { id: string; name: string }[]>();
  const groupsOf = new Map<string, string[]>();
  let forgotten = false;
  return {
    url, accountsOf, groupsOf,
    forgetEverybody() { forgotten = true; },
    begin(redirectUris) {
      const provider = new Provider(url, {
        clients: [{ ...APP, redirect_uris: [...redirectUris], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], token_endpoint_auth_method: "client_secret_basic" }],
        features: { devInteractions: { enabled: true }, revocation: { enabled: true }, userinfo: { enabled: true } },
        scopes: ["openid", "offline_access", "email", "profile", "groups"], claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
        ttl: { AccessToken: 3600, RefreshToken: 86_400, Grant: 86_400, Session: 86_400, Interaction: 600, IdToken: 600, AuthorizationCode: 60 },
        pkce: { required: () => true },
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Desk of ${id}`, email: `${id}@desk.example`, email_verified: true, groups: groupsOf.get(id) ?? [] }) }),
        cookies: { keys: ["only for this test"] },
      });
      provider.on("grant.success", ({ oidc }) => { if (oidc.params?.["grant_type"] === "authorization_code") forgotten = false; });
      const callback = provider.callback();
      server.on("request", (request, response) => {
        const path = request.url!.split("?")[0];
        if (path !== "/accounts" && path !== "/people") return void callback(request, response);
        const token = request.headers.authorization ?? "";
        const json = (status: number, body: unknown): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        void fetch(`${url}/me`, { headers: { authorization: token } }).then(async (answer) => {
          if (!answer.ok || forgotten) return json(401, { message: "this token is good for nothing" });
          const { sub } = await answer.json() as { sub: string };
          return json(200, accountsOf.get(sub) ?? [{ id: sub, name: `Desk of ${sub}` }]);
        });
      });
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** At its pages: signs in as somebody and agrees. */
export async function agree(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder(/login/i).fill(login);
  await page.getByPlaceholder(/password/i).fill("any");
  await page.getByRole("button", { name: /sign-in/i }).click();
  await page.getByRole("button", { name: /continue/i }).click();
}

/** At its pages: goes back without agreeing. */
export const refuse = (page: Page): Promise<void> => page.getByRole("link", { name: /cancel|abort/i }).click();

/** Files of a workspace: a connector of it, an organisation that uses it, and the operator's connection for its app. */
export const deskWorkspace = (url: string): Record<string, string> => ({
  "connectors/desk/connector.yaml": `connector: desk
title: Idea Desk
config:
  client_id:     { title: App client ID, scope: app }
  client_secret: { title: App client secret, scope: app, secret: true }
http:
  base_url: ${url}
  auth:
    type: oauth2_authorization_code
    authorize_url: ${url}/auth
    token_url: ${url}/token
    revoke_url: ${url}/token/revocation
    client_auth: basic
    scopes: [openid, profile, offline_access]
    authorize_params: { prompt: login consent }
check: { get: /accounts, each: $, account: id, label: name }
streams:
  people: { key: id, get: /people, records: $ }
`,
  "schemas/entities/person.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string" } } }),
  "mappings/desk/person.yaml": "mapping: desk/person\nfrom: desk.people\nto: person\nfields: { name: name }\n",
  "tenants/platform.yaml": "tenant: platform\ntitle: Platform\nconnections: { desk: { connector: desk } }\n",
  "tenants/harbour.yaml": "tenant: harbour\ntitle: Harbour Ltd\nsubdomain: harbour\nconnections: { desk: { connector: desk } }\nflows:\n  people: { from: { stream: desk.people }, map: desk/person, to: person }\n",
});
