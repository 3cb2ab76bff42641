/** One of the servers that `intake` compares, in a process of its own: `bare`, `insert` or `plugboard`. Prints its port. */
import Fastify from "fastify";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { createKeyring, makeEndpoint, openDatabase, saveRevision, setConnection } from "../../engine/store/index.ts";
import { openJobs } from "../../engine/jobs/index.ts";
import { createServer } from "../../server/main.ts";
import { intakePlan, SECRET } from "./intake-plan.ts";

const [mode, url, key] = process.argv.slice(2) as [string, string, string];

process.on("disconnect", () => process.exit(0));

if (mode === "plugboard") {
  const onError = (cause: Error): void => { console.error(cause.message); };
  const db = await openDatabase({ url, max: 10, applicationName: "plugboard bench", onError });
  const keyring = await createKeyring({ value: key });
  await saveRevision(db, { id: "bench-intake", plans: [intakePlan] });
  await setConnection(db, keyring, "bench_intake", "crm", { connector: "crm", config: {}, secrets: { key: SECRET } });
  const { token } = await makeEndpoint(db, "bench_intake", { connector: "crm", connection: "crm", feed: "people" }, "bench");
  const jobs = await openJobs({ db, works: false, onError });
  // The limit of one address is what is not measured here.
  const server = await createServer({ db, jobs, keyring, logLevel: "error", intake: { flood: { perSecond: 1e9, burst: 1e9 } } });
  await server.listen({ port: 0, host: "127.0.0.1" });
  process.send!({ port: (server.server.address() as AddressInfo).port, path: `/webhooks/crm/${token}` });
} else {
  const server = Fastify({ logger: false });
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  if (mode === "insert") {
    await pool.query("create table if not exists bench_hooks (id text primary key, body jsonb not null)");
    server.post("/hook", async (request, reply) => {
      const { id } = request.body as { id: string };
      await pool.query({ name: "insert", text: "insert into bench_hooks (id, body) values ($1, $2) on conflict do nothing", values: [id, JSON.stringify(request.body)] });
      return reply.code(200).send("");
    });
  } else {
    server.post("/hook", async (_request, reply) => reply.code(200).send(""));
  }
  await server.listen({ port: 0, host: "127.0.0.1" });
  process.send!({ port: (server.server.address() as AddressInfo).port, path: "/hook" });
}
