/**
 * Deliveries: N changes of as many rows become N deliveries, each a request to a receiver, each with its attempt kept. Beside
 * what one would write by hand: a table of jobs, taken sixteen at a time by `for update skip locked`, sent at once, marked in the
 * same transaction. The hand-written loop keeps no attempts and no order, encrypts nothing, and a crash sends its sixteen again.
 * And beside the requests alone, sixteen at once, of which nothing is kept: as fast as this machine sends and answers them.
 *
 * Then the same with 10,000 deliveries of one row waiting behind one that fails; and beside 500 to a target that answers each
 * with 500, slowly.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { Transport } from "../../engine/components/kinds.ts";
import { createTransport } from "../../engine/components/transport/http.ts";
import { startDeliverer } from "../../engine/jobs/deliverer.ts";
import { PlanCache } from "../../engine/jobs/execute-run.ts";
import { read } from "../../engine/manifest/index.ts";
import { resolvePlan, type TenantPlan } from "../../engine/plan/index.ts";
import { systemClock } from "../../engine/run/system-clock.ts";
import { buckets, claimDue, tenantsToDeliver } from "../../engine/store/index.ts";
import { openOurs, type Ours, tenantIdOf } from "./pull.ts";

const DELIVERIES = 2000;
const BEHIND = 10_000;
const FAILING = 500;
const AT_ONCE = 16;

const files = (port: number): Record<string, string> => ({
  "workspace.yaml": "name: bench\negress: { allow_private: true }\n",
  "connectors/bench/connector.yaml": `connector: bench
title: Bench
category: other
config: { token: { title: Token, secret: true } }
http:
  base_url: "http://127.0.0.1:${port}"
  auth: { type: bearer, token: "{{config.token}}" }
actions:
  add_note:
    post: /notes
    headers: { idempotency-key: "{{delivery.key}}" }
    json: { name: "=input.name", email: "=input.email", note: "=input.note" }
    input: { name: { type: string }, email: { type: string }, note: { type: string } }
    returns: { key: body.id }
    once: { key: delivery.key }
`,
  "connectors/failing/connector.yaml": `connector: failing
title: Failing
category: other
config: {}
http: { base_url: "http://127.0.0.1:${port}" }
actions:
  add_note: { post: /failing, json: { name: "=input.name" }, input: { name: { type: string } }, once: repeatable }
`,
  "mappings/bench/note.yaml": "mapping: bench/note\nfrom: person\nto: bench.add_note\nfields:\n  name: $uppercase(name)\n  email: email\n  note: note\n",
  "schemas/entities/person.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string" }, email: { type: "string" }, note: { type: "string" } } }),
  "mappings/failing/note.yaml": "mapping: failing/note\nfrom: machine\nto: failing.add_note\nfields: { name: name }\n",
  "schemas/entities/machine.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "machine", title: "Machine", type: "object", properties: { name: { type: "string" } } }),
  "tenants/bench.yaml": `tenant: bench
title: Bench
subdomain: bench
connections: { bench: { connector: bench, config: { token: not-a-secret-of-anybody } }, failing: { connector: failing } }
flows:
  notes: { from: { change: person }, map: bench/note, to: { action: bench.add_note } }
  alarms: { from: { change: machine }, map: failing/note, to: { action: failing.add_note } }
`,
});

function planAt(port: number): TenantPlan {
  const { plan, problems } = resolvePlan(read([{ layer: "workspace", label: "", files: new Map(Object.entries(files(port))) }]), "bench");
  const error = problems.find(({ severity }) => severity === "error");
  if (error !== undefined) throw new Error(`the benchmark's own configuration is wrong: ${JSON.stringify(error)}`);
  return plan;
}

export async function measureDeliveries(url: string, key: string, rounds: number): Promise<object> {
  const receiver = fork(fileURLToPath(new URL("receiver.ts", import.meta.url)), [], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const port = await new Promise<number>((resolve) => { receiver.stdout!.once("data", (line: Buffer) => resolve(Number(line.toString()))); });
  const ours = await openOurs(url, planAt(port), key);
  const admin = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await admin.connect();
  const tenantId = await tenantIdOf(url);
  const seconds = { ours: [] as number[], byHand: [] as number[], bare: [] as number[] };
  console.log(`${DELIVERIES.toLocaleString("en")} changes of rows to requests, ${AT_ONCE} at once, ${rounds} rounds in turn`);
  for (let round = 1; round <= rounds; round++) {
    seconds.bare.push(await bare(port));
    seconds.byHand.push(await byHand(admin, url, port));
    const before = process.cpuUsage();
    seconds.ours.push(await deliverAll(ours, admin, tenantId, receiver));
    const { user, system } = process.cpuUsage(before);
    console.log(`  round ${round}: requests alone ${rate(seconds.bare.at(-1)!)}/s, by hand ${rate(seconds.byHand.at(-1)!)}/s, plugboard ${rate(seconds.ours.at(-1)!)}/s (${((user + system) / 1000 / DELIVERIES).toFixed(2)} ms of this process's CPU each)`);
  }
  const behind = await behindOne(ours, admin, tenantId, receiver);
  console.log(`  with ${BEHIND.toLocaleString("en")} of one row behind one that fails: plugboard ${rate(behind.seconds)}/s; a claim then takes ${behind.claim.toFixed(1)} ms`);
  await forget(admin);
  await changes(admin, tenantId, FAILING, "machine");
  const beside = await deliverAll(ours, admin, tenantId, receiver, false);
  console.log(`  beside ${FAILING} to a target that fails: plugboard ${rate(beside)}/s`);
  receiver.disconnect();
  await admin.end();
  await ours.db.close();
  const [hand, plugboard, alone] = [median(seconds.byHand), median(seconds.ours), median(seconds.bare)];
  console.log(`  median: requests alone ${rate(alone)}/s, by hand ${rate(hand)}/s, plugboard ${rate(plugboard)}/s: ratio ${(hand / plugboard).toFixed(2)}`);
  return { requests_alone_per_second: DELIVERIES / alone, by_hand_per_second: DELIVERIES / hand, plugboard_per_second: DELIVERIES / plugboard, ratio: hand / plugboard, behind_a_failing_head: { per_second: DELIVERIES / behind.seconds, claim_ms: behind.claim }, beside_a_failing_target_per_second: DELIVERIES / beside, seconds };
}

/** Changes of rows as a page's transaction leaves them. */
const changes = (admin: pg.Client, tenantId: string, count: number, entity = "person"): Promise<unknown> => admin.query(
  `insert into row_changes (tenant_id, entity, row_id, after, links, cause, at)
   select $1, $3, gen_random_uuid(), jsonb_build_object('name', 'Person ' || n, 'email', 'person.' || n || '@example.com', 'note', repeat('Lorem ipsum dolor ', 30)), '{}', 'poll', now() from generate_series(1, $2::int) as n`, [tenantId, count, entity]);

async function deliverAll(ours: Ours, admin: pg.Client, tenantId: string, receiver: ChildProcess, clean = true): Promise<number> {
  if (clean) await forget(admin);
  await changes(admin, tenantId, DELIVERIES);
  const before = await countOf(receiver);
  const delivered = async (): Promise<number> => Number((await admin.query("select count(*) from deliveries where status = 'delivered'")).rows[0].count);
  const transport = createTransport({ allowPrivate: true });
  const begun = performance.now();
  const deliverer = startDeliverer({
    ...ours, plans: new PlanCache(ours.db), transport, buckets: buckets(ours.db), clock: systemClock, owner: "bench", slots: AT_ONCE, onError: (cause) => { console.error(cause); process.exit(1); },
  });
  while (await delivered() < DELIVERIES) await pause(50);
  const seconds = (performance.now() - begun) / 1000;
  await deliverer.stop(10_000);
  await transport.close();
  const arrived = await countOf(receiver) - before;
  if (arrived !== DELIVERIES) throw new Error(`${arrived} requests arrived for ${DELIVERIES} deliveries`);
  return seconds;
}

/** One row's head is tried again in an hour; everything behind it is due. */
async function behindOne(ours: Ours, admin: pg.Client, tenantId: string, receiver: ChildProcess): Promise<{ seconds: number; claim: number }> {
  await forget(admin);
  await admin.query(
    `insert into deliveries (tenant_id, id, flow, entity, row_id, change_seq, cause, changed_at, kind, target, operation, status, key, payload, revision, due_at, attempts)
     select $1, gen_random_uuid(), 'notes', 'person', '00000000-0000-4000-8000-000000000001', -n, 'poll', now(), 'action', 'bench', 'add_note', 'queued', n::text, '\\x00', 'r', now() + case n when 1 then interval '1 hour' else interval '-1 hour' end, case n when 1 then 1 else 0 end
     from generate_series(1, $2::int) as n`, [tenantId, BEHIND + 1]);
  await admin.query("analyze deliveries");
  const seconds = await deliverAll(ours, admin, tenantId, receiver, false);
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const begun = performance.now();
    await tenantsToDeliver(ours.db);
    await claimDue(ours.db, ours.keyring, "bench", { owner: "bench", leaseSeconds: 60, limit: AT_ONCE });
    times.push(performance.now() - begun);
  }
  return { seconds, claim: median(times) };
}

/** What one would write by hand. Seconds. */
async function byHand(admin: pg.Client, url: string, port: number): Promise<number> {
  await admin.query("create table if not exists bench_jobs (id bigint generated always as identity primary key, payload jsonb not null, status text not null default 'queued', result text, done_at timestamptz); truncate bench_jobs");
  await admin.query("insert into bench_jobs (payload) select jsonb_build_object('name', 'PERSON ' || n, 'email', 'person.' || n || '@example.com', 'note', repeat('Lorem ipsum dolor ', 30)) from generate_series(1, $1::int) as n", [DELIVERIES]);
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await client.connect();
  const transport = createTransport({ allowPrivate: true });
  const target = new URL(`http://127.0.0.1:${port}/notes`);
  const begun = performance.now();
  for (;;) {
    await client.query("begin");
    const { rows } = await client.query<{ id: string; payload: object }>("select id, payload from bench_jobs where status = 'queued' order by id limit $1 for update skip locked", [AT_ONCE]);
    if (rows.length === 0) break;
    const keys = await Promise.all(rows.map(({ id, payload }) => post(transport, target, id, payload)));
    await client.query("update bench_jobs j set status = 'delivered', result = d.key, done_at = now() from unnest($1::bigint[], $2::text[]) as d (id, key) where j.id = d.id", [rows.map(({ id }) => id), keys]);
    await client.query("commit");
  }
  const seconds = (performance.now() - begun) / 1000;
  await client.end();
  await transport.close();
  return seconds;
}

async function bare(port: number): Promise<number> {
  const transport = createTransport({ allowPrivate: true });
  const target = new URL(`http://127.0.0.1:${port}/notes`);
  let next = 0;
  const begun = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let n = next++; n < DELIVERIES; n = next++) await post(transport, target, String(n), { name: `PERSON ${n}`, email: `person.${n}@example.com`, note: "Lorem ipsum dolor ".repeat(30) });
  }));
  const seconds = (performance.now() - begun) / 1000;
  await transport.close();
  return seconds;
}

async function post(transport: Transport, url: URL, id: string, payload: object): Promise<string> {
  const answer = await transport.send({ method: "POST", url, label: "by hand", headers: new Headers({ "content-type": "application/json", authorization: "Bearer x", "idempotency-key": id }), body: JSON.stringify(payload) },
    { signal: new AbortController().signal, timeouts: { connect: 10, headers: 30, idle: 30, total: 30 }, maxBodyBytes: 65_536 });
  return (JSON.parse(Buffer.from(answer.bytes).toString()) as { id: string }).id;
}

const forget = (admin: pg.Client): Promise<unknown> => admin.query("truncate row_changes, deliveries, delivery_attempts, minted_tokens, links, breakers, rate_buckets cascade");
const countOf = (receiver: ChildProcess): Promise<number> => new Promise((resolve) => { receiver.once("message", (count) => resolve(Number(count))); receiver.send("how many"); });
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const rate = (seconds: number): string => Math.round(DELIVERIES / seconds).toLocaleString("en");
