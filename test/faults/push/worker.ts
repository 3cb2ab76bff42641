/** A worker process of the rig: the product's own worker, which dies or stops where it is told to. */
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../../engine/jobs/index.ts";
import { createKeyring, openDatabase } from "../../../engine/store/index.ts";
import type { Blow, Point } from "./blows.ts";
import { TOKEN } from "./fixture.ts";
import { sendingAtOnce } from "./mutants.ts";
import { say, settingsOfProcess, untilTold, whenUp } from "./processes.ts";

/** Long enough for an answer on a busy machine, short enough for a rig. */
const LEASE_SECONDS = 4;

const { databaseUrl, name, key, hosts, receiverUrl, mutant } = settingsOfProcess();
const onError = (cause: Error): void => void say({ type: "error", message: `${(cause as { code?: string }).code ?? cause.name}: ${cause.message}` });
const keyring = await createKeyring({ value: key });
const db = await whenUp(() => openDatabase({ url: databaseUrl, applicationName: name, max: 6, onError }));
const jobs = await whenUp(() => openJobs({ db, works: true, onError }));
const transport = createTransport({ allowPrivate: hosts });

let blow: (Blow & { readonly at: Point }) | undefined;
let passed = 0;
const probe = async (point: Point): Promise<void> => {
  if (blow?.at !== point || ++passed < blow.nth) return;
  const { what } = blow;
  blow = undefined;
  if (what === "kill") process.kill(process.pid, "SIGKILL");
  await say({ type: "stopping" });
  process.kill(process.pid, "SIGSTOP");
};

await untilTold((order) => { if (order.type === "blow") { blow = order.blow; passed = 0; } });
startWorker({
  jobs, keyring, transport, schedules: false, onError, eventProbe: probe,
  deliveries: { probe, leaseSeconds: LEASE_SECONDS, loopLimit: Number.MAX_SAFE_INTEGER, pollMilliseconds: 250, ...(mutant === "no-outbox" ? { add: sendingAtOnce(receiverUrl, TOKEN) } : {}) },
});
await say({ type: "going" });
