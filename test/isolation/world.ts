/**
 * Two customers beside each other on one server: A, who asks, and B, whose every value carries a canary. Both have people in every
 * role, keys of every scope, records, runs, connections and configuration; B's have names that A does not know.
 */
import { generateKeyPairSync } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import fs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FastifyInstance, RouteOptions } from "fastify";
import git from "isomorphic-git";
import { SignJWT } from "jose";
import { addConnectLink, listRuns, makeEndpoint, saveTokenIssuer, PLATFORM, setConnection, withTenant } from "../../engine/store/index.ts";
import { issueKey } from "../../server/api/first-key.ts";
import { grantOf, grants, isPermission, roles, scopes, type Permission, type Role } from "../../server/api/permissions.ts";
import { openWorkspace, syncMain } from "../../server/review/index.ts";
import { openStage, type Method, type Stage } from "../support/callers.ts";
import { asAdmin } from "../support/postgres.ts";
import { tapStatements, type StatementTap } from "../support/statement-tap.ts";
import { fillTenant, type Filled } from "./fill.ts";

export const A = "acme";
export const B = "bolt";
/** In everything of theirs, and nowhere else. */
export const CANARY = { [A]: "cnryacme7f", [B]: "cnrybolt9e" } as const;

export interface Route {
  readonly method: Method;
  /** As declared: `/api/runs/:id`. */
  readonly path: string;
  /** As declared by the product, whatever a mutant makes of it. */
  readonly permission: Permission;
  readonly schema: { readonly params?: JsonSchema; readonly querystring?: JsonSchema; readonly body?: JsonSchema };
}

export interface JsonSchema {
  readonly type?: string | readonly string[]; readonly properties?: Readonly<Record<string, JsonSchema>>; readonly required?: readonly string[]; readonly items?: JsonSchema; readonly enum?: readonly unknown[];
  readonly const?: unknown; readonly examples?: readonly unknown[]; readonly default?: unknown; readonly format?: string; readonly pattern?: string; readonly minLength?: number; readonly minimum?: number; readonly minItems?: number;
  readonly anyOf?: readonly JsonSchema[]; readonly oneOf?: readonly JsonSchema[]; readonly additionalProperties?: boolean | JsonSchema;
}

export interface Caller {
  readonly name: string;
  /** What they send; made anew, because a probe may have ended the one before. */
  headers(): Promise<Record<string, string>>;
  /** Whether they reach B at all, when they name it. */
  readonly reachesB: boolean;
  /** What the tables of permissions and policies give them, asking about A. */
  has(permission: Permission): boolean;
  /** Asked for every substitution, and not for its cells of the matrix only. */
  readonly thorough: boolean;
}

export interface World {
  readonly stage: Stage;
  readonly server: FastifyInstance;
  readonly routes: readonly Route[];
  readonly callers: readonly Caller[];
  readonly tap: StatementTap;
  /** B's names and ids by what they name: `connection`, `flow`, `id` … A's likewise. */
  readonly known: { readonly [A]: Known; readonly [B]: Known };
  readonly filled: { readonly [A]: Filled; readonly [B]: Filled };
  /** Lines the server logged, at level debug. */
  readonly log: { text: string };
  readonly adminUrl: string;
  /** Of B's rows in every table: changes when one of them does. */
  fingerprintOfB(): Promise<Map<string, string>>;
  close(): Promise<void>;
}

export interface Known { readonly tenantId: string; readonly uuids: readonly string[]; readonly names: Readonly<Record<string, readonly string[]>> }

/** How a mutant changes the product before it is probed. */
export interface Mutation {
  /** A route's permission, as the server is told. */
  permission?(route: { method: string; url: string; permission: Permission }): Permission;
  /** Statements on their way to PostgreSQL. */
  rewrite?(text: string): string;
  /** Run as the server's own user, after everything is set up. */
  readonly sql?: string;
}

/** Stops behind the access check, and says what it found: 299. */
export const ACCESS_ONLY = "x-isolation-access-only";
export const PROBED = 299;
export const REACHED = "x-isolation-reached";

const files = (provider: string): Record<string, string> => ({
  "workspace.yaml": "name: Isolation\ncatalogue: builtin\nreview: other\negress: { allow_private: [\"127.0.0.1\"] }\n",
  "connectors/crm/connector.yaml": `connector: crm
title: CRM
config:
  site: { title: Site }
  token: { title: Token, secret: true }
  webhook_secret: { title: Webhook secret, secret: true, optional: true }
http:
  base_url: ${provider}/{{config.site}}
  auth: { type: bearer, token: "{{config.token}}" }
check: { get: /people, query: { page: "1" } }
streams:
  people: { key: id, get: /people, query: { page: "=page.number" }, records: items, pagination: { type: page, start: 1, size: 2 } }
webhooks:
  people:
    verify: { type: hmac, algorithm: sha256, secret: "{{config.webhook_secret}}", signed: "{{request.body}}", signature: { header: x-crm-signature, encoding: hex } }
    id: body.event_id
    events:
      changed: { when: body.type = "changed", stream: people, record: body.person }
`,
  "mappings/crm/learner.yaml": "mapping: crm/learner\nfrom: crm.people\nto: learner\nfields:\n  full_name: name\n",
  "presets/small/preset.yaml": "preset: small\ntitle: Small\nconnections:\n  main: { connector: crm }\nflows:\n  people: { from: { stream: main.people, every: 1h }, map: crm/learner, to: learner }\n",
  [`tenants/${A}.yaml`]: `tenant: ${A}\ntitle: ${CANARY[A]} Ltd\nsubdomain: ${A}\npreset: small\nconnections:\n  crm_of_${A}: { connector: crm }\nflows:\n  flow_of_${A}: { from: { stream: crm_of_${A}.people, every: 2h }, map: crm/learner, to: learner }\n`,
  [`tenants/${B}.yaml`]: `tenant: ${B}\ntitle: ${CANARY[B]} Ltd\nsubdomain: ${B}\npreset: small\nlabels: { Group: ${CANARY[B]} }\nconnections:\n  main: { config: { site: ${CANARY[B]} } }\n  crm_of_${B}: { connector: crm, labels: { Secret: ${CANARY[B]} } }\nflows:\n  flow_of_${B}: { from: { stream: crm_of_${B}.people, every: 2h }, map: crm/learner, to: learner }\n`,
});

export async function openWorld(mutation: Mutation = {}): Promise<World> {
  const routes: Route[] = [];
  const listen = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook("onRoute", (route: RouteOptions & { config?: { permission?: unknown } }) => {
      const permission = route.config?.permission ?? "public";
      if (!isPermission(permission)) return;
      for (const method of [route.method].flat()) {
        if (method === "HEAD" || method === "OPTIONS") continue;
        routes.push({ method: method as Method, path: route.url, permission, schema: { ...(route.schema as Route["schema"] | undefined) } });
        if (mutation.permission !== undefined) route.config = { ...route.config, permission: mutation.permission({ method, url: route.url, permission }) };
      }
    });
  };
  const closing: (() => Promise<unknown> | unknown)[] = [];
  const provider = await startProvider();
  closing.push(provider.close);
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-isolation-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  await makeRepository(folder, files(provider.url));
  const workspace = await openWorkspace(folder);
  const log = { text: "" };

  subscribe("fastify.initialization", listen);
  const stage = await openStage({ workspace, domain: "example.com", logLevel: "debug", logStream: { write: (line) => { log.text += line; } } }).finally(() => unsubscribe("fastify.initialization", listen));
  closing.push(() => stage.close());
  const { server, rig: { database, keyring } } = stage;
  const { db, url: adminUrl } = database;
  server.addHook("preValidation", async (request, reply) => { if (request.headers[ACCESS_ONLY] === "yes") return reply.code(PROBED).send({ grant: request.grant, tenant: request.tenant }); });
  server.addHook("preHandler", async (_request, reply) => { reply.header(REACHED, "yes"); });
  await server.ready();

  const synced = await syncMain({ db, keyring, workspace }, { acceptHistory: true });
  if (synced.status !== "applied") throw new Error(`the workspace was not applied: ${JSON.stringify(synced)}`);

  // What a customer has after a while: credentials, records, runs, addresses for webhooks, invitations.
  for (const tenant of [A, B] as const) {
    for (const connection of ["main", `crm_of_${tenant}`]) {
      await setConnection(db, keyring, tenant, connection, { connector: "crm", config: { site: CANARY[tenant] }, secrets: { token: `${CANARY[tenant]}-token`, webhook_secret: `${CANARY[tenant]}-webhook` }, account: { id: `${CANARY[tenant]}-account`, label: CANARY[tenant] }, by: `${CANARY[tenant]}@example.com` });
    }
    const invited = await stage.as("tenant_admin", tenant).call("POST", "/api/invitations", { email: `${CANARY[tenant]}@example.com`, role: "recruiter" });
    if (invited.statusCode !== 201) throw new Error(`invitation of ${tenant}: ${invited.body}`);
  }
  const worker = await stage.rig.worker();
  for (const tenant of [A, B] as const) {
    for (const flow of ["people", `flow_of_${tenant}`]) {
      const answer = await stage.bearer(stage.operatorKey, "POST", `/api/integrations/${flow === "people" ? "main" : `crm_of_${tenant}`}/sync?tenant=${tenant}`, {});
      if (answer.statusCode >= 300) throw new Error(`sync of ${tenant}/${flow}: ${answer.body}`);
    }
  }
  await ended(stage);
  await worker.stop(5000);

  const filled = { [A]: await fillTenant(adminUrl, { db, keyring, tenant: A, canary: CANARY[A] }), [B]: await fillTenant(adminUrl, { db, keyring, tenant: B, canary: CANARY[B] }) } as const;
  // People whose roles and memberships probes may end, beside those who probe.
  const spare = { [A]: [await stage.person("recruiter", A), await stage.person("interviewer", A)], [B]: [await stage.person("recruiter", B), stage.as("tenant_admin", B)] } as const;
  const tokens = { [A]: (await makeEndpoint(db, A, { connector: "crm", connection: "main", feed: "people" }, "isolation")).token, [B]: (await makeEndpoint(db, B, { connector: "crm", connection: "main", feed: "people" }, CANARY[B])).token } as const;
  const known = { [A]: await knowledge(adminUrl, A, tokens[A], spare[A].map(({ id }) => id)), [B]: await knowledge(adminUrl, B, tokens[B], spare[B].map(({ id }) => id)) } as const;
  const callers = await makeCallers(stage);
  if (mutation.sql !== undefined) await asAdmin(adminUrl, mutation.sql);
  const tap = await tapStatements(adminUrl);
  tap.rewrite = mutation.rewrite;
  closing.push(() => tap.close());
  const tables = await asAdmin<{ name: string; column: string }>(adminUrl, `
    select c.relname as name, 'tenant_id' as column from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped where c.relnamespace = 'plugboard'::regnamespace and c.relkind = 'r'
    union all select f.relname, a.attname from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_attribute a on a.attrelid = f.oid and a.attnum = k.conkey[1]
      where k.contype = 'f' and k.confrelid = 'plugboard.tenants'::regclass and a.attname <> 'tenant_id' and f.relname <> 'sessions'
    union all select 'tenants', 'id' order by 1`);
  const hashes = tables.map(({ name, column }) => `select '${name}' as name, coalesce(md5(string_agg(md5(${name === "api_keys" ? "(to_jsonb(t) - 'last_used_at')" : "t"}::text), '' order by md5(${name === "api_keys" ? "(to_jsonb(t) - 'last_used_at')" : "t"}::text))), '') as hash from plugboard.${name} t where t.${column} = '${known[B].tenantId}'`).join(" union all ");
  return {
    stage, server, routes, callers, tap, known, filled, log, adminUrl,
    fingerprintOfB: async () => new Map((await asAdmin<{ name: string; hash: string }>(adminUrl, hashes)).map(({ name, hash }) => [name, hash])),
    async close() { for (const step of closing.reverse()) await step(); },
  };
}

// ── who asks ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function makeCallers(stage: Stage): Promise<Caller[]> {
  const { rig: { database: { db } } } = stage;
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const closed = () => false;
  const callers: Caller[] = [{ name: "nobody", headers: async () => ({}), reachesB: false, has: () => false, thorough: true }];
  for (const role of roles) {
    const person = stage.as(role, A);
    callers.push({ name: role, headers: async () => ({ ...(await stage.session(person)).headers }), reachesB: role === "super_admin", has: (permission) => grantOf(role, permission, closed) !== undefined, thorough: true });
  }
  const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await withTenant(db, PLATFORM, (tx) => saveTokenIssuer(tx, {
    id: "host", issuer: "https://host.example", audience: "plugboard", algorithms: ["ES256"], public_keys: [signer.publicKey.export({ format: "jwk" })], tenant_claim: "tenant", role_claim: "role", enabled: true,
  } as never));
  const now = Math.floor(Date.now() / 1000);
  const serviceToken = await new SignJWT({ iss: "https://host.example", aud: "plugboard", sub: "user-7", iat: now, exp: now + 3600, tenant: A, role: "tenant_admin" }).setProtectedHeader({ alg: "ES256" }).sign(signer.privateKey);
  callers.push({ name: "service token (tenant_admin)", headers: async () => bearer(serviceToken), reachesB: false, has: (permission) => grantOf("tenant_admin", permission, closed) !== undefined, thorough: true });

  const link = async () => bearer((await addConnectLink(db, A, { connection: "main", by: "isolation", seconds: 3600 })).token);
  callers.push({ name: "connect link", headers: link, reachesB: false, has: (permission) => permission === "connect:self", thorough: true });

  const root = stage.as("super_admin");
  callers.push({
    name: "super_admin acting as tenant_admin", reachesB: false, thorough: true, has: (permission) => grantOf("tenant_admin", permission, closed) !== undefined,
    async headers() {
      const { headers } = await stage.session(root);
      const answer = await stage.server.inject({ method: "POST", url: `/api/tenants/${A}/impersonations`, headers: { ...headers, "content-type": "application/json" }, payload: JSON.stringify({ role: "tenant_admin", reason: "isolation rig" }) });
      if (answer.statusCode !== 201) throw new Error(`impersonation: ${answer.body}`);
      const cookie = /^[^;]*/.exec(String(answer.headers["set-cookie"]))![0];
      return { cookie, "x-csrf-token": (answer.json() as { csrf_token: string }).csrf_token, "sec-fetch-site": "same-origin" };
    },
  });
  const key = (name: string, granted: readonly string[], tenant: string | undefined, thorough: boolean, within?: Role): void => {
    const of = { scopes: granted, tenant };
    const issue = () => issueKey(db, { name, scopes: [...granted], ...(tenant === undefined ? {} : { tenant }), ...(within === undefined ? {} : { within }) });
    let kept: Promise<string> | undefined;
    callers.push({
      name, thorough, reachesB: tenant === undefined, headers: async () => bearer(await (thorough ? issue() : kept ??= issue())),
      has: (permission) => grants(of, permission) && (within === undefined || grantOf(within, permission, closed) !== undefined),
    });
  };
  key("key with every scope", ["*"], A, true);
  key("operator's key", ["*"], undefined, true);
  key("key within recruiter", ["*"], A, false, "recruiter");
  for (const scope of scopes) key(`key with ${scope}`, [scope], A, false);
  return callers;
}

// ── what there is ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Every id and name of a tenant, from every table that has a tenant. */
async function knowledge(url: string, tenant: string, webhookToken: string, people: readonly string[]): Promise<Known> {
  const columns = await asAdmin<{ table: string; column: string; type: string; tenant_column: string }>(url, `
    select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type, t.attname as tenant_column from pg_class c
    join pg_attribute t on t.attrelid = c.oid and not t.attisdropped and t.attname in ('tenant_id', 'tenant') and t.atttypid = 'uuid'::regtype join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'plugboard'::regnamespace and c.relkind = 'r' and a.attname <> t.attname and format_type(a.atttypid, null) in ('uuid', 'text') order by 1, a.attnum`);
  const [row] = await asAdmin<{ id: string }>(url, `select id from tenants where slug = '${tenant}'`);
  const uuids = new Set<string>();
  const names: Record<string, Set<string>> = {};
  for (const { table, column, type, tenant_column } of columns) {
    const rows = await asAdmin<{ value: string }>(url, `select distinct ${column}::text as value from ${table} where ${tenant_column} = '${row!.id}' and ${column} is not null order by 1 desc limit 3`);
    for (const { value } of rows) {
      if (type === "uuid" && column !== "user_id") uuids.add(value);
      (names[column] ??= new Set()).add(value);
      if (column === "id") (names[table.replace(/ies$/, "y").replace(/s$/, "")] ??= new Set()).add(value);
    }
  }
  return {
    tenantId: row!.id, uuids: [...uuids, ...people],
    names: {
      ...Object.fromEntries(Object.entries(names).map(([name, values]) => [name, [...values]])),
      tenant: [tenant], connection: ["main", `crm_of_${tenant}`, `${CANARY[tenant as typeof A]}.connections.connection.0`], provider: [`crm_of_${tenant}`, "main"], flow: [`flow_of_${tenant}`, "people"],
      entity: ["learner"], stream: ["people"], connector: ["crm"], preset: ["small"], user: people, user_id: people, file: [`tenants/${tenant}.yaml`], token: [webhookToken], name: ["learner"], mapping: ["crm/learner"],
    },
  };
}

async function ended(stage: Stage): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const runs = (await Promise.all([A, B].map((tenant) => listRuns(stage.rig.database.db, tenant)))).flatMap(({ items }) => items);
    if (runs.length >= 4 && runs.every(({ finished_at }) => finished_at !== undefined)) return;
  }
  throw new Error("the first syncs did not end");
}

export async function makeRepository(folder: string, texts: Record<string, string>): Promise<void> {
  await git.init({ fs, dir: folder, defaultBranch: "main" });
  for (const [file, text] of Object.entries(texts)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
    await git.add({ fs, dir: folder, filepath: file });
  }
  await git.commit({ fs, dir: folder, message: "Begin", author: { name: "Ada", email: "ada@example.com" } });
}

/** Says in every record whose site was asked for. */
async function startProvider(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, "http://provider");
    const site = url.pathname.split("/")[1];
    const page = Number(url.searchParams.get("page"));
    const items = page > 2 ? [] : [1, 2].map((n) => ({ id: 2 * page + n, name: `${site} person ${2 * page + n}` }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items, echo: site }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => { server.closeAllConnections(); server.close(); } };
}
