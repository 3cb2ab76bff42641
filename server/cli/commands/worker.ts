import { setTimeout as sleep } from "node:timers/promises";
import { InvalidArgumentError, type Command } from "commander";
import { openInstallation } from "../../installation.ts";
import { settingsOf } from "../../main.ts";
import { allowPrivate, dataFolder, locateWorkspace, readWorkspace, retention } from "../../workspace/locate.ts";
import { print, say } from "../output.ts";
import { referencesOf } from "../references.ts";
import { passingTrouble, untilSignal } from "../until-signal.ts";

/** Less than the 30 s that process managers wait between SIGTERM and SIGKILL. */
const GRACE_MILLISECONDS = 25_000;

interface Options { slots?: number; schedules: boolean; databaseUrl?: string; data?: string; workspace?: string }

export function registerWorker(program: Command): void {
  program.command("worker")
    .description("works on runs: those that are due, and those that were asked for; start as many as you like, on any host")
    .option("--slots <number>", "runs at once (default: PLUGBOARD_SLOTS, else 4)", slotsOf)
    .option("--no-schedules", "only work on runs; other workers look at the clock")
    .option("--workspace <folder>", "the workspace whose egress and secret rules hold (default: the nearest one upwards)")
    .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
    .option("--data <folder>", "where keys and the embedded PostgreSQL are kept (default: .plugboard of the workspace)")
    .addHelpText("after", "\nSIGTERM or Ctrl-C: claims nothing more, ends every run at its page within 25 s, exits 0. A second one exits at once; the\nruns go on at their last stored page, on another worker or at the next start.")
    .action(async (options: Options) => {
      const settings = settingsOf(process.env);
      const cwd = process.cwd();
      const root = locateWorkspace(options.workspace, cwd);
      const slots = options.slots ?? settings.slots;
      const installation = await openInstallation({
        data: dataFolder(options.data, root, cwd), databaseUrl: options.databaseUrl ?? settings.databaseUrl, migrateUrl: settings.migrateUrl, kek: settings.kek, kekOld: settings.kekOld, vault: settings.vault, works: true, log: say, onError: passingTrouble(),
      });
      const stopped = untilSignal();
      const { workspace } = readWorkspace(root, cwd);
      const worker = installation.work({ allowPrivate: allowPrivate(workspace), retention: retention(workspace), references: referencesOf(workspace, process.env), schedules: options.schedules, ...(slots === undefined ? {} : { slots }) });
      const stopWatching = installation.jobs.board.watch(({ tenant, flow, run, status, counters }) => {
        if (status !== undefined) print(`${new Date().toISOString()}  ${tenant}/${flow}  ${status}  ${counters?.read ?? 0} read  (run ${run})`);
      });
      say(`Worker ${worker.owner} is ready.`);
      const signal = await stopped;
      say(`${signal}: ${worker.active === 0 ? "nothing under way" : `${worker.active} under way; ending at their pages`} …`);
      stopWatching();
      // A run that does not end in time keeps its connection; its lease runs out and another worker goes on.
      await Promise.race([installation.close(GRACE_MILLISECONDS), sleep(GRACE_MILLISECONDS + 2000)]);
      process.exit(0);
    });
}

function slotsOf(text: string): number {
  const slots = Number(text);
  if (!Number.isInteger(slots) || slots < 1 || slots > 200) throw new InvalidArgumentError("Slots are a whole number from 1 to 200.");
  return slots;
}
