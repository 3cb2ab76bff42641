/**
 * From an event to the action it causes: signed request → proven and on disk → record → row → outbox → the receiver is called.
 * 100 events a second, sent by the clock and not when the one before is done; beside a bare loop that calls the receiver with
 * what it was sent, in turn. Sender and receiver are this process, what is measured is another, PostgreSQL a third.
 */
import { fork } from "node:child_process";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { SECRET } from "../faults/push/fixture.ts";

const PER_SECOND = 100;
const SECONDS = 10;
const WARM_SECONDS = 2;
/** Of the records: each changes again and again, and what a record's changes cause leaves one after the other. */
const KEYS = 200;
/** What has not arrived by then is counted as missing, and the bench fails. */
const PATIENCE_MILLISECONDS = 30_000;
const MODES = ["bare", "plugboard"] as const;
type Mode = (typeof MODES)[number];

interface Round { readonly p50: number; readonly p99: number; readonly max: number }

export async function measureActions(url: string, key: string, rounds: number): Promise<object> {
  const results: Record<Mode, Round[]> = { bare: [], plugboard: [] };
  console.log(`event to action: ${PER_SECOND} events a second for ${SECONDS} s, ${rounds} rounds in turn`);
  for (let round = 1; round <= rounds; round++) {
    for (const mode of MODES) results[mode].push(await measure(mode, url, key, round));
    console.log(`  round ${round}: ${MODES.map((mode) => inWords(mode, results[mode].at(-1)!)).join(", ")}`);
  }
  const median = (mode: Mode, of: keyof Round): number => results[mode].map((round) => round[of]).toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
  const summary = Object.fromEntries(MODES.map((mode) => [mode, { p50: median(mode, "p50"), p99: median(mode, "p99"), max: median(mode, "max") }])) as Record<Mode, Round>;
  console.log(`  median: ${MODES.map((mode) => inWords(mode, summary[mode])).join(", ")}`);
  return { events_per_second: PER_SECOND, ...Object.fromEntries(MODES.map((mode) => [mode, { p50_ms: summary[mode].p50, p99_ms: summary[mode].p99, max_ms: summary[mode].max }])), rounds: results };
}

const inWords = (mode: Mode, { p50, p99 }: Round): string => `${mode} p50 ${p50.toFixed(1)} ms p99 ${p99.toFixed(1)} ms`;

async function measure(mode: Mode, url: string, key: string, round: number): Promise<Round> {
  const sent = new Map<string, number>();
  const took = new Map<string, number>();
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
      const { ref, n } = JSON.parse(Buffer.concat(chunks).toString()) as { ref: string; n: number };
      const name = `${ref} ${n}`;
      if (!took.has(name)) took.set(name, performance.now() - sent.get(name)!);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  receiver.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => { receiver.listen(0, "127.0.0.1", resolve); });
  const child = fork(fileURLToPath(new URL("actions-server.ts", import.meta.url)), [mode, url, key, `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  try {
    const { port, path } = await new Promise<{ port: number; path: string }>((resolve, reject) => { child.once("message", (said) => resolve(said as { port: number; path: string })); child.once("exit", (code) => reject(new Error(`${mode} exited with ${code}`))); });
    const send = async (number: number): Promise<void> => {
      const [ref, n] = [`${mode}-${round}-${number % KEYS}`, Math.floor(number / KEYS)];
      const body = JSON.stringify({ id: `${mode}/${round}/${number}`, order: { id: ref, n } });
      sent.set(`${ref} ${n}`, performance.now());
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body, headers: { "content-type": "application/json", "x-signature": createHmac("sha256", SECRET).update(body).digest("hex") } });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${mode}: answered with ${answer.status}`);
    };
    const answers: Promise<void>[] = [];
    const total = (WARM_SECONDS + SECONDS) * PER_SECOND;
    const begun = performance.now();
    for (let number = 0; number < total; number++) {
      const wait = begun + (1000 * number) / PER_SECOND - performance.now();
      if (wait > 0) await pause(wait);
      answers.push(send(number));
    }
    await Promise.all(answers);
    for (const end = performance.now() + PATIENCE_MILLISECONDS; took.size < total; await pause(20)) {
      if (performance.now() > end) throw new Error(`${mode}: ${total - took.size} of ${total} actions were never called`);
    }
    const milliseconds = [...sent.keys()].slice(WARM_SECONDS * PER_SECOND).map((name) => took.get(name)!).toSorted((a, b) => a - b);
    const at = (share: number): number => milliseconds[Math.floor(milliseconds.length * share)]!;
    return { p50: at(0.5), p99: at(0.99), max: milliseconds.at(-1)! };
  } finally {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => { child.once("exit", resolve); });
    child.disconnect();
    await ended;
    receiver.closeAllConnections();
    await new Promise((resolve) => { receiver.close(resolve); });
    if (mode === "plugboard") await forget(url);
  }
}

async function forget(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await client.connect();
  await client.query("truncate events, inbound_requests, deliveries, delivery_attempts, row_changes, contributions, entity_rows cascade");
  await client.end();
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
