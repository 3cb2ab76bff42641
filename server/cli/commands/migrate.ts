import path from "node:path";
import type { Command } from "commander";
import { migrate, migrationStatus } from "../../../engine/store/index.ts";
import { startEmbeddedPostgres } from "../../embedded-postgres.ts";
import { loginOf } from "../../installation.ts";
import { dataFolder, locateWorkspace } from "../../workspace/locate.ts";
import { print, printJson, say } from "../output.ts";

export function registerMigrate(program: Command): void {
  program.command("migrate")
    .description("bring the database to this version: tables, roles, row-level security")
    .option("--database-url <url>", "the PostgreSQL to migrate; its user must be able to create roles (default: DATABASE_URL_MIGRATE, else DATABASE_URL, else the embedded one)")
    .option("--data <folder>", "where the embedded PostgreSQL keeps its data")
    .option("--workspace <folder>", "the workspace whose data folder it is")
    .option("--status", "only say what is applied and what is missing; exit code 1 when something is")
    .option("--json", "one JSON document")
    .addHelpText("after", "\nDATABASE_URL_MIGRATE is this user's; DATABASE_URL then names the user that the product itself works as, who owns nothing and is\nheld by row-level security. That user is made, with the password of DATABASE_URL, or made a member of plugboard_app.")
    .action(async (options: { databaseUrl?: string; data?: string; workspace?: string; status?: boolean; json?: boolean }) => {
      const [works, changes] = [process.env["DATABASE_URL"] || undefined, process.env["DATABASE_URL_MIGRATE"] || undefined];
      const given = options.databaseUrl ?? changes ?? works;
      const cwd = process.cwd();
      const embedded = given ? undefined : await startEmbeddedPostgres({
        folder: path.join(dataFolder(options.data, locateWorkspace(options.workspace, cwd), cwd), "postgres"), log: say,
      });
      const url = given || embedded!.url;
      try {
        if (options.status) {
          const status = await migrationStatus(url);
          if (options.json) printJson(status);
          else {
            for (const file of status.applied) print(`applied  ${file}`);
            for (const file of status.pending) print(`missing  ${file}`);
            for (const file of status.ahead) print(`newer    ${file}`);
          }
          if (status.pending.length > 0 || status.ahead.length > 0) process.exitCode = 1;
          return;
        }
        const { applied } = await migrate({ url, login: embedded?.login ?? (works === undefined ? undefined : loginOf(works)), log: say });
        if (options.json) printJson({ applied });
        else print(applied.length === 0 ? "Nothing to migrate: the database is up to date." : `Applied ${applied.length} migration${applied.length === 1 ? "" : "s"}; the database is up to date.`);
      } finally {
        await embedded?.stop();
      }
    });
}
