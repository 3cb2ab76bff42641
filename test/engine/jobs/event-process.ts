/** A worker of events in a process of its own, which stops at a point, says so, and waits to be killed. */
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openJobs, startWorker } from "../../../engine/jobs/index.ts";
import { createKeyring, openDatabase } from "../../../engine/store/index.ts";

const onError = (cause: Error): void => { console.error(cause.message); };
const db = await openDatabase({ url: process.env["EVENT_DATABASE"]!, max: 6, applicationName: "plugboard test events", onError });
const jobs = await openJobs({ db, works: true, onError });
const wanted = process.env["EVENT_POINT"];
startWorker({
  jobs, keyring: await createKeyring({ value: process.env["EVENT_KEK"]! }), transport: createTransport({ allowPrivate: true }), schedules: false, onError,
  async eventProbe(point) {
    if (point !== wanted) return;
    process.send!(point);
    await new Promise(() => {});
  },
});
