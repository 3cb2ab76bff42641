/** For whoever runs Plugboard: is it alive, is it ready. */
import type { FastifyInstance } from "fastify";
import { assertMigrated, listTenants } from "../../../engine/store/index.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { version } from "../../version.ts";
import { closed } from "../schemas.ts";
import type { Services } from "../services.ts";

const CHECK_MILLISECONDS = 1000;
const tags = ["operations"];
const check = closed({ ok: { type: "boolean" }, detail: { type: "string" } });

export function registerOperations(server: FastifyInstance, { db }: Services): void {
  server.get("/healthz", { config: { permission: "public" }, logLevel: "error", schema: { tags, summary: "Is this process alive", response: { 200: closed({ status: { type: "string" }, version: { type: "string" } }) } } },
    async () => ({ status: "ok", version }));

  server.get("/readyz", {
    config: { permission: "public" }, logLevel: "error",
    schema: { tags, summary: "Can it serve requests", description: "503 while the database is away, behind this version, or without an applied revision.", response: { "2xx": closed({ ready: { type: "boolean" }, checks: closed({ database: check, migrations: check, revision: check }) }), 503: closed({ ready: { type: "boolean" }, checks: closed({ database: check, migrations: check, revision: check }) }) } },
  }, async (_request, reply) => {
    const checks = await recently(look);
    const ready = Object.values(checks).every(({ ok }) => ok);
    return reply.code(ready ? 200 : 503).send({ ready, checks });
  });

  const look = async (): Promise<Record<"database" | "migrations" | "revision", Verdict>> => {
    const [database, migrations, revision] = await Promise.all([
      verdict(async () => { await db.pool.query("select 1"); }),
      verdict(() => assertMigrated(String(db.pool.options.connectionString))),
      verdict(async () => { if (!(await listTenants(db)).some((tenant) => tenant.revision !== undefined)) throw new PlugboardError("SERVER_NO_REVISION"); }),
    ]);
    return { database, migrations, revision };
  };
  const recently = remembering<Awaited<ReturnType<typeof look>>>(CHECK_MILLISECONDS);
}

/** Anyone may ask for readiness, so many who ask share an answer. */
function remembering<Answer>(milliseconds: number): (look: () => Promise<Answer>) => Promise<Answer> {
  let last: { readonly until: number; readonly answer: Promise<Answer> } | undefined;
  return (look) => {
    if (last === undefined || last.until < Date.now()) last = { until: Date.now() + milliseconds, answer: look() };
    return last.answer;
  };
}

interface Verdict { readonly ok: boolean; readonly detail: string }

/** The code of what is wrong, never its details: anyone may ask. */
async function verdict(check: () => Promise<unknown>): Promise<Verdict> {
  try {
    await check();
    return { ok: true, detail: "ok" };
  } catch (thrown) {
    return { ok: false, detail: thrown instanceof PlugboardError ? thrown.code : "STORE_UNREACHABLE" };
  }
}
