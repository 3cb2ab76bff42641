/**
 * From `POST /api/integrations/bench/sync` to the first request that reaches the provider, on an idle worker: how long a
 * person waits after pressing the button. Server, worker and provider are this process; PostgreSQL is another.
 */
import { createServer as createHttp } from "node:http";
import type { AddressInfo } from "node:net";
import { createTransport } from "../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../engine/jobs/index.ts";
import { createServer, issueKey } from "../../server/main.ts";
import { getRun } from "../../engine/store/index.ts";
import { benchPlan, openOurs } from "./pull.ts";

const TRIGGERS = 200;
/** Between triggers, so that the worker is idle and no poll is near. */
const PAUSE_MILLISECONDS = 20;

export async function measureTrigger(url: string, key: string): Promise<object> {
  let arrived = Promise.withResolvers<number>();
  const provider = createHttp((_, response) => {
    arrived.resolve(performance.now());
    response.writeHead(200, { "content-type": "application/json" }).end('{"records":[]}');
  });
  await new Promise<void>((resolve) => { provider.listen(0, "127.0.0.1", resolve); });
  const { db, keyring } = await openOurs(url, benchPlan((provider.address() as AddressInfo).port, 500), key);
  const onError = (cause: Error): void => { throw cause; };
  const jobs = await openJobs({ db, works: true, onError });
  const transport = createTransport({ allowPrivate: true });
  const worker = startWorker({ jobs, keyring, transport, schedules: false, onError });
  const server = await createServer({ db, jobs, keyring, logLevel: "silent" });
  const authorization = `Bearer ${await issueKey(db, { name: "bench", scopes: ["*"] })}`;

  const milliseconds: number[] = [];
  for (let index = 0; index < TRIGGERS; index++) {
    arrived = Promise.withResolvers();
    const asked = performance.now();
    const answer = await server.inject({ method: "POST", url: "/api/integrations/bench/sync?tenant=bench", headers: { authorization } });
    const run = (answer.json() as { runs: { id: string }[] }).runs[0]!.id;
    milliseconds.push(await arrived.promise - asked);
    while ((await getRun(db, "bench", run))?.finished_at === undefined) await pause(5);
    await pause(PAUSE_MILLISECONDS);
  }
  await server.close();
  await worker.stop();
  await transport.close();
  await jobs.close();
  await db.close();
  provider.close();
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const [p50, p99] = [sorted[Math.floor(TRIGGERS * 0.5)]!, sorted[Math.floor(TRIGGERS * 0.99)]!];
  console.log(`trigger to first request on an idle worker, ${TRIGGERS} times: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`);
  return { triggers: TRIGGERS, p50_ms: p50, p99_ms: p99 };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
