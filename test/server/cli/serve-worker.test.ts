import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { inject } from "vitest";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDatabase, dropDatabase } from "../../support/postgres.ts";

const MAIN = new URL("../../../server/cli/main.ts", import.meta.url).pathname;

let folder: string;
let url: string;
let provider: Server;
let gate: PromiseWithResolvers<void> | undefined;
let reached: PromiseWithResolvers<void>;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-serve-"));
  url = await createDatabase(new URL(inject("templateUrl")).pathname.slice(1));
  reached = Promise.withResolvers();
  gate = undefined;
  provider = createServer((request, response) => {
    void (async () => {
      const page = Number(new URL(request.url!, "http://x").searchParams.get("page"));
      if (page === 2 && gate) {
        reached.resolve();
        await gate.promise;
      }
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items: page > 4 ? [] : [{ id: page, name: `person ${page}` }] }));
    })();
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  for (const [file, text] of Object.entries(workspace((provider.address() as AddressInfo).port))) {
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  provider.closeAllConnections();
  provider.close();
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

const workspace = (port: number): Record<string, string> => ({
  "workspace.yaml": "name: Test\ncatalogue: builtin\negress: { allow_private: true }\n",
  "connectors/crm/connector.yaml": `connector: crm\ntitle: CRM\nhttp: { base_url: "http://127.0.0.1:${port}" }\nstreams:\n  people: { get: /people, records: items, key: id, pagination: { type: page, start: 1, size: 1 }, query: { page: "=page.number" } }\n`,
  "mappings/crm/person.yaml": "mapping: crm/person\nfrom: crm.people\nto: person\nfields:\n  name: name\n",
  "schemas/entities/person.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string", "x-label": "Name" } } }),
  "tenants/acme.yaml": "tenant: acme\ntitle: Acme Ltd\nconnections: { crm: { connector: crm } }\nflows:\n  people: { from: { stream: crm.people }, map: crm/person, to: person }\n",
});

interface Command { readonly child: ChildProcess; readonly output: () => string; says(pattern: RegExp): Promise<RegExpExecArray>; readonly ended: Promise<number | null> }

function plugboard(...args: string[]): Command {
  const child = spawn(process.execPath, [MAIN, ...args, "--workspace", folder, "--data", path.join(folder, ".plugboard"), "--database-url", url], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let text = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk: Buffer) => { text += chunk.toString(); });
  const ended = new Promise<number | null>((resolve) => { child.on("exit", (code) => resolve(code)); });
  return {
    child, ended, output: () => text,
    async says(pattern) {
      for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
        const found = pattern.exec(text);
        if (found) return found;
        if (Date.now() > end || child.exitCode !== null) throw new Error(`never said ${pattern}:\n${text}`);
      }
    },
  };
}

test("serve and worker share a database: a sync asked of the one is done by the other, and SIGTERM finishes the page", async () => {
  const serve = plugboard("serve", "--port", "0");
  const [, key] = await serve.says(/(pbk_\S+)/);
  const [, address] = await serve.says(/Listening on (\S+);/);
  const headers = { authorization: `Bearer ${key}` };
  const call = async (method: string, route: string) => (await fetch(`${address}${route}`, { method, headers })).json() as Promise<Record<string, never>>;
  expect(await call("GET", "/readyz")).toMatchObject({ ready: true });

  gate = Promise.withResolvers();
  const first = plugboard("worker");
  await first.says(/is ready/);
  const { runs: [run] } = (await call("POST", "/api/integrations/crm/sync?tenant=acme")) as unknown as { runs: [{ id: string }] };
  await reached.promise;
  first.child.kill("SIGTERM");
  await first.says(/SIGTERM: 1 under way/);
  gate.resolve();
  expect(await first.ended).toBe(0);
  expect(await call("GET", `/api/runs/${run.id}?tenant=acme`)).toMatchObject({ status: "queued", attempt: 1 });

  const second = plugboard("worker", "--slots", "1");
  await second.says(/acme\/people {2}succeeded/);
  expect(await call("GET", `/api/runs/${run.id}?tenant=acme`)).toMatchObject({ status: "succeeded", attempt: 2, counters: { read: 4 } });
  expect((await call("GET", "/api/records/person?tenant=acme"))["data"]).toHaveLength(4);

  // What the workers did is heard by the server.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const metrics = await (await fetch(`${address}/metrics`, { headers })).text();
  expect(metrics).toMatch(/^plugboard_runs_ended_total\{status="succeeded"\} 1$/m);
  expect(metrics).toMatch(/^plugboard_records_total\{outcome="created"\} 4$/m);

  for (const { child } of [serve, second]) child.kill("SIGTERM");
  expect(await Promise.all([serve.ended, second.ended])).toEqual([0, 0]);
  expect(serve.output() + first.output() + second.output()).not.toMatch(/at .*\.ts:\d+/);
}, 60_000);

test("serve refuses a workspace with an error, shows its place, and serves nothing", async () => {
  await writeFile(path.join(folder, "tenants/acme.yaml"), workspace(1)["tenants/acme.yaml"]!.replace("crm.people", "crm.peeple"));
  const serve = plugboard("serve", "--port", "0");
  expect(await serve.ended).toBe(1);
  expect(serve.output()).toContain("tenants/acme.yaml:5:");
  expect(serve.output()).not.toContain("Listening");
}, 60_000);
