/**
 * One of the two that `actions` compares, in a process of its own: `plugboard` (server and worker, as `plugboard start` runs them)
 * or `bare`, which answers a request and calls the receiver with what it was sent. Says where it listens.
 */
import { createHash } from "node:crypto";
import Fastify from "fastify";
import type { AddressInfo } from "node:net";
import { createTransport } from "../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../engine/jobs/index.ts";
import { read } from "../../engine/manifest/index.ts";
import { resolvePlan } from "../../engine/plan/index.ts";
import { createKeyring, makeEndpoint, openDatabase, saveRevision, setConnection } from "../../engine/store/index.ts";
import { createServer } from "../../server/main.ts";
import { fixtureFiles, SECRET, TENANT, TOKEN } from "../faults/push/fixture.ts";

const [mode, url, key, receiver] = process.argv.slice(2) as [string, string, string, string];

process.on("disconnect", () => process.exit(0));

if (mode === "plugboard") {
  const onError = (cause: Error): void => { console.error(cause.message); };
  const db = await openDatabase({ url, applicationName: "plugboard bench", onError });
  const keyring = await createKeyring({ value: key });
  const { plan } = resolvePlan(read([{ layer: "workspace", label: "", files: fixtureFiles() }]), TENANT);
  await saveRevision(db, { id: createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16), plans: [plan] });
  await setConnection(db, keyring, TENANT, "crm", { connector: "crm", config: { url: receiver }, secrets: { key: SECRET } });
  await setConnection(db, keyring, TENANT, "shop", { connector: "shop", config: { url: receiver }, secrets: { token: TOKEN } });
  const { token } = await makeEndpoint(db, TENANT, { connector: "crm", connection: "crm", feed: "orders" }, "bench");
  const jobs = await openJobs({ db, works: true, onError });
  const server = await createServer({ db, jobs, keyring, logLevel: "error" });
  startWorker({ jobs, keyring, transport: createTransport({ allowPrivate: true }), schedules: false, onError });
  await server.listen({ port: 0, host: "127.0.0.1" });
  process.send!({ port: (server.server.address() as AddressInfo).port, path: `/webhooks/crm/${token}` });
} else {
  const server = Fastify({ logger: false });
  server.post("/hook", async (request, reply) => {
    void fetch(`${receiver}/notes`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(renamed(request.body as { order: { id: string; n: number } })) }).then((answer) => answer.arrayBuffer());
    return reply.code(200).send("");
  });
  await server.listen({ port: 0, host: "127.0.0.1" });
  process.send!({ port: (server.server.address() as AddressInfo).port, path: "/hook" });
}

function renamed({ order: { id, n } }: { order: { id: string; n: number } }): object {
  return { ref: id, n };
}
