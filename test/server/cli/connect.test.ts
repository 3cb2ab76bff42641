/** `plugboard connect` where the customer chooses the host: a stored credential stays with the address it was entered for. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { describeConnection, listAudit, openDatabase, type Database } from "../../../engine/store/index.ts";
import { startStandIn, type StandIn } from "../../../server/demo/providers/kernel.ts";
import { runCommand } from "../../support/command.ts";
import { createDatabase, dropDatabase } from "../../support/postgres.ts";

let folder: string;
let url: string;
let db: Database;
let desk: StandIn;
let elsewhere: StandIn;
/** `Authorization` of what the other address was asked. */
const leaked: (string | undefined)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-connect-"));
  url = await createDatabase(new URL(inject("templateUrl")).pathname.slice(1));
  db = await openDatabase({ url, max: 2 });
  desk = await startStandIn({}, () => ({ status: 200, body: { items: [] } }));
  elsewhere = await startStandIn({}, ({ headers }) => { leaked.push(headers.authorization); return { status: 200, body: { items: [] } }; });
  const files: Record<string, string> = {
    "workspace.yaml": "name: Test\ncatalogue: builtin\negress: { allow_private: true }\n",
    "connectors/desk/connector.yaml": `connector: desk
title: Desk
config:
  address: { title: Address }
  token: { title: Token, secret: true }
  hook_key: { title: Webhook key, secret: true, optional: true }
http: { base_url: "{{config.address}}", hosts: ["127.0.0.1"], auth: { type: bearer, token: "{{config.token}}" } }
check: { get: /tickets }
streams: { tickets: { get: /tickets, records: items, key: id } }
`,
    "tenants/acme.yaml": "tenant: acme\ntitle: Acme Ltd\nconnections: { desk: { connector: desk } }\n",
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
});
afterAll(async () => {
  await Promise.all([desk, elsewhere].map((each) => each.close()));
  await db.close();
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

const connect = (...args: string[]) => runCommand(["connect", "acme", "desk", ...args], { cwd: folder, env: { DATABASE_URL: url } });
const stored = async () => (await describeConnection(db, "acme", "desk"))!;

test("with another address the stored secrets are asked for again, and are sent nowhere; entered anew they go there, and the audit log says who did it", async () => {
  expect(await connect("--set", `address=${desk.url}`, "--set", "token=first-token", "--set", "hook_key=first-key")).toMatchObject({ code: 0 });
  const first = await stored();

  const refused = await connect("--set", `address=${elsewhere.url}`);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/AUTH_MISSING_CREDENTIAL[^]*--set token=/) });
  expect(leaked).toEqual([]);
  expect(await stored()).toEqual(first);

  const moved = await connect("--set", `address=${elsewhere.url}`, "--set", "token=second-token");
  expect(moved).toMatchObject({ code: 0, stderr: expect.stringContaining("Forgot hook_key of desk") });
  expect(leaked).toEqual(["Bearer second-token"]);
  expect(await stored()).toMatchObject({ config: { address: elsewhere.url }, secrets: { token: { set: true } }, status: "ok" });
  expect(Object.keys((await stored()).secrets)).toEqual(["token"]);

  const lines = await listAudit(db, "acme", { limit: 10, action: "connection.entered" });
  expect(lines.map(({ actor, before, after }) => [actor.kind, actor.name, Object.keys((before as any)?.secrets ?? {}).toSorted(), Object.keys((after as any).secrets).toSorted()]))
    .toEqual([["command", "plugboard connect", ["hook_key", "token"], ["token"]], ["command", "plugboard connect", [], ["hook_key", "token"]]]);
}, 120_000);

test("the same address keeps what was entered", async () => {
  expect(await connect("--set", `address=${elsewhere.url}`)).toMatchObject({ code: 0 });
  expect(leaked.at(-1)).toBe("Bearer second-token");
}, 120_000);
