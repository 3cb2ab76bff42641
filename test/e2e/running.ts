/** The whole product in one process, over HTTP: a workspace in a folder, a server that listens, a worker, and whatever stand-ins a test starts. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTransport } from "../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../engine/jobs/index.ts";
import { createKeyring, generateKey } from "../../engine/store/index.ts";
import { createUser } from "../../server/people/create-user.ts";
import type { Role } from "../../server/api/permissions.ts";
import { applyWorkspace, createServer, issueKey, listen } from "../../server/main.ts";
import { readTrees } from "../../server/workspace/read-tree.ts";
import { asAdmin, testDatabase } from "../support/postgres.ts";

export interface Answer { readonly status: number; readonly body: any }

export interface Running {
  readonly url: string;
  /** Errors that nobody asked for: none are expected. */
  readonly errors: readonly Error[];
  /** As the operator's key. `tenant` is put into the query. */
  call(method: "GET" | "POST" | "PUT" | "DELETE", route: string, tenant: string, body?: unknown): Promise<Answer>;
  /** Somebody who signed in, with a browser's cookie. */
  as(role: Role, tenant: string): Promise<(method: "GET" | "POST", route: string, body?: unknown) => Promise<Answer>>;
  /** Enters what is asked for: what the operator has to give, of which nothing can be checked. */
  enter(tenant: string, connection: string, values: { config?: object; secrets?: object }): Promise<void>;
  /** Enters what is asked for, and asks the provider. Expects it to be right. */
  connect(tenant: string, connection: string, values: { config?: object; secrets?: object }): Promise<void>;
  /** An address for a feed, of a connection or (for all customers) of a connector. */
  address(tenant: string, at: { connection: string } | { connector: string }, feed: string): Promise<string>;
  /** Runs every flow of a connection, and waits until all of that is over. */
  sync(tenant: string, connection: string): Promise<any[]>;
  /** Until nothing is queued, read, mapped or sent any more. */
  quiet(): Promise<void>;
  rows(tenant: string, entity: string): Promise<any[]>;
  deliveries(tenant: string): Promise<any[]>;
  events(tenant: string): Promise<any[]>;
  admin<Row extends object>(text: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** Everything on its way: one statement, so that nothing slips from one table to the next unseen. */
const ON_ITS_WAY = `select
  (select count(*) from events where status in ('pending', 'reading')) + (select count(*) from pending_reads) + (select count(*) from row_changes)
  + (select count(*) from deliveries where status in ('queued', 'sending', 'waiting')) + (select count(*) from runs where status in ('queued', 'running', 'waiting')) as open`;

export async function running(files: Readonly<Record<string, string>>): Promise<Running> {
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-running-"));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  const database = await testDatabase();
  const { db } = database;
  const applied = await applyWorkspace({ db, trees: readTrees(folder) });
  if (!applied.applied) throw new Error(JSON.stringify(applied.problems, null, 1));
  const keyring = await createKeyring({ value: generateKey() });
  const errors: Error[] = [];
  const onError = (cause: Error): void => void errors.push(cause);
  const jobs = await openJobs({ db, works: true, onError });
  const server = await createServer({ db, jobs, keyring, allowPrivate: true, logLevel: "silent", intake: { flood: { perSecond: 1_000, burst: 10_000 } } });
  const url = await listen(server, { host: "127.0.0.1", port: 0 });
  const transport = createTransport({ allowPrivate: true });
  const worker = startWorker({ jobs, keyring, transport, onError, schedules: false });
  const key = await issueKey(db, { name: "operator", scopes: ["*"] });

  const send = async (method: string, route: string, body: unknown, headers: Record<string, string>): Promise<Answer> => {
    const answer = await fetch(`${url}${route}`, { method, headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const it: Running = {
    url, errors,
    call: (method, route, tenant, body) => send(method, `${route}${route.includes("?") ? "&" : "?"}tenant=${tenant}`, body, { authorization: `Bearer ${key}` }),
    async as(role, tenant) {
      const [email, password] = [`${role}@${tenant}.example`, "three blue herons on a kite"];
      await createUser(db, { email, role, tenant, password }, { kind: "command", id: "test", name: "test" });
      const answer = await fetch(`${url}/api/session`, { method: "POST", headers: { "content-type": "application/json", origin: url }, body: JSON.stringify({ email, password }) });
      const cookie = answer.headers.getSetCookie().map((each) => each.split(";", 1)[0]).join("; ");
      const { csrf_token } = await answer.json() as { csrf_token: string };
      return (method, route, body) => send(method, route, body, { cookie, origin: url, "x-csrf-token": csrf_token });
    },
    async enter(tenant, connection, values) {
      const { status, body } = await it.call("PUT", `/api/connections/${connection}`, tenant, values);
      if (status !== 200) throw new Error(`${connection}: ${JSON.stringify(body)}`);
    },
    async connect(tenant, connection, values) {
      const { status, body } = await it.call("POST", `/api/integrations/${connection}/connect`, tenant, values);
      if (status !== 200 || body.error !== null) throw new Error(`${connection}: ${JSON.stringify(body)}`);
    },
    async address(tenant, at, feed) {
      const { status, body } = await it.call("POST", "connection" in at ? `/api/connections/${at.connection}/webhooks` : `/api/connectors/${at.connector}/webhooks`, tenant, { feed });
      if (status !== 201) throw new Error(JSON.stringify(body));
      return body.url as string;
    },
    async sync(tenant, connection) {
      const { status, body } = await it.call("POST", `/api/integrations/${connection}/sync`, tenant, {});
      if (status !== 202) throw new Error(JSON.stringify(body));
      await it.quiet();
      const runs = await it.call("GET", `/api/runs?connection=${connection}&limit=20`, tenant);
      return runs.body.data;
    },
    async quiet() {
      for (const end = Date.now() + 25_000; ; await new Promise((resolve) => setTimeout(resolve, 15))) {
        const [row] = await it.admin<{ open: string }>(ON_ITS_WAY);
        if (row!.open === "0") return;
        if (Date.now() > end) throw new Error(`still on its way: ${JSON.stringify(await it.admin("select status, code, reason, count(*) from deliveries group by 1, 2, 3"))} ${JSON.stringify(await it.admin("select status, code, reason, count(*) from events group by 1, 2, 3"))} ${JSON.stringify(await it.admin("select * from pending_reads"))} ${errors.map(String).join("; ")}`);
      }
    },
    rows: async (tenant, entity) => (await it.call("GET", `/api/records/${entity}?limit=1000`, tenant)).body.data,
    deliveries: async (tenant) => (await it.call("GET", "/api/deliveries?limit=1000", tenant)).body.data.toReversed(),
    events: async (tenant) => (await it.call("GET", "/api/events?limit=1000", tenant)).body.data.toReversed(),
    admin: (text) => asAdmin(database.url, text),
    async close() {
      await worker.stop(5_000);
      await server.close();
      await transport.close();
      await jobs.close();
      keyring.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return it;
}

/** A connector of the catalogue at a stand-in: only the address differs. */
export const at = (connector: string, baseUrl: string, more = ""): Record<string, string> => ({ [`connectors/${connector}/connector.yaml`]: `connector: ${connector}\nhttp: { base_url: "${baseUrl}", hosts: ["127.0.0.1"]${more} }\n` });
export const WORKSPACE = { "workspace.yaml": "name: Test\ncatalogue: builtin\nreview: self\negress: { allow_private: true }\n" };
