/** One pull in a process of its own; tells its parent the peak of its memory in bytes. */
import { benchPlan, openOurs, pullOurs } from "./pull.ts";

const [url, port, size, records, key] = process.argv.slice(2) as [string, string, string, string, string];
const ours = await openOurs(url, benchPlan(Number(port), Number(size)), key);
await pullOurs(ours, Number(records));
process.send!(process.resourceUsage().maxRSS * 1024);
await ours.db.close();
process.exit(0);
