/**
 * Secrets written through every door of the product, each used, each made to fail; and then every byte that the product wrote
 * or answered is searched for them: logs at level debug, answers, every row of every table, Git's objects, files.
 *
 * A secret of ours carries one marker; one that the product makes (a key, a token) is searched as it is. Each in plain, base64,
 * base64url, hexadecimal, URL-encoded and JSON-escaped: the marker's base64 in all three alignments, because it stands in the middle.
 */
import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import { SignJWT } from "jose";
import { addConnectLink, makeEndpoint } from "../../engine/store/index.ts";
import { createReferences } from "../../server/references.ts";
import { openWorkspace, syncMain } from "../../server/review/index.ts";
import { openStage, PASSWORD, type Method, type PersonCaller } from "../support/callers.ts";
import { asAdmin, createDatabase, dropDatabase } from "../support/postgres.ts";
import { makeRepository } from "./world.ts";

export interface CanaryReport {
  /** Doors through which a secret went. */
  readonly doors: readonly string[];
  /** What was searched, in bytes. */
  readonly searched: Readonly<Record<string, number>>;
  readonly hits: readonly { readonly where: string; readonly what: string; readonly encoding: string; readonly excerpt: string }[];
  /** Doors that did not take what they were given, so that they prove nothing. */
  readonly closed: readonly string[];
}

const MAIN = fileURLToPath(new URL("../../server/cli/main.ts", import.meta.url));

/** @param folders searched besides: where the product keeps its data. */
export async function searchCanaries({ folders = [], commandLine = true }: { folders?: readonly string[]; commandLine?: boolean } = {}): Promise<CanaryReport> {
  const marker = `cnry${randomBytes(6).toString("hex")}`;
  const doors: string[] = [];
  const closed: string[] = [];
  /** Made by the product, shown once: by name, with the answer that showed it. */
  const shown = new Map<string, { readonly secret: string; readonly answer: string }>();
  const secretOf = (door: string): string => { doors.push(door); return `${marker}"\\/+ é&=${door}`; };
  const answers: string[] = [];
  const log = { text: "" };
  const closing: (() => Promise<unknown> | unknown)[] = [];
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-canary-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  try {
    const provider = await echo();
    closing.push(provider.close);
    const [root, secrets] = [path.join(folder, "workspace"), path.join(folder, "secrets")];
    await mkdir(secrets, { recursive: true });
    await writeFile(path.join(secrets, "token"), secretOf("reference file"), { mode: 0o600 });
    await makeRepository(root, workspaceOf(provider.url));
    const workspace = await openWorkspace(root);
    const stage = await openStage({ workspace, references: createReferences({ environment: {}, allowEnv: [], secretsDir: secrets }), publicUrl: "https://plugboard.example", logLevel: "debug", logStream: { write: (line) => { log.text += line; } } });
    closing.push(() => stage.close());
    const { database, keyring } = stage.rig;
    const synced = await syncMain({ db: database.db, keyring, workspace }, { acceptHistory: true });
    if (synced.status !== "applied") throw new Error(JSON.stringify(synced));
    const root_ = stage.as("super_admin");
    const call = async (who: PersonCaller | string | undefined, method: Method, url: string, body?: unknown): Promise<{ status: number; body: any; text: string }> => {
      const answer = typeof who === "object" ? await who.call(method, url, body) : await stage.bearer(who, method, url, body);
      const text = `${JSON.stringify(answer.headers)}\n${answer.body}`;
      answers.push(text);
      return { status: answer.statusCode, body: text.includes("application/json") ? answer.json() : undefined, text };
    };
    const take = async (door: string, sent: Promise<{ status: number; text: string }>): Promise<void> => { const { status, text } = await sent; if (status >= 300) closed.push(`${door}: ${status} ${text.slice(-200)}`); };
    const keep = (name: string, secret: unknown, answer: string): void => {
      doors.push(name);
      if (typeof secret === "string" && secret.length > 10) shown.set(name, { secret, answer }); else closed.push(`${name}: nothing was shown`);
    };

    // ── entered ───────────────────────────────────────────────────────────────────────────────────────────────────────
    const form = secretOf("connect form");
    await take("connect form", call(root_, "PUT", "/api/connections/main?tenant=acme", { config: { site: "acme" }, secrets: { token: form, webhook_secret: secretOf("webhook secret") } }));
    await take("reference file", call(root_, "PUT", "/api/connections/named?tenant=acme", { config: { site: "acme" }, references: { token: "file:token" } }));
    await take("OAuth client secret", call(root_, "PUT", "/api/connections/oauth?tenant=platform", { config: { client_id: "app" }, secrets: { client_secret: secretOf("OAuth client secret") } }));
    await take("OIDC provider secret", call(root_, "PUT", "/api/sign-in-providers/house", { issuer: `${provider.url}/issuer`, client_id: "us", client_secret: secretOf("OIDC provider secret"), scopes: ["openid"], roles: {} }));
    const link = await addConnectLink(database.db, "bolt", { connection: "main", by: "canary", seconds: 600 });
    keep("connect link's token", link.token, "");
    await take("connect link", call(link.token, "POST", "/api/connect-link/connect", { config: { site: "bolt" }, secrets: { token: secretOf("connect link") } }));
    const person = await stage.person("tenant_admin", "acme", "canary@acme.example");
    const password = secretOf("password");
    await take("password", call(person, "PUT", "/api/session/password", { current: PASSWORD, password }));
    const session = await call(undefined, "POST", "/api/session", { email: "canary@acme.example", password });
    keep("session", /__Host-sid=([^;]+)/.exec(session.text)?.[1], session.text);
    await call(undefined, "POST", "/api/session", { email: "canary@acme.example", password: secretOf("wrong password") });
    await call(undefined, "POST", "/api/session", { email: secretOf("password where the name belongs"), password: "x" });

    // ── made ──────────────────────────────────────────────────────────────────────────────────────────────────────────
    const key = await call(stage.as("tenant_admin"), "POST", "/api/keys?tenant=acme", { name: "canary", scopes: ["runs:read"] });
    keep("API key", Object.values(key.body ?? {}).find((value) => typeof value === "string" && value.startsWith("pbk_")), key.text);
    await call(String(shown.get("API key")?.secret), "GET", "/api/runs?tenant=acme");
    await call(`${shown.get("API key")?.secret.slice(0, -2)}zz`, "GET", "/api/runs?tenant=acme");
    const endpoint = await call(root_, "PUT", "/api/webhook-endpoints/product?tenant=acme", { url: "https://product.example.com/hooks" });
    keep("endpoint secret", endpoint.body?.secret, endpoint.text);
    const invited = await call(stage.as("tenant_admin"), "POST", "/api/invitations?tenant=acme", { email: "invited@acme.example", role: "recruiter" });
    keep("invitation", /(?:invitation|token|#)[=/]?([\w-]{24,})/.exec(String(invited.body?.link ?? invited.body?.url ?? invited.body?.token ?? ""))?.[1] ?? invited.body?.token, invited.text);
    const address = await makeEndpoint(database.db, "acme", { connector: "crm", connection: "main", feed: "people" }, "canary");
    keep("webhook address", address.token, "");
    await stage.server.inject({ method: "POST", url: `/webhooks/crm/${address.token}`, payload: JSON.stringify({ event_id: "1", type: "changed" }), headers: { "content-type": "application/json", "x-crm-signature": "00" } }).then(({ body }) => answers.push(body));
    const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await call(root_, "PUT", "/api/token-issuers/host", { issuer: "https://host.example", audience: "plugboard", algorithms: ["ES256"], public_keys: [signer.publicKey.export({ format: "jwk" })] });
    const now = Math.floor(Date.now() / 1000);
    const jwt = await new SignJWT({ iss: "https://host.example", aud: "plugboard", sub: "7", iat: now, exp: now + 600, tenant: "acme", role: "tenant_admin" }).setProtectedHeader({ alg: "ES256" }).sign(signer.privateKey);
    await take("service token", call(jwt, "GET", "/api/runs"));
    keep("service token", jwt.split(".")[2], "");
    await call(`${jwt.slice(0, -4)}AAAA`, "GET", "/api/runs");

    // ── used, and refused ─────────────────────────────────────────────────────────────────────────────────────────────
    for (const connection of ["main", "named"]) {
      doors.push(`proxied call (${connection})`);
      await take(`proxied call (${connection})`, call(root_, "GET", `/api/connections/${connection}/proxy/acme/people?page=1&tenant=acme`));
      await call(root_, "POST", `/api/connections/${connection}/check?tenant=acme`);
    }
    const worker = await stage.rig.worker();
    for (const fails of [false, true]) {
      provider.fails = fails;
      for (const [tenant, connection] of [["acme", "main"], ["acme", "named"], ["bolt", "main"]] as const) {
        if (fails) await call(root_, "POST", `/api/connections/${connection}/check?tenant=${tenant}`);
        if (fails) await call(root_, "GET", `/api/connections/${connection}/proxy/acme/people?page=1&tenant=${tenant}`);
        const run = await call(stage.operatorKey, "POST", `/api/integrations/${connection}/sync?tenant=${tenant}`, {});
        if (run.status >= 300) closed.push(`sync of ${tenant}/${connection}: ${run.text.slice(-200)}`);
      }
      for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
        const [{ n }] = await asAdmin<{ n: number }>(database.url, "select count(*)::int as n from runs where status in ('queued', 'running')") as [{ n: number }];
        if (n === 0) break;
      }
    }
    doors.push("provider's error echo");
    await worker.stop(2000);
    if (provider.asked.every((header) => !header.includes(marker))) closed.push("no request to the provider carried a secret");

    // Values in places that are not for secrets, and values that are refused.
    await call(root_, "PUT", "/api/connections/desk?tenant=acme", { config: { url: `https://user:${encodeURIComponent(secretOf("URL with userinfo"))}@127.0.0.1/x` }, secrets: { token: "t0ken-of-desk" } });
    await call(root_, "PUT", "/api/webhook-endpoints/other?tenant=acme", { url: `https://user:${encodeURIComponent(secretOf("endpoint's URL with userinfo"))}@product.example.com/hooks` });
    await call(root_, "PUT", "/api/connections/main?tenant=acme", { config: { site: 7 }, secrets: { token: { nested: secretOf("refused form") }, misspelt: secretOf("misspelt field") } });
    await call(root_, "PUT", "/api/connections/main?tenant=acme", { config: { site: "acme", token: secretOf("secret among the config") } });
    await call(stage.operatorKey, "GET", `/api/runs?tenant=acme&cursor=${encodeURIComponent(secretOf("a query that is refused"))}`);
    await call(undefined, "GET", `/api/sign-in/oidc/house/callback?code=${encodeURIComponent(secretOf("a sign-in's code"))}&state=x`);
    await call(undefined, "GET", `/oauth/callback?code=${encodeURIComponent(secretOf("a provider's code"))}&state=x`);
    for (const url of ["/api/connections?tenant=acme", "/api/connections/main?tenant=acme", "/api/connections/named?tenant=acme", "/api/connections?tenant=platform", "/api/audit?tenant=acme&limit=1000", "/api/audit?tenant=platform&limit=1000", "/api/runs?tenant=acme", "/api/runs?tenant=bolt", "/api/events?tenant=acme", "/api/events/refused?tenant=acme", "/api/deliveries?tenant=acme",
      "/api/sign-in-providers", "/api/keys?tenant=acme", "/api/webhook-endpoints?tenant=acme", "/api/invitations?tenant=acme", "/api/users?tenant=acme", "/api/connect-links?tenant=bolt", "/api/quarantine?tenant=acme", "/api/tenants/acme/export", "/api/tenants/bolt/export", "/api/audit/export?tenant=acme", "/api/integrations/main/status?tenant=acme", "/api/integrations/main/history?tenant=acme", "/metrics"]) await call(root_, "GET", url);
    for (const tenant of ["acme", "bolt"]) for (const run of ((await call(root_, "GET", `/api/runs?tenant=${tenant}`)).body as { data: { id: string }[] }).data) await call(root_, "GET", `/api/runs/${run.id}/log?tenant=${tenant}`);

    // A database of its own, because the commands have a key of their own.
    const typedUrl = commandLine ? await createDatabase() : undefined;
    if (typedUrl !== undefined) closing.push(() => dropDatabase(typedUrl));
    const printed = typedUrl === undefined ? "" : await typed({ root, url: typedUrl, folder, secrets: [secretOf("--set on the command line"), `${marker}${doors.push("--set without a field")}`, secretOf("address of the database")] });
    if (typedUrl !== undefined && !/Connected|Stored/.test(printed)) closed.push(`--set on the command line: ${printed.slice(0, 300)}`);

    // ── searched ──────────────────────────────────────────────────────────────────────────────────────────────────────
    const hits: CanaryReport["hits"][number][] = [];
    const searched: Record<string, number> = {};
    const search = (where: string, bytes: Buffer | string, own?: string): void => {
      const buffer = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      const kind = where.split(":")[0]!;
      searched[kind] = (searched[kind] ?? 0) + buffer.length;
      const look = (what: string, forms: ReadonlyMap<string, string>): void => {
        for (const [encoding, form] of forms) {
          const at = buffer.indexOf(form);
          if (at >= 0) hits.push({ where, what, encoding, excerpt: buffer.subarray(Math.max(0, at - 100), at + 80).toString("utf8").replace(/[^\x20-\x7e]/g, "·") });
        }
      };
      look("marker", markerForms(marker));
      for (const [name, { secret, answer }] of shown) if (own === undefined || own !== answer) look(name, secretForms(secret));
    };
    search("log", log.text);
    search("command line", printed);
    for (const [index, answer] of answers.entries()) search(`answers:${index}`, answer, answer);
    for (const [name, text] of [...await dump(database.url), ...(typedUrl === undefined ? [] : await dump(typedUrl))]) search(`database:${name}`, text);
    for await (const [name, bytes] of filesBelow(path.join(root, ".git"))) search(`git:${name}`, /objects\/[0-9a-f]{2}\//.test(name) ? inflateSync(bytes) : bytes);
    for (const below of [path.join(folder, "data"), ...folders]) for await (const [name, bytes] of filesBelow(below)) if (!isKeyFile(name)) search(`disk:${name}`, bytes);
    return { doors, searched, hits, closed };
  } finally {
    for (const step of closing.reverse()) await step();
  }
}

/** The files that hold what opens everything else. */
const isKeyFile = (name: string): boolean => /(^|\/)(kek|api-key)$/.test(name);

// ── encodings ───────────────────────────────────────────────────────────────────────────────────────────────────────

function markerForms(marker: string): Map<string, string> {
  const forms = new Map([["plain, URL-encoded or JSON-escaped", marker], ["hexadecimal", Buffer.from(marker).toString("hex")]]);
  for (let shift = 0; shift < 3; shift++) {
    const whole = Buffer.concat([Buffer.alloc(shift), Buffer.from(marker)]).toString("base64");
    // What depends on the bytes before and after is cut off.
    forms.set(`base64, shifted by ${shift}`, whole.slice(shift === 0 ? 0 : 4, Math.floor((shift + marker.length) / 3) * 4));
  }
  return forms;
}

function secretForms(secret: string): Map<string, string> {
  const bytes = Buffer.from(secret);
  return new Map([["plain", secret], ["base64", bytes.toString("base64").replace(/=+$/, "")], ["base64url", bytes.toString("base64url")], ["hexadecimal", bytes.toString("hex")], ["URL-encoded", encodeURIComponent(secret)], ["JSON-escaped", JSON.stringify(secret).slice(1, -1)]]);
}

// ── what was written ────────────────────────────────────────────────────────────────────────────────────────────────

/** Every row of every table as text, its bytes once in hexadecimal and once escaped. */
async function dump(url: string): Promise<[name: string, text: string][]> {
  const tables = await asAdmin<{ name: string }>(url, "select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'");
  const found: [string, string][] = [];
  for (const { name } of tables) {
    for (const output of ["hex", "escape"]) {
      const rows = await asAdmin<{ row: string }>(`${url}?options=${encodeURIComponent(`-c bytea_output=${output} -c search_path=plugboard`)}`, `select t::text as row from ${name} t`);
      found.push([`${name} (${output})`, rows.map(({ row }) => row).join("\n")]);
    }
  }
  return found;
}

async function* filesBelow(folder: string): AsyncGenerator<[name: string, bytes: Buffer]> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const file = path.join(entry.parentPath, entry.name);
    // A server removes files while it works.
    const bytes = entry.isFile() ? await readFile(file).catch(() => undefined) : undefined;
    if (bytes !== undefined) yield [path.relative(folder, file), bytes];
  }
}

/** What the commands print for values that were typed, right and wrong. */
async function typed({ root, url, folder, secrets: [set, malformed, userinfo] }: { root: string; url: string; folder: string; secrets: readonly string[] }): Promise<string> {
  const run = (args: readonly string[], environment: Record<string, string> = {}) => new Promise<string>((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, DATABASE_URL: url, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => { output += chunk.toString(); });
    child.on("close", (code) => resolve(`${output}\n[exit ${code}]\n`));
  });
  const common = ["--no-check", "--workspace", root, "--data", path.join(folder, "data")];
  const bad = new URL(url);
  bad.password = userinfo!;
  bad.port = "1";
  return (await Promise.all([
    run(["connect", "acme", "main", "--set", `token=${set}`, "--set", "site=acme", ...common]),
    run(["connect", "acme", "main", "--set", malformed!, ...common]),
    run(["connect", "acme", "main", "--set", "site=acme", ...common], { DATABASE_URL: bad.href }),
  ])).join("\n");
}

// ── the provider ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Repeats what it was sent, in headers and bodies, as a careless provider does; fails when told to. */
async function echo(): Promise<{ url: string; fails: boolean; readonly asked: string[]; close(): void }> {
  const asked: string[] = [];
  const it = { url: "", fails: false, asked, close: () => { server.closeAllConnections(); server.close(); } };
  const server = createServer((request, response) => {
    const sent = String(request.headers["x-token"] ?? "");
    asked.push(sent);
    const page = Number(new URL(request.url!, "http://provider").searchParams.get("page") ?? 1);
    response.setHeader("x-echo", sent);
    if (it.fails) return void response.writeHead(403, { "content-type": "application/json" }).end(JSON.stringify({ error: `the token ${sent} is not allowed`, decoded: sent, request: request.url, base64: Buffer.from(sent).toString("base64") }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items: page > 1 ? [] : [{ id: 1, name: "One" }], you_sent: sent, decoded: sent, hex: Buffer.from(sent).toString("hex") }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return it;
}

const workspaceOf = (provider: string): Record<string, string> => {
  const tenant = (id: string): string => `tenant: ${id}\ntitle: ${id} Ltd\nconnections:\n  main: { connector: crm }\n  named: { connector: crm }\n  desk: { connector: desk }\nflows:\n  people: { from: { stream: main.people, every: 1h }, map: crm/learner, to: learner }\n  others: { from: { stream: named.people, every: 1h }, map: crm/learner, to: learner }\n`;
  return {
    "workspace.yaml": "name: Canary\ncatalogue: builtin\nreview: other\negress: { allow_private: [\"127.0.0.1\"] }\n",
    "connectors/crm/connector.yaml": `connector: crm
title: CRM
config:
  site: { title: Site }
  token: { title: Token, secret: true }
  webhook_secret: { title: Webhook secret, secret: true, optional: true }
http:
  base_url: ${provider}
  auth: { type: api_key, header: x-token, value: "{{config.token}}" }
check: { get: "/{{config.site}}/people", query: { page: "1" } }
streams:
  people: { key: id, get: "/{{config.site}}/people", query: { page: "=page.number" }, records: items, pagination: { type: page, start: 1, size: 1 } }
webhooks:
  people:
    verify: { type: hmac, algorithm: sha256, secret: "{{config.webhook_secret}}", signed: "{{request.body}}", signature: { header: x-crm-signature, encoding: hex } }
    id: body.event_id
    events:
      changed: { when: body.type = "changed", stream: people, record: body.person }
`,
    "connectors/desk/connector.yaml": `connector: desk
title: Desk
config:
  url: { title: Address }
  token: { title: Token, secret: true }
http:
  base_url: "{{config.url}}"
  hosts: ["127.0.0.1"]
  auth: { type: bearer, token: "{{config.token}}" }
streams:
  people: { key: id, get: /people, records: items }
`,
    "connectors/oauth/connector.yaml": `connector: oauth
title: OAuth
config:
  client_id: { title: Client, scope: app }
  client_secret: { title: Client secret, secret: true, scope: app }
http:
  base_url: ${provider}
  auth: { type: oauth2_client_credentials, token_url: ${provider}/token, client_id: "{{config.client_id}}", client_secret: "{{config.client_secret}}" }
streams:
  people: { key: id, get: /people, records: items }
`,
    "mappings/crm/learner.yaml": "mapping: crm/learner\nfrom: crm.people\nto: learner\nfields:\n  full_name: name\n",
    "tenants/acme.yaml": tenant("acme"), "tenants/bolt.yaml": tenant("bolt"),
    "tenants/platform.yaml": "tenant: platform\ntitle: Operator\nconnections:\n  oauth: { connector: oauth }\n",
  };
};
