import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issueKey } from "../../../server/api/first-key.ts";
import { createServer } from "../../../server/api/server.ts";
import { listen } from "../../../server/main.ts";
import { rig, type Rig } from "../../engine/jobs/rig.ts";

let it: Rig;
let server: FastifyInstance;
let url: string;
const keys: Record<"acme" | "bolt", string> = { acme: "", bolt: "" };

beforeAll(async () => {
  it = await rig();
  await it.apply(["acme", "bolt"], { people: { title: "People" } });
  server = await createServer({ db: it.database.db, jobs: it.jobs, keyring: it.keyring, allowPrivate: true, logLevel: "silent" });
  url = await listen(server, { host: "127.0.0.1", port: 0 });
  for (const tenant of ["acme", "bolt"] as const) keys[tenant] = await issueKey(it.database.db, { name: tenant, scopes: ["runs:read"], tenant });
  await it.worker();
});
afterAll(async () => {
  await server.close();
  await it.close();
});

/** Collects what is sent until `end`. */
async function watch(tenant: "acme" | "bolt", end: AbortController): Promise<{ opened: Promise<void>; text: () => string; ended: Promise<void> }> {
  const answer = await fetch(`${url}/api/live`, { headers: { authorization: `Bearer ${keys[tenant]}` }, signal: end.signal });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  let text = "";
  const ended = (async () => {
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      resolve();
    }
  })().catch(() => undefined);
  return { opened, text: () => text, ended };
}

test("a watcher sees the runs of its tenant to their end, and nothing of another's", async () => {
  const stop = new AbortController();
  const [acme, bolt] = [await watch("acme", stop), await watch("bolt", stop)];
  await Promise.all([acme.opened, bolt.opened]);
  const run = await it.trigger("acme");
  await it.ended("acme", run);
  await expect.poll(() => acme.text()).toContain('"status":"succeeded"');
  const lines = acme.text().split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)) as { run: string; status: string; counters: { read: number } | null });
  expect(lines.every((line) => line.run === run)).toBe(true);
  expect(lines.at(-1)).toMatchObject({ status: "succeeded", counters: { read: 6 } });
  expect(bolt.text()).not.toContain(run);
  stop.abort();
  await Promise.all([acme.ended, bolt.ended]);
});

test("closing the server ends the streams, so that it can stop", async () => {
  const watched = await watch("acme", new AbortController());
  await watched.opened;
  await server.close();
  await watched.ended;
});
