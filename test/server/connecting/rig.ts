/** A server with a workspace in force, a tenant's and the operator's keys, and a small OAuth provider on loopback. */
import { createServer as createHttp, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { openJobs, type Jobs } from "../../../engine/jobs/index.ts";
import { createKeyring, generateKey, setConnection, type Keyring } from "../../../engine/store/index.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import { createServer } from "../../../server/api/server.ts";
import { applyWorkspace } from "../../../server/workspace/apply.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

export interface Rig {
  readonly at: TestDatabase;
  readonly keyring: Keyring;
  readonly jobs: Jobs;
  readonly server: FastifyInstance;
  readonly keys: { readonly acme: string; readonly bolt: string; readonly operator: string };
  /** Everything the server logged. */
  log(): string;
  close(): Promise<void>;
}

export async function startRig(workspace: Readonly<Record<string, string>>, options: { readonly logLevel?: "info" } = {}): Promise<Rig> {
  let log = "";
  const at = await testDatabase();
  const keyring = await createKeyring({ value: generateKey() });
  const applied = await applyWorkspace({ db: at.db, trees: [{ layer: "catalogue", label: "", files: new Map(Object.entries(workspace)) }] });
  if (!applied.applied) throw new Error(JSON.stringify(applied.problems.map(({ code, params }) => ({ code, params })), undefined, 1));
  const jobs = await openJobs({ db: at.db, works: false, onError: () => undefined });
  const server = await createServer({ db: at.db, jobs, keyring, allowPrivate: true, returnOrigins: ["https://app.example.com"], logStream: { write: (line) => { log += line; } }, ...options });
  const keys = { acme: await issueKey(at.db, { name: "key of acme", scopes: ["*"], tenant: "acme" }), bolt: await issueKey(at.db, { name: "key of bolt", scopes: ["*"], tenant: "bolt" }), operator: await issueKey(at.db, { name: "operator", scopes: ["*"] }) };
  return {
    at, keyring, jobs, server, keys, log: () => log,
    async close() {
      await server.close();
      await jobs.close();
      keyring.close();
      await at.close();
    },
  };
}

/** What the operator enters once for a connector. */
export const enterApp = ({ at, keyring }: Rig, connector: string, app: { client_id: string; client_secret: string }): Promise<void> =>
  setConnection(at.db, keyring, "platform", connector, { connector, config: { client_id: app.client_id }, secrets: { client_secret: app.client_secret } });

export const CLIENT = { client_id: "app-1", client_secret: "canary-client-secret-1" };

export interface OAuthProvider {
  readonly url: string;
  /** Accounts that a consent reaches. */
  accounts: { id: string; name: string }[];
  /** Form of every request to /token and /revoke. */
  readonly asked: { readonly path: string; readonly form: URLSearchParams }[];
  readonly tokens: Map<string, { refresh: string }>;
  /** As the browser of a person who agrees: where it is sent back to. */
  consent(authorizeUrl: string): URL;
  close(): Promise<void>;
}

/** Codes and refresh tokens are good for one use; PKCE is checked. */
export async function startOAuthProvider(): Promise<OAuthProvider> {
  const { createHash, randomBytes } = await import("node:crypto");
  const codes = new Map<string, { challenge: string; redirect: string }>();
  const refreshes = new Set<string>();
  const provider: Omit<OAuthProvider, "url" | "close" | "consent"> = { accounts: [{ id: "a1", name: "First" }], asked: [], tokens: new Map() };
  const token = (): object => {
    const [access, refresh] = [`canary-access-${randomBytes(8).toString("hex")}`, `canary-refresh-${randomBytes(8).toString("hex")}`];
    provider.tokens.set(access, { refresh });
    refreshes.add(refresh);
    return { access_token: access, refresh_token: refresh, token_type: "Bearer", expires_in: 1800 };
  };
  const server: Server = createHttp((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => {
      const json = (status: number, value: unknown): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      const path = request.url!.split("?")[0]!;
      const form = new URLSearchParams(body);
      if (path === "/token" || path === "/revoke") {
        provider.asked.push({ path, form });
        if (form.get("client_id") !== CLIENT.client_id || form.get("client_secret") !== CLIENT.client_secret) return json(401, { error: "invalid_client" });
        if (path === "/revoke") { refreshes.delete(form.get("token") ?? ""); return json(200, {}); }
        if (form.get("grant_type") === "authorization_code") {
          const code = codes.get(form.get("code") ?? "");
          codes.delete(form.get("code") ?? "");
          const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
          return code?.challenge === challenge && code.redirect === form.get("redirect_uri") ? json(200, token()) : json(400, { error: "invalid_grant", error_description: `bad code ${form.get("code")}` });
        }
        return refreshes.delete(form.get("refresh_token") ?? "") ? json(200, token()) : json(400, { error: "invalid_grant" });
      }
      const bearer = request.headers.authorization?.slice("Bearer ".length) ?? "";
      if (!provider.tokens.has(bearer)) return json(401, { message: `unknown token ${bearer}` });
      if (path === "/accounts") return json(200, provider.accounts);
      return json(200, { items: [] });
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return Object.assign(provider, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    consent(authorizeUrl: string): URL {
      const asked = new URL(authorizeUrl);
      const code = `canary-code-${randomBytes(8).toString("hex")}`;
      codes.set(code, { challenge: asked.searchParams.get("code_challenge") ?? "", redirect: asked.searchParams.get("redirect_uri") ?? "" });
      const back = new URL(asked.searchParams.get("redirect_uri")!);
      back.searchParams.set("code", code);
      back.searchParams.set("state", asked.searchParams.get("state")!);
      return back;
    },
    close: () => new Promise<void>((resolve) => { server.closeAllConnections(); server.close(() => { resolve(); }); }),
  });
}

/** A connector of that provider, with streams and an account for each connection. */
export const suiteConnector = (url: string): string => `connector: suite
title: Suite
config:
  method:        { title: Sign in with, enum: [oauth, token], default: oauth }
  token:         { title: Token, secret: true, when: method = "token" }
  client_id:     { title: App client ID, scope: app }
  client_secret: { title: App client secret, scope: app, secret: true }
http:
  base_url: ${url}
  auth:
    by: config.method
    token: { type: bearer, token: "{{config.token}}" }
    oauth: { type: oauth2_authorization_code, authorize_url: "${url}/authorize", token_url: "${url}/token", revoke_url: "${url}/revoke", scopes: [read, offline], rotates: true }
check: { get: /accounts, each: $, account: id, label: name }
streams:
  people: { key: id, get: /people, records: items }
`;

export const suiteWorkspace = (url: string): Record<string, string> => ({
  "connectors/suite/connector.yaml": suiteConnector(url),
  "presets/suite/preset.yaml": "preset: suite\ntitle: Suite\nconnections:\n  suite_a: { connector: suite }\n  suite_b: { connector: suite }\n  suite_c: { connector: suite }\n  suite_d: { connector: suite }\n",
  "tenants/acme.yaml": "tenant: acme\ntitle: Acme Training\npreset: suite\n",
  "tenants/bolt.yaml": "tenant: bolt\ntitle: Bolt\npreset: suite\n",
});
