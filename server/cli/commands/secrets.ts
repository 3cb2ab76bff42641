import type { Command } from "commander";
import pc from "picocolors";
import { keyStatus, listTenants, rotateDataKey, rotateKeyEncryptionKey, type KeyStatus, type Rotated } from "../../../engine/store/index.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { openInstallation, type Installation } from "../../installation.ts";
import { settingsOf } from "../../main.ts";
import { dataFolder, locateWorkspace } from "../../workspace/locate.ts";
import { print, printJson, say } from "../output.ts";
import { count } from "../progress.ts";

interface Options { readonly workspace?: string; readonly data?: string; readonly databaseUrl?: string; readonly json?: boolean }

const TELL_MILLISECONDS = 1000;

export function registerSecrets(program: Command): void {
  const secrets = program.command("secrets").description("keys that encrypt credentials and raw records: look at them, replace them while everything runs");
  const command = (usage: string, description: string, after: string): Command => secrets.command(usage).description(description)
    .option("--workspace <dir>", "the workspace whose data folder it is (default: the nearest one upwards)")
    .option("--data <dir>", "data folder (default: <workspace>/.plugboard)")
    .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
    .option("--json", "print one JSON document")
    .addHelpText("after", `\n${after}`);

  command("status", "which key each tenant's values are sealed with, and what is left to do", "Exit code 1 while something is left to do.").action(status);
  command("rotate-kek", "wrap every tenant's data key with the new key-encryption key",
    `1. Start every process with both keys: the new one as PLUGBOARD_KEK, the one before as PLUGBOARD_KEK_OLD; or the files kek
   and kek.old of the data folder (mv kek kek.old: the next start makes a new one). Of several processes that start one after
   the other, first give all of them the old key as PLUGBOARD_KEK and the new one as PLUGBOARD_KEK_OLD.
2. plugboard secrets rotate-kek
3. Take the old key away and start every process again. Keep it as long as backups from before.`).action(rotateKek);
  command("rotate [tenant]", "give a tenant (default: every one) a new data key, seal everything with it again, destroy the old one",
    "Syncs go on meanwhile. Ctrl-C or a kill loses nothing: the same command goes on where it stopped.").action(rotate);
}

async function status(options: Options): Promise<void> {
  await installed(options, async ({ db, keyring }) => {
    const tenants: KeyStatus[] = [];
    for (const { slug } of await listTenants(db)) tenants.push(await keyStatus(db, keyring, slug));
    const next = nextSteps(tenants, keyring.oldKekId !== undefined);
    if (next.length > 0) process.exitCode = 1;
    if (options.json) return printJson({ kek: keyring.kekId, ...(keyring.oldKekId === undefined ? {} : { old_kek: keyring.oldKekId }), tenants, done: next.length === 0, next });
    print(`key-encryption key ${pc.bold(keyring.kekId)}${keyring.oldKekId === undefined ? "" : `, and the old one ${keyring.oldKekId} is accepted`}`);
    const width = Math.max(6, ...tenants.map(({ tenant }) => tenant.length));
    for (const { tenant, version, created_at, wrapped_by, values, remaining, rotating } of tenants) {
      print(`  ${tenant.padEnd(width)}  ${version === undefined ? "no data key yet" : `data key ${version} since ${created_at!.slice(0, 10)}, wrapped by the ${wrapped_by} key, ${count(values, "value")}, ${rotating ? `${remaining.toLocaleString("en")} to be sealed again` : "all sealed with it"}`}`);
    }
    print(next.length === 0 ? "Nothing is left to do." : `Next:\n${next.map((step) => `  ${step}`).join("\n")}`);
  });
}

function nextSteps(tenants: readonly KeyStatus[], hasOld: boolean): string[] {
  const next = tenants.filter(({ rotating, remaining }) => rotating || remaining > 0).map(({ tenant }) => `plugboard secrets rotate ${tenant}`);
  if (tenants.some(({ wrapped_by }) => wrapped_by === "unknown")) next.push("give the key that was used before as PLUGBOARD_KEK_OLD");
  if (tenants.some(({ wrapped_by }) => wrapped_by === "old" || wrapped_by === "unknown")) next.push("plugboard secrets rotate-kek");
  else if (hasOld) next.push(TAKE_AWAY);
  return next;
}

const TAKE_AWAY = "take the old key away (PLUGBOARD_KEK_OLD, or the file kek.old) and start every process again";

async function rotateKek(options: Options): Promise<void> {
  await installed(options, async ({ db, keyring }, signal) => {
    const tell = everySecond();
    const result = await rotateKeyEncryptionKey(db, keyring, { signal, onProgress: ({ done, total }) => tell(`  ${done.toLocaleString("en")} of ${count(total, "tenant")}`) });
    if (options.json) return printJson({ kek: keyring.kekId, ...result, remaining: 0 });
    print(`${count(result.rewrapped, "data key")} of ${count(result.tenants, "tenant")} wrapped again with key ${keyring.kekId}; none needs another key.`);
    if (keyring.oldKekId !== undefined) print(`Next: ${TAKE_AWAY}.`);
  });
}

async function rotate(tenant: string | undefined, options: Options): Promise<void> {
  await installed(options, async ({ db, keyring }, signal) => {
    const known = (await listTenants(db)).map(({ slug }) => slug);
    if (tenant !== undefined && !known.includes(tenant)) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant, suggestion: suggest(tenant, known) });
    const tell = everySecond();
    const rotated: Rotated[] = [];
    for (const slug of tenant === undefined ? known : [tenant]) {
      const one = await rotateDataKey(db, keyring, slug, { signal, onProgress: ({ version, done, total }) => tell(`  ${slug}: ${done.toLocaleString("en")} of ${count(total, "value")} sealed with data key ${version}`) });
      rotated.push(one);
      if (!options.json) print(`${slug}: ${count(one.reencrypted, "value")} sealed again with data key ${one.version}, ${one.remaining} remain; ${one.destroyed.length === 0 ? "no old key was left" : `data key ${one.destroyed.join(", ")} is destroyed`}.`);
    }
    if (options.json) printJson({ rotated });
  });
}

/** Opens what is needed, and ends after the batch under way when asked to. */
async function installed(options: Options, work: (installation: Installation, signal: AbortSignal) => Promise<void>): Promise<void> {
  const settings = settingsOf(process.env);
  const cwd = process.cwd();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const installation = await openInstallation({
    data: dataFolder(options.data, locateWorkspace(options.workspace, cwd), cwd), databaseUrl: options.databaseUrl ?? settings.databaseUrl, migrateUrl: settings.migrateUrl, kek: settings.kek, kekOld: settings.kekOld, vault: settings.vault,
    works: false, log: say, onError: (cause) => say(`  ${cause.message}`),
  });
  try {
    await work(installation, stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted || thrown !== stop.signal.reason) throw thrown;
    say("Stopped. Nothing is lost: the same command goes on where it stopped.");
    process.exitCode = 1;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    await installation.close();
  }
}

/** The first line at once, the others no faster than a person reads. */
function everySecond(): (line: string) => void {
  let toldAt = 0;
  return (line) => {
    if (Date.now() - toldAt < TELL_MILLISECONDS) return;
    toldAt = Date.now();
    say(line);
  };
}
