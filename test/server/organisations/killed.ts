/** A process that dies at a point of a creation: `node killed.ts <workspace> <database> <kek> <point>`. Run by killed.test.ts. */
import { createKeyring, openDatabase } from "../../../engine/store/index.ts";
import { createOrganisation } from "../../../server/organisations/create.ts";
import { openWorkspace } from "../../../server/review/index.ts";

const [root, url, kek, point] = process.argv.slice(2) as [string, string, string, string];
const db = await openDatabase({ url, max: 2 });
const review = { db, workspace: await openWorkspace(root), keyring: await createKeyring({ value: kek }) };
await createOrganisation(review, { name: `Killed ${point}`, subdomain: point.replaceAll("_", "-"), preset: "aptem" }, {
  actor: { kind: "command", id: "test", name: "test" },
  probe: (at) => { if (at === point) process.kill(process.pid, "SIGKILL"); },
});
