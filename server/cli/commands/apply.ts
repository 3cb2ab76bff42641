import type { Command } from "commander";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { applyChange, driftOf, lookAtForge, syncMain } from "../../review/index.ts";
import { names } from "../../review/words.ts";
import { commandActor, openReview, type ReviewOptions } from "../open-review.ts";
import { print, printJson } from "../output.ts";
import { showPlan } from "../show-plan.ts";

interface Options extends ReviewOptions { readonly acceptHistory?: boolean; readonly json?: boolean }

export function registerApply(program: Command): void {
  program.command("apply")
    .description("put an approved change in force, or without one what main says; runs under way keep their revision")
    .argument("[change]", "the change's id; it must be approved, and do exactly what was reviewed")
    .option("--accept-history", "also when main's history was rewritten")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
    .option("--data <dir>", "data folder (default: .plugboard of the workspace)")
    .option("--json", "print one JSON document")
    .action(async (id: string | undefined, options: Options) => {
      const { review, close } = await openReview(options);
      try {
        if (id !== undefined) {
          const { change, ...applied } = await applyChange(review, id, commandActor());
          if (options.json) return printJson({ change: change.id, ...applied });
          return print(`Applied "${change.title}" as revision ${applied.revision.slice(0, 8)}: ${tenants(applied.changed)}.`);
        }
        await lookAtForge(review);
        if (!options.json) showPlan({ ...(await driftOf(review)), unchanged: 0, risk: "safe" });
        const synced = await syncMain(review, { actor: commandActor(), acceptHistory: options.acceptHistory === true });
        if (synced.status === "refused") throw new PlugboardError(synced.alarm.code as "CHANGE_BROKEN_COMMIT", { commit: synced.commit.slice(0, 7), detail: synced.alarm.message, known: "what is in force" });
        if (options.json) return printJson(synced);
        print(synced.status === "current" ? `Main's commit ${synced.commit.slice(0, 7)} is in force already.` : `Applied main's commit ${synced.commit.slice(0, 7)} as revision ${synced.revision.slice(0, 8)}: ${tenants(synced.changed)}.`);
      } finally {
        await close();
      }
    });
}

const tenants = (changed: readonly string[]): string => (changed.length === 0 ? "no tenant changes" : `${names(changed)} change${changed.length === 1 ? "s" : ""}`);
