/** A worker process of the rig: the product's own worker, which dies or stops where it is told to. */
import type { Transport } from "../../../engine/components/kinds.ts";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../../engine/jobs/index.ts";
import { createKeyring, openDatabase } from "../../../engine/store/index.ts";
import type { Blow, Point } from "./blows.ts";
import { TOKEN } from "./fixture.ts";
import { sendingAtOnce } from "./mutants.ts";
import { say, settingsOfProcess, untilTold, whenUp } from "./processes.ts";

/** Longer than a busy machine keeps a process waiting: what it was about to send leaves before another may take over. */
const LEASE_SECONDS = 10;

const { databaseUrl, name, key, hosts, receiverUrl, mutant } = settingsOfProcess();
const onError = (cause: Error): void => void say({ type: "error", message: `${(cause as { code?: string }).code ?? cause.name}: ${cause.message}` });
const keyring = await createKeyring({ value: key });
const db = await whenUp(() => openDatabase({ url: databaseUrl, applicationName: name, max: 6, onError }));
const jobs = await whenUp(() => openJobs({ db, works: true, onError }));
const real = createTransport({ allowPrivate: hosts });
let sending = 0;
const transport: Transport = { ...real, async send(...asked) { sending++; try { return await real.send(...asked); } finally { sending--; } } };

let blow: (Blow & { readonly at: Point }) | undefined;
let passed = 0;
let stopping = false;
const probe = async (point: Point): Promise<void> => {
  if (stopping && point === "before_send") throw new Error("held back by the rig");
  if (blow?.at !== point || ++passed < blow.nth) return;
  const { what } = blow;
  blow = undefined;
  if (what === "kill") process.kill(process.pid, "SIGKILL");
  // What is between its last look at the lease and its request would leave when it wakes up: nobody can hold that back, and no
  // promise is made about it. So none of it is, here.
  stopping = true;
  do await new Promise((resolve) => { setTimeout(resolve, 5); }); while (sending > 0);
  await say({ type: "stopping" });
  process.kill(process.pid, "SIGSTOP");
  stopping = false;
};

await untilTold((order) => { if (order.type === "blow") { blow = order.blow; passed = 0; } });
startWorker({
  jobs, keyring, transport, schedules: false, onError, eventProbe: probe,
  deliveries: { probe, leaseSeconds: LEASE_SECONDS, loopLimit: Number.MAX_SAFE_INTEGER, pollMilliseconds: 250, ...(mutant === "no-outbox" ? { add: sendingAtOnce(receiverUrl, TOKEN) } : {}) },
});
await say({ type: "going" });
