/** A server process of the rig: the product's own server, on the port that the provider knows. */
import { openJobs } from "../../../engine/jobs/index.ts";
import { createKeyring, openDatabase } from "../../../engine/store/index.ts";
import { createServer } from "../../../server/main.ts";
import { answeringFirst } from "./mutants.ts";
import { say, settingsOfProcess, untilTold, whenUp } from "./processes.ts";

const { databaseUrl, name, key, port, mutant } = settingsOfProcess();
const onError = (cause: Error): void => void say({ type: "error", message: cause.message });
const db = await whenUp(() => openDatabase({ url: databaseUrl, applicationName: name, max: 6, onError }));
const jobs = await whenUp(() => openJobs({ db, works: false, onError }));
const server = await createServer({ db, jobs, keyring: await createKeyring({ value: key }), logLevel: "silent", intake: { flood: { perSecond: 1e6, burst: 1e6 } } });
await server.ready();
await untilTold();
if (mutant === "answered-first") {
  const front = answeringFirst(server);
  await whenUp(() => new Promise<void>((resolve, reject) => { front.once("error", reject).listen(port, "127.0.0.1", resolve); }));
} else {
  await whenUp(() => server.listen({ port, host: "127.0.0.1" }));
}
await say({ type: "going" });
