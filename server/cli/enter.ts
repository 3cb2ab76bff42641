/** What a command was given for a connection, stored beside what stands there already, with a line in the tenant's audit log. */
import type { ConnectionPlan, ConnectorPlan } from "../../engine/plan/types.ts";
import { describeConnection, lockForEntry, withTenant, type Database, type Keyring } from "../../engine/store/index.ts";
import { movesElsewhere } from "../api/connection-values.ts";
import { storeValues } from "../api/connections.ts";
import type { EnteredValues } from "./connection-values.ts";
import { say } from "./output.ts";

export interface Commanded extends EnteredValues { readonly references?: Readonly<Record<string, string>> }

/** A stored secret that would go to another address than the one it was entered for is forgotten, as it is over HTTP, and that is said. */
export async function enterFromCommand({ db, keyring }: { readonly db: Database; readonly keyring: Keyring }, tenant: string, { name, connector, plan = { config: {}, locks: [] } }: { readonly name: string; readonly connector: ConnectorPlan; readonly plan?: Pick<ConnectionPlan, "config" | "locks"> | undefined }, { config: given, secrets, references = {} }: Commanded, command: string): Promise<void> {
  const cleared = await withTenant(db, tenant, async (tx) => {
    const state = (await lockForEntry(tx, name, connector.id)) ? await describeConnection(tx, tenant, name) : undefined;
    const config = { ...state?.config, ...given };
    const moved = movesElsewhere({ connector, plan, state }, config);
    const forgotten = moved ? Object.keys(state?.secrets ?? {}).filter((field) => !Object.hasOwn(secrets, field) && !Object.hasOwn(references, field)) : [];
    await storeValues(tx, keyring, { name, connector }, state, { config, secrets: { ...secrets, ...Object.fromEntries(forgotten.map((field) => [field, null])) }, references, moved }, { kind: "command", id: command, name: `plugboard ${command}` });
    return forgotten;
  });
  if (cleared.length > 0) say(`Forgot ${cleared.join(", ")} of ${name}: the address ${cleared.length === 1 ? "it goes" : "they go"} to is another one now.`);
}
