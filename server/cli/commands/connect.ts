import type { Command } from "commander";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { checkConnection } from "../../../engine/run/check-connection.ts";
import { systemClock } from "../../../engine/run/system-clock.ts";
import { buckets, describeConnection, readConnectionValues, setConnectionStatus, tokenStore, PLATFORM } from "../../../engine/store/index.ts";
import { movesElsewhere } from "../../api/connection-values.ts";
import { openInstallation } from "../../installation.ts";
import { settingsOf } from "../../settings.ts";
import { allowPrivate, dataFolder, locateWorkspace, readWorkspace, refuseErrors } from "../../workspace/locate.ts";
import { applyLocated } from "../apply.ts";
import { collectSet, enteredValues, type EnteredValues } from "../connection-values.ts";
import { enterFromCommand } from "../enter.ts";
import { print, printJson, say } from "../output.ts";
import { givenReferences, referencesOf, withoutReferenced } from "../references.ts";
import { environmentNames } from "../run-in-database.ts";

const CHECK_MILLISECONDS = 60_000;

interface ConnectOptions { set: readonly string[]; ref: readonly string[]; workspace?: string; data?: string; check: boolean; json?: boolean }

export function registerConnect(program: Command): void {
  program.command("connect")
    .description("enter a connection's config and secrets, encrypted into the database, and check them at the provider")
    .argument("<tenant>").argument("<connection>")
    .option("--set <field=value>", "a config value or secret; env:NAME and file:PATH read it from there (repeatable)", collectSet, [])
    .option("--ref <field=reference>", "a secret that is read where it is used and never stored: env:NAME (listed in secrets.allow_env_of of workspace.yaml) or file:PATH (inside PLUGBOARD_SECRETS_DIR) (repeatable)", collectSet, [])
    .option("--no-check", "store without asking the provider")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .option("--data <dir>", "data folder (default: <workspace>/.plugboard)")
    .option("--json", "print one JSON document")
    .action(connect);
}

async function connect(tenant: string, connection: string, options: ConnectOptions): Promise<void> {
  const cwd = process.cwd();
  const root = locateWorkspace(options.workspace, cwd);
  const located = readWorkspace(root, cwd);
  const { plan, problems } = resolvePlan(located.workspace, tenant);
  refuseErrors([...located.workspace.problems, ...problems]);
  const planned = plan.connections[connection];
  if (!planned) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Connection", name: connection, suggestion: suggest(connection, Object.keys(plan.connections)) });
  const connector = plan.connectors[planned.connector]!;
  const entered = (stored: readonly string[] | "any"): EnteredValues =>
    enteredValues(connector, { id: connection, plan: planned }, options.set, process.env, environmentNames(tenant, connection, connector.id), stored);
  const resolver = referencesOf(located.workspace, process.env);
  const references = givenReferences(connector, { tenant, id: connection, plan: planned }, options.ref, resolver);
  entered("any");                                          // a misspelt field is told before a database is opened

  const installation = await openInstallation({ data: dataFolder(options.data, root, cwd), databaseUrl: process.env["DATABASE_URL"], migrateUrl: process.env["DATABASE_URL_MIGRATE"] || undefined, kek: process.env["PLUGBOARD_KEK"], vault: settingsOf(process.env).vault, kekOld: process.env["PLUGBOARD_KEK_OLD"] || undefined, works: false, log: say, onError: (cause) => say(`  ${cause.message}`) });
  const transport = createTransport({ allowPrivate: allowPrivate(located.workspace) });
  try {
    const { db, keyring } = installation;
    await applyLocated(db, located);
    const before = await describeConnection(db, tenant, connection);
    // What the operator sets for all customers stands without what each customer brings.
    const forAll = tenant === PLATFORM && Object.values(connector.config).some(({ scope }) => scope === "app");
    // A secret stays with the address that it was entered for: with another one, it is asked for again.
    const moved = movesElsewhere({ connector, plan: planned, state: before }, { ...before?.config, ...entered("any").config });
    const { config, secrets } = entered(forAll ? "any" : [...Object.keys(before?.config ?? {}), ...(moved ? [] : Object.keys(before?.secrets ?? {})), ...Object.keys(references)]);
    await enterFromCommand(installation, tenant, { name: connection, connector, plan: planned }, { config, secrets: withoutReferenced(secrets, options.set, references, moved ? undefined : before), references }, "connect");
    if (!options.check || !connector.check) {
      if (options.json) printJson({ tenant, connection, status: "stored" });
      else print(`Stored ${connection} of ${tenant}${connector.check ? ", unchecked" : "; its connector has no check"}.`);
      return;
    }
    const { accounts, account } = await checkConnection(
      { tenant: plan.tenant, connection, connector, plan: planned, values: await readConnectionValues(db, keyring, tenant, connection, connector, planned, resolver), signal: AbortSignal.timeout(CHECK_MILLISECONDS) },
      { transport, buckets: buckets(db), clock: systemClock, token: tokenStore(db, keyring, tenant, connection), log: () => undefined });
    await setConnectionStatus(db, tenant, connection, "ok", {}, account);
    if (options.json) printJson({ tenant, connection, status: "connected", accounts });
    else print(`Connected ${connection} of ${tenant}${account ? `: account ${account.id}${account.label ? ` (${account.label})` : ""}` : ""}.`);
  } finally {
    await transport.close();
    await installation.close();
  }
}
