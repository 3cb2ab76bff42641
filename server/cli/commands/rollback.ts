import type { Command } from "commander";
import { rollBack } from "../../review/index.ts";
import { names } from "../../review/words.ts";
import { commandActor, openReview, type ReviewOptions } from "../open-review.ts";
import { fail, print, printJson } from "../output.ts";

interface Options extends ReviewOptions { readonly reason?: string; readonly json?: boolean }

export function registerRollback(program: Command): void {
  program.command("rollback")
    .description("put an earlier revision in force again, and commit the revert to main")
    .argument("[revision]", "or the beginning of it (default: the one before)")
    .option("--reason <text>", "for the log and the commit")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
    .option("--data <dir>", "data folder (default: .plugboard of the workspace)")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExit codes: 0 rolled back, 1 not, or main could not be reverted, 2 wrong usage")
    .action(async (revision: string | undefined, options: Options) => {
      const { review, close } = await openReview(options);
      try {
        const done = await rollBack(review, commandActor(), { ...(revision === undefined ? {} : { revision }), ...(options.reason === undefined ? {} : { reason: options.reason }) });
        if (options.json) printJson({ ...done, unreverted: done.unreverted?.toJSON() ?? null });
        else print(`Revision ${done.revision.slice(0, 8)} is in force again: ${done.changed.length === 0 ? "no tenant changes" : names(done.changed)}.${done.commit === undefined ? "" : ` Main was reverted with ${done.commit.slice(0, 7)}.`}`);
        if (done.unreverted) { process.exitCode = 1; fail(done.unreverted); }
      } finally {
        await close();
      }
    });
}
