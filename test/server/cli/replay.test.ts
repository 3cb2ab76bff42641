import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { runCommand } from "../../support/command.ts";
import { createDatabase, dropDatabase } from "../../support/postgres.ts";

let folder: string;
let url: string;
let provider: Server;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-replay-"));
  url = await createDatabase(new URL(inject("templateUrl")).pathname.slice(1));
  provider = createServer((_request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items: [1, 2, 3].map((id) => ({ id, title: `person ${id}` })) })));
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const { port } = provider.address() as AddressInfo;
  await write("workspace.yaml", "name: Test\ncatalogue: builtin\negress: { allow_private: true }\n");
  await write("connectors/crm/connector.yaml", `connector: crm\ntitle: CRM\nhttp: { base_url: "http://127.0.0.1:${port}" }\nstreams:\n  people: { get: /people, records: items, key: id }\n`);
  await write("schemas/entities/person.schema.json", JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", required: ["name"], properties: { name: { type: "string", "x-label": "Name" } } }));
  await write("tenants/acme.yaml", "tenant: acme\ntitle: Acme Ltd\nconnections: { crm: { connector: crm } }\nflows:\n  people: { from: { stream: crm.people }, map: crm/person, to: person, quarantine: { share: 1, count: 100 } }\n");
  await map("name");
});
afterEach(async () => {
  provider.closeAllConnections();
  provider.close();
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

const write = async (file: string, text: string): Promise<void> => {
  await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
  await writeFile(path.join(folder, file), text);
};
const map = (expression: string): Promise<void> => write("mappings/crm/person.yaml", `mapping: crm/person\nfrom: crm.people\nto: person\nfields:\n  name: ${expression}\n`);
const plugboard = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCommand([...args, "--json"], { cwd: folder, env: { DATABASE_URL: url } });
  const last = stdout.trim().split("\n").at(-1)!;
  try {
    return { code, said: JSON.parse(last) };
  } catch {
    throw new Error(`exit ${code}\n${stdout}\n${stderr}`);
  }
};

test("the quarantine is told by reason, and tried again when asked for or by the next run of a mended mapping", async () => {
  expect(await plugboard("run", "acme", "people")).toMatchObject({ code: 0, said: { status: "succeeded_with_quarantine", counters: { quarantined: 3 } } });
  const open = [{ connection: "crm", flow: "people", code: "MAPPING_INVALID", count: 3, keys: expect.arrayContaining(["1", "2", "3"]) }];
  expect(await plugboard("quarantine", "acme")).toEqual({ code: 0, said: { tenant: "acme", open } });
  // Tried again, and read again: six refusals of the same three.
  expect(await plugboard("replay", "acme", "people")).toMatchObject({ code: 0, said: { runs: [{ flow: "people", counters: { read: 6, quarantined: 6 } }], kept: [], open, ok: true } });
  await map("title");
  expect(await plugboard("replay", "acme", "people")).toMatchObject({ code: 0, said: { runs: [{ status: "succeeded", counters: { read: 6, created: 3, unchanged: 3 } }], open: [] } });
  expect(await plugboard("replay", "acme")).toEqual({ code: 0, said: { tenant: "acme", runs: [], kept: [], open: [], ok: true } });
}, 120_000);

test("a flow that the tenant does not have is named, with what it has", async () => {
  const { code, stderr } = await runCommand(["replay", "acme", "peopel"], { cwd: folder, env: { DATABASE_URL: url } });
  expect([code, stderr]).toEqual([1, expect.stringContaining("PLAN_UNKNOWN_FLOW")]);
  expect(stderr).toContain("people");
});
