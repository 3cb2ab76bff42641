/**
 * One PostgreSQL for the whole suite, with a migrated template database that every test file clones. TEST_DATABASE_URL
 * names a server to use instead; it must be one where databases and roles may be made.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../../server/embedded-postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Server of the suite; its path is the template database. */
    templateUrl: string;
    /** Who the product logs in as there. */
    runtimeLogin: { user: string; password: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const template = new URL(server.url);
  template.pathname = `/plugboard_template_${process.pid}_${Date.now()}`;
  await onServer(server.url, `create database ${template.pathname.slice(1)}`);
  const { migrate } = await import("../../engine/store/index.ts");
  await migrate({ url: template.href, login: server.login });
  project.provide("templateUrl", template.href);
  project.provide("runtimeLogin", { user: server.login.user, password: server.login.password });
  return async () => {
    await onServer(server.url, `drop database if exists ${template.pathname.slice(1)} with (force)`);
    await server.stop();
  };
}

async function startServer(): Promise<Pick<EmbeddedPostgres, "url" | "login"> & { stop(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, login: { user: "plugboard_runtime", password: "plugboard-test", ours: true }, stop: async () => undefined };
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-test-"));
  // mkdtemp closes the folder to others; as root, PostgreSQL runs as another user who must walk through it.
  await chmod(folder, 0o711);
  // Tests kill processes, never this machine: nothing here has to outlive it. Those of durability start servers of their own.
  const server = await startEmbeddedPostgres({ folder, log: () => undefined, settings: { fsync: "off", full_page_writes: "off", wal_level: "minimal", max_wal_senders: "0" } });
  return {
    url: server.url, login: server.login,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
