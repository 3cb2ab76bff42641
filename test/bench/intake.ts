/**
 * Requests a second that are proven and on disk before they are answered, beside a bare Fastify that answers and one that makes
 * one insert. The same bodies of about 2 KB with ids of their own, 50 connections, in turn; server, PostgreSQL and the sender
 * share this machine.
 */
import { fork } from "node:child_process";
import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import pg from "pg";
import { SECRET } from "./intake-plan.ts";

const CONNECTIONS = 50;
const SECONDS = 5;
/** More than any of them takes in one round: a copy would cost less. */
const BODIES = 60_000;
const MODES = ["bare", "insert", "plugboard"] as const;
type Mode = (typeof MODES)[number];

interface Round { readonly perSecond: number; readonly p50: number; readonly p99: number; readonly max: number }

export async function measureIntake(url: string, key: string, rounds: number): Promise<object> {
  const results: Record<Mode, Round[]> = { bare: [], insert: [], plugboard: [] };
  let serial = 0;
  console.log(`intake: bodies of about 2 KB, ${CONNECTIONS} connections, ${SECONDS} s each, ${rounds} rounds in turn`);
  for (let round = 1; round <= rounds; round++) {
    for (const mode of MODES) {
      const bodies = makeBodies(`${round}-${serial++}`);
      results[mode].push(await measure(mode, url, key, bodies));
    }
    console.log(`  round ${round}: ${MODES.map((mode) => `${mode} ${Math.round(results[mode].at(-1)!.perSecond).toLocaleString("en")}/s p99 ${results[mode].at(-1)!.p99} ms`).join(", ")}`);
  }
  const median = (mode: Mode, of: keyof Round): number => results[mode].map((round) => round[of]).toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
  const ratio = median("plugboard", "perSecond") / median("insert", "perSecond");
  const summary = Object.fromEntries(MODES.map((mode) => [mode, { per_second: median(mode, "perSecond"), p50_ms: median(mode, "p50"), p99_ms: median(mode, "p99"), max_ms: median(mode, "max") }]));
  console.log(`  median: ${MODES.map((mode) => `${mode} ${Math.round(median(mode, "perSecond")).toLocaleString("en")}/s p99 ${median(mode, "p99")} ms`).join(", ")}; with proof and commit ${ratio.toFixed(2)} of the insert line`);
  return { ...summary, ratio_to_insert: ratio, rounds: results };
}

function makeBodies(serial: string): { body: string; signature: string }[] {
  const note = "What a provider sends along with every event, whether anybody reads it or not. ".repeat(22);
  return Array.from({ length: BODIES }, (_, n) => {
    const body = JSON.stringify({ id: `${serial}-${n}`, type: "person.changed", person: { id: n % 5000, name: `Person ${n}`, email: `person.${n}@example.com`, tags: ["a", "b", "c"], note } });
    return { body, signature: createHmac("sha256", SECRET).update(body).digest("hex") };
  });
}

async function measure(mode: Mode, url: string, key: string, bodies: readonly { body: string; signature: string }[]): Promise<Round> {
  const child = fork(fileURLToPath(new URL("intake-server.ts", import.meta.url)), [mode, url, key], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  try {
    const { port, path } = await new Promise<{ port: number; path: string }>((resolve, reject) => { child.once("message", (said) => resolve(said as { port: number; path: string })); child.once("exit", (code) => reject(new Error(`${mode} exited with ${code}`))); });
    let next = 0;
    const run = (duration: number): Promise<autocannon.Result> => autocannon({
      url: `http://127.0.0.1:${port}${path}`, connections: CONNECTIONS, duration, method: "POST",
      requests: [{ method: "POST", path, setupRequest: (request) => {
        const { body, signature } = bodies[next++ % BODIES]!;
        return { ...request, body, headers: { "content-type": "application/json", "x-signature": signature } };
      } }],
    });
    await run(1);
    const result = await run(SECONDS);
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${mode}: ${result.non2xx} answers that were not 2xx, ${result.errors} errors`);
    if (mode === "plugboard") await checkStored(url, next);
    return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99, max: result.latency.max };
  } finally {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => { child.once("exit", resolve); });
    child.disconnect();
    await ended;
  }
}

/** What was answered with 2xx is there. Requests under way at the end may be there too. */
async function checkStored(url: string, sent: number): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await client.connect();
  const { rows } = await client.query("select count(*)::int as events, coalesce(sum(copies), 0)::int as copies from events");
  await client.query("truncate events, inbound_requests");
  await client.end();
  const { events, copies } = rows[0] as { events: number; copies: number };
  if (events + copies < sent - 2 * CONNECTIONS) throw new Error(`${sent} were sent, ${events} and ${copies} copies are stored`);
  if (copies > events / 20) throw new Error(`${copies} of ${sent} were copies, which cost less: too few bodies`);
}
