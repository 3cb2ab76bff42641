import { InvalidArgumentError, type Command } from "commander";
import { openInstallation } from "../../installation.ts";
import { createServer, ensureFirstKey, listen, settingsOf } from "../../main.ts";
import { builtStudio } from "../../studio.ts";
import { allowPrivate, dataFolder, locateWorkspace, readWorkspace, returnOrigins } from "../../workspace/locate.ts";
import { applyLocated } from "../apply.ts";
import { print, say } from "../output.ts";
import { referencesOf } from "../references.ts";
import { serveWorkspace, takeIn } from "../serve-review.ts";
import { passingTrouble, untilSignal } from "../until-signal.ts";

interface Options { host?: string; port?: number; databaseUrl?: string; data?: string; workspace?: string }

export function registerServe(program: Command): void {
  program.command("serve")
    .description("the HTTP server alone: API, documentation, health; runs are worked on by `plugboard worker`")
    .option("--host <address>", "address to listen on (default: HOST, else 127.0.0.1)")
    .option("--port <number>", "port to listen on (default: PORT, else 4400)", portOf)
    .option("--workspace <folder>", "put this workspace in force first: of a Git repository what main says; without it, what was applied last stays")
    .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
    .option("--data <folder>", "where keys and the embedded PostgreSQL are kept (default: .plugboard of the workspace)")
    .addHelpText("after", "\nPLUGBOARD_KEK is the key-encryption key (openssl rand -base64 32); without it, one is kept in the data folder.\nPLUGBOARD_TRUST_PROXY names the proxies whose X-Forwarded-* headers count.")
    .action(async (options: Options) => {
      const settings = settingsOf(process.env);
      const cwd = process.cwd();
      const root = locateWorkspace(options.workspace, cwd);
      const onError = passingTrouble();
      const installation = await openInstallation({
        data: dataFolder(options.data, root, cwd), databaseUrl: options.databaseUrl ?? settings.databaseUrl, migrateUrl: settings.migrateUrl, kek: settings.kek, kekOld: settings.kekOld, vault: settings.vault, works: false, log: say, onError,
      });
      const closing: (() => Promise<void>)[] = [];
      try {
        const { db, jobs, keyring } = installation;
        const { workspace } = readWorkspace(root, cwd);
        const [mayReach, references] = [allowPrivate(workspace), referencesOf(workspace, process.env)];
        const served = await serveWorkspace(root, installation, { allowPrivate: mayReach, references, publicUrl: settings.publicUrl });
        closing.push(() => served.close());
        // In Git, what was committed counts, and a broken commit leaves the last good revision; a plain folder is applied as it is.
        if (options.workspace !== undefined && !(await takeIn(served, installation))) {
          const plans = await applyLocated(db, readWorkspace(root, cwd));
          say(`Applied the workspace: ${plans.size} tenant${plans.size === 1 ? "" : "s"}.`);
        }
        const first = await ensureFirstKey(db);
        if (first !== undefined) say(`The first API key, shown this once: ${first}`);
        const server = await createServer({ db, jobs, keyring, workspace: served.workspace, forges: served.forges, domain: settings.domain, publicUrl: settings.publicUrl, returnOrigins: returnOrigins(workspace), allowPrivate: mayReach, references, studio: await builtStudio(say), logLevel: "warn", ...(settings.trustProxy === undefined ? {} : { trustProxy: settings.trustProxy }) });
        const stopped = untilSignal();
        try {
          print(`Listening on ${await listen(server, { host: options.host ?? settings.host, port: options.port ?? settings.port })}; the API is described at /docs`);
          await stopped;
        } finally {
          await server.close();
        }
      } finally {
        for (const close of closing.reverse()) await close();
        await installation.close();
      }
      process.exit(0);
    });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
  return port;
}
