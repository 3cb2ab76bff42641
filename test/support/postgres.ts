/** A database of its own for one test file, cloned from the migrated template of the suite. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { type Database, openDatabase } from "../../engine/store/index.ts";

interface Server { readonly templateUrl: string; readonly runtimeLogin: { readonly user: string; readonly password: string } }
let own: Server | undefined;
/** Scripts run without vitest, and bring the server of their run. */
export const useServer = (server: Server): void => { own = server; };
const given = <Name extends keyof Server>(name: Name): Server[Name] => own === undefined ? inject(name) as Server[Name] : own[name];

export interface TestDatabase {
  /** As the server's own user: for migrations and for looking behind row-level security. */
  readonly url: string;
  /** As who the running product logs in as. */
  readonly runtimeUrl: string;
  /** As the running product. */
  readonly db: Database;
  close(): Promise<void>;
}

export async function testDatabase(): Promise<TestDatabase> {
  const template = new URL(given("templateUrl"));
  const url = await createDatabase(template.pathname.slice(1));
  const runtimeUrl = asRuntime(url);
  const db = await openDatabase({ url: runtimeUrl, max: 5, applicationName: "plugboard test" });
  return { url, runtimeUrl, db, close: async () => { await db.close(); await dropDatabase(url); } };
}

/** The same database, logged in as the running product. */
export function asRuntime(url: string): string {
  const { user, password } = given("runtimeLogin");
  return Object.assign(new URL(url), { username: user, password }).href;
}

/** An empty database, or a clone of `template`, on the suite's server. */
export async function createDatabase(template?: string): Promise<string> {
  const url = new URL(given("templateUrl"));
  url.pathname = `/plugboard_test_${randomBytes(6).toString("hex")}`;
  await onServer(`create database ${url.pathname.slice(1)}${template === undefined ? "" : ` template ${template}`}`);
  return url.href;
}

export const dropDatabase = (url: string) => onServer(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);

async function onServer(statement: string): Promise<void> {
  const url = new URL(given("templateUrl"));
  url.pathname = "/postgres";
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Runs statements as the server's own user, past row-level security. */
export async function asAdmin<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard,pg_temp" });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}
