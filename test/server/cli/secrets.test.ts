import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createKeyring, describeConnection, ensureTenant, generateKey, getRun, keyStatus, listRuns, openDatabase, setConnection, tokenStore, withTenant, type Database, type Keyring } from "../../../engine/store/index.ts";
import { runCommand, startCommand } from "../../support/command.ts";
import { asAdmin, createDatabase, dropDatabase } from "../../support/postgres.ts";

const CANARY = 'c4n"ary/+=se cr3t';
let folder: string;
let url: string;
let provider: Server;
const asked: (string | undefined)[] = [];
const output: string[] = [];
let db: Database;
let keyring: Keyring;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-secrets-"));
  url = await createDatabase(new URL(inject("templateUrl")).pathname.slice(1));
  provider = createServer((request, response) => {
    asked.push(request.headers.authorization);
    const right = request.headers.authorization === `Token ${CANARY}`;
    response.writeHead(right ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(right ? { items: [{ id: 1, name: "Ann" }] } : { error: `wrong: ${request.headers.authorization}` }));
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const files: Record<string, string> = {
    "workspace.yaml": "name: Test\ncatalogue: builtin\negress: { allow_private: true }\nsecrets: { allow_env_of: { acme: [CRM_TOKEN] } }\n",
    "connectors/crm/connector.yaml": `connector: crm\ntitle: CRM\nconfig: { token: { title: Token, secret: true } }\nhttp: { base_url: "http://127.0.0.1:${(provider.address() as AddressInfo).port}", auth: { type: api_key, header: Authorization, value: "Token {{config.token}}" } }\ncheck: { get: /people }\nstreams:\n  people: { get: /people, records: items, key: id }\n`,
    "mappings/crm/person.yaml": "mapping: crm/person\nfrom: crm.people\nto: person\nfields:\n  name: name\n",
    "schemas/entities/person.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string", "x-label": "Name" } } }),
    "tenants/acme.yaml": "tenant: acme\ntitle: Acme Ltd\nconnections: { crm: { connector: crm } }\nflows:\n  people: { from: { stream: crm.people }, map: crm/person, to: person }\n",
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
});
afterAll(async () => {
  await db?.close();
  keyring?.close();
  provider.closeAllConnections();
  provider.close();
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

async function plugboard(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ended = await runCommand(args, { cwd: folder, env: { DATABASE_URL: url, ...env } });
  output.push(ended.stdout, ended.stderr);
  return ended;
}
const jsonOf = (stdout: string): Record<string, unknown> => JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>;

test("a reference is stored instead of a value, resolved by check and run, and its value stands nowhere", async () => {
  const refused = await plugboard(["connect", "acme", "crm", "--ref", "token=env:DATABASE_URL"]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/STORE_REFERENCE_REFUSED[^]*secrets\.allow_env/) });
  expect((await plugboard(["connect", "acme", "crm", "--ref", "tokn=env:CRM_TOKEN"])).code).toBe(2);
  expect(asked).toEqual([]);
  expect(await plugboard(["connect", "acme", "crm", "--ref", "token=env:CRM_TOKEN"], { CRM_TOKEN: CANARY })).toMatchObject({ code: 0, stdout: expect.stringContaining("Connected crm of acme") });
  expect(asked).toEqual([`Token ${CANARY}`]);
  expect(await plugboard(["run", "acme", "people"], { CRM_TOKEN: CANARY, PLUGBOARD_CRM_TOKEN: "a value that only stands in the environment" })).toMatchObject({ code: 0 });
  db = await openDatabase({ url, max: 3 });
  expect((await describeConnection(db, "acme", "crm"))!.secrets).toEqual({ token: { set: true, fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/), reference: "env:CRM_TOKEN", updated_at: expect.any(String), updated_by: "plugboard connect" } });
}, 60_000);

test("a reference without a value fails the run by its own code, after it was tried again, and the credential is not called broken", async () => {
  const calls = asked.length;
  const ended = await plugboard(["run", "acme", "people"]);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("STORE_REFERENCE") });
  const [last] = (await listRuns(db, "acme", { limit: 1 })).items;
  expect(await getRun(db, "acme", last!.id)).toMatchObject({ status: "failed", attempt: 3, error: { code: "STORE_REFERENCE" } });
  expect((await describeConnection(db, "acme", "crm"))!.status).toBe("ok");
  expect(asked.length).toBe(calls);
}, 60_000);

test("a wrong value that a provider quotes is redacted like any other secret", async () => {
  await plugboard(["run", "acme", "people"], { CRM_TOKEN: `${CANARY}x` });
  expect(asked.at(-1)).toBe(`Token ${CANARY}x`);
  expect((await listRuns(db, "acme", { limit: 1 })).items[0]!.error!.code).toBe("AUTH_REFUSED");
}, 60_000);

test("a rotation that is killed in the middle goes on with the same command; status says what is left", async () => {
  keyring = await createKeyring({ file: path.join(folder, ".plugboard", "kek") });
  expect((await plugboard(["connect", "acme", "crm", "--set", "token=env:MY"], { MY: CANARY })).code).toBe(0);
  expect((await describeConnection(db, "acme", "crm"))!.secrets["token"]!.reference).toBeUndefined();
  await withTenant(db, "acme", async (tx) => {
    const sealer = await keyring.of(tx);
    const names = Array.from({ length: 10_000 }, (_, n) => `a${n}`);
    await tx.query("insert into tokens (tenant_id, connection, authenticator, sealed) select $1, 'crm', * from unnest($2::text[], $3::bytea[])",
      [tx.tenantId, names, names.map((name) => sealer.seal(["plugboard/token/v1", "crm", name], `${CANARY} ${name}`))]);
  });
  const killed = startCommand(["secrets", "rotate", "acme"], { cwd: folder, env: { DATABASE_URL: url } });
  await killed.printed("sealed with data key 2");
  killed.child.kill("SIGKILL");
  const { stdout, stderr } = await killed.ended;
  output.push(stdout, stderr);
  const middle = await keyStatus(db, keyring, "acme");
  expect(middle).toMatchObject({ version: 2, rotating: true });
  expect(middle.remaining).toBeGreaterThan(0);
  expect(middle.remaining).toBeLessThan(middle.values);
  const told = await plugboard(["secrets", "status", "--json"]);
  expect(told.code).toBe(1);
  expect(jsonOf(told.stdout)).toMatchObject({ done: false, next: ["plugboard secrets rotate acme"], tenants: expect.arrayContaining([expect.objectContaining({ tenant: "acme", rotating: true, remaining: middle.remaining })]) });
  const rotated = await plugboard(["secrets", "rotate", "acme", "--json"]);
  expect(jsonOf(rotated.stdout)).toEqual({ rotated: [{ tenant: "acme", version: 2, destroyed: [1], reencrypted: middle.remaining, remaining: 0 }] });
  for (const name of ["a0", "a5000", "a9999"]) expect(await tokenStore(db, keyring, "acme", "crm")(name).read()).toEqual({ value: `${CANARY} ${name}` });
  expect(await plugboard(["secrets", "status"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing is left to do.") });
}, 60_000);

test("the key-encryption key is exchanged: both files, rotate-kek, one file", async () => {
  await ensureTenant(db, { slug: "bolt", title: "Bolt" });
  await setConnection(db, keyring, "bolt", "crm", { connector: "crm", config: {}, secrets: { token: CANARY } });
  const kek = path.join(folder, ".plugboard", "kek");
  await rename(kek, `${kek}.old`);                          // the next start makes a new one
  const waiting = await plugboard(["secrets", "status", "--json"]);
  expect(jsonOf(waiting.stdout)).toMatchObject({ done: false, next: ["plugboard secrets rotate-kek"], tenants: expect.arrayContaining([expect.objectContaining({ tenant: "acme", wrapped_by: "old" }), expect.objectContaining({ tenant: "bolt", wrapped_by: "old" })]) });
  expect(await plugboard(["secrets", "rotate-kek"])).toMatchObject({ code: 0, stdout: expect.stringContaining("2 data keys of 3 tenants") });
  expect(jsonOf((await plugboard(["secrets", "status", "--json"])).stdout)).toMatchObject({ next: [expect.stringContaining("kek.old")], tenants: expect.arrayContaining([expect.objectContaining({ tenant: "acme", wrapped_by: "current" }), expect.objectContaining({ tenant: "bolt", wrapped_by: "current" })]) });
  await rename(`${kek}.old`, path.join(folder, "kept-for-backups"));
  expect((await plugboard(["secrets", "status"])).code).toBe(0);
  expect(await plugboard(["run", "acme", "people"])).toMatchObject({ code: 0 });
  expect(await plugboard(["secrets", "status"], { PLUGBOARD_KEK: generateKey() })).toMatchObject({ code: 1, stderr: expect.stringContaining("STORE_KEY") });
  expect(await plugboard(["secrets", "rotate", "nobody"])).toMatchObject({ code: 1, stderr: expect.stringContaining("PLAN_UNKNOWN_TENANT") });
}, 90_000);

test("the canary stands in no table and in nothing that was printed, in no encoding", async () => {
  const forms = [CANARY, JSON.stringify(CANARY).slice(1, -1), encodeURIComponent(CANARY), Buffer.from(CANARY).toString("base64").replace(/=+$/, ""), Buffer.from(CANARY).toString("base64url"), Buffer.from(CANARY).toString("hex")];
  const tables = await asAdmin<{ name: string }>(url, "select c.oid::regclass::text as name from pg_class c where c.relnamespace in ('plugboard'::regnamespace, 'pgboss'::regnamespace, 'entities'::regnamespace) and c.relkind in ('r', 'p')");
  const texts: [name: string, text: string][] = [["what was printed", output.join("\n")]];
  for (const { name } of tables) texts.push([name, (await asAdmin<{ row: string }>(url, `select t::text as row from ${name} t`)).map(({ row }) => row).join("\n")]);
  expect(texts.length).toBeGreaterThan(20);
  for (const [name, text] of texts) for (const form of forms) expect(text.includes(form), `${name} shows it as ${form}`).toBe(false);
});
