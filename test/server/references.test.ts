import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReferences } from "../../server/references.ts";

const use = { tenant: "acme", connection: "crm", field: "token" };
let folder: string;
let secretsDir: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-references-"));
  secretsDir = path.join(folder, "secrets");
  await mkdir(path.join(secretsDir, "crm"), { recursive: true });
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text, { mode: 0o600 });
  await write("secrets/crm/token", "from a file\n");
  await write("secrets/empty", "\n");
  await write("secrets/large", "x".repeat(65 * 1024));
  await write("secrets/open", "anyone writes it");
  await chmod(path.join(secretsDir, "open"), 0o666);
  await write("outside", "not for you");
  await symlink(path.join(folder, "outside"), path.join(secretsDir, "way_out"));
  await mkdir(path.join(folder, "secrets-of-others"));
  await write("secrets-of-others/token", "not for you either");
  // As mounted secrets are: a link to the current one of several folders.
  await mkdir(path.join(secretsDir, "..data"));
  await write("secrets/..data/mounted", "mounted");
  await symlink(path.join("..data", "mounted"), path.join(secretsDir, "mounted"));
  execFileSync("mkfifo", [path.join(secretsDir, "pipe")]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const references = (change: Partial<Parameters<typeof createReferences>[0]> = {}) =>
  createReferences({ environment: { CRM_TOKEN: "from the environment", DATABASE_URL: "postgres://u:p@h/d", EMPTY: "" }, allowEnv: ["OPERATOR_TOKEN"], allowEnvOf: { acme: ["CRM_TOKEN", "EMPTY", "UNSET"] }, secretsDir, ...change });

test("a tenant reads the variables that are listed for it, the operator every one that is listed", async () => {
  const resolver = references();
  const check = (name: string, tenant: string) => () => resolver.check(`env:${name}`, { ...use, tenant });
  expect(check("CRM_TOKEN", "platform")).not.toThrow();
  expect(check("OPERATOR_TOKEN", "platform")).not.toThrow();
  expect(check("OPERATOR_TOKEN", "acme")).toThrow(/allow_env_of/);
  expect(check("CRM_TOKEN", "bolt")).toThrow(/for bolt/);
  expect(check("CRM_TOKEN", "constructor")).toThrow(/allow_env_of/);
});

test("a variable that the workspace lists is read each time it is used", async () => {
  const environment: Record<string, string> = { CRM_TOKEN: "one" };
  const resolver = references({ environment });
  expect(await resolver.resolve("env:CRM_TOKEN", use)).toBe("one");
  environment["CRM_TOKEN"] = "two";
  expect(await resolver.resolve("env:CRM_TOKEN", use)).toBe("two");
});

test("a variable that is not listed is refused, however it is set, and the setting is named", async () => {
  expect(() => references().check("env:DATABASE_URL", use)).toThrow(/secrets\.allow_env/);
  await expect(references().resolve("env:DATABASE_URL", use)).rejects.toMatchObject({ code: "STORE_REFERENCE_REFUSED", params: { connection: "crm", field: "token" } });
  await expect(references().resolve("env:CRM_TOKE", use)).rejects.toMatchObject({ hint: "Did you mean env:CRM_TOKEN?" });
  for (const name of ["PATH", "constructor", "__proto__", "crm_token", " CRM_TOKEN"]) await expect(references().resolve(`env:${name}`, use)).rejects.toMatchObject({ code: "STORE_REFERENCE_REFUSED" });
});

test.each(["env:UNSET", "env:EMPTY", "file:nowhere", "file:empty", "file:crm/token/deeper"])("%s, allowed but without a value, is no refused credential: it may be there later", async (reference) => {
  expect(() => references().check(reference, use)).not.toThrow();
  await expect(references().resolve(reference, use)).rejects.toMatchObject({ code: "STORE_REFERENCE", entry: { retry: "backoff" } });
});

test("a file inside the folder is read, relative or absolute, also through links that stay inside", async () => {
  expect(await references().resolve("file:crm/token", use)).toBe("from a file");
  expect(await references().resolve(`file:${path.join(secretsDir, "crm", "token")}`, use)).toBe("from a file");
  expect(await references().resolve("file:mounted", use)).toBe("mounted");
});

test.each(["file:../outside", "file:way_out", "file:crm/../../outside", "file:../secrets-of-others/token", "file:/etc/passwd", "file:.", "file:crm", "file:pipe", "file:open", "file:large"])("%s is refused, and nothing of it is told", async (reference) => {
  const refusal = await references().resolve(reference, use).then(() => undefined, (thrown: unknown) => thrown);
  expect(refusal).toMatchObject({ code: "STORE_REFERENCE_REFUSED" });
  expect(String((refusal as Error).stack)).not.toMatch(/not for you|root:|anyone writes/);
});

test("without a folder no file is read, and the setting is named", async () => {
  await expect(references({ secretsDir: undefined }).resolve("file:crm/token", use)).rejects.toThrow(/PLUGBOARD_SECRETS_DIR/);
});

test.each(["CRM_TOKEN", "vault:mount/path#field", "ENV:CRM_TOKEN", "env:", "", "https://x"])("'%s' is no reference here", async (reference) => {
  await expect(references().resolve(reference, use)).rejects.toMatchObject({ code: "STORE_REFERENCE_REFUSED" });
});

test("another source stands behind the same two functions", async () => {
  const resolver = references({ schemes: { vault: { check: () => undefined, resolve: async (rest, { tenant }) => `${tenant}:${rest}` } } });
  expect(await resolver.resolve("vault:kv/crm#token", use)).toBe("acme:kv/crm#token");
});

test("a file that is replaced is read anew", async () => {
  await writeFile(path.join(secretsDir, "next"), "second", { mode: 0o600 });
  const resolver = references();
  await rename(path.join(secretsDir, "next"), path.join(secretsDir, "crm", "token"));
  expect(await resolver.resolve("file:crm/token", use)).toBe("second");
});
