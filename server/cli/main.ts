/**
 * The `plugboard` command. Only the module of the command that was asked for is loaded, so `validate` needs no database
 * driver and starts in a fraction of a second. Exit codes: 0 done · 1 problems found or the work failed · 2 wrong usage; of
 * `plan` alone: 0 no changes · 2 changes · 1 anything else.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { productRoot } from "../product-root.ts";
import { version } from "../version.ts";
import { fail } from "./output.ts";

// What was compiled once is kept, so that the next command starts in half the time. Not in the system's folder for temporary
// files, where another user could leave code for us; where nothing can be written, nothing is kept.
enableCompileCache(process.env["NODE_COMPILE_CACHE"] ?? fileURLToPath(new URL("node_modules/.cache/plugboard-compiled", productRoot)));

type Register = (program: Command) => void;

/** Command → what loads it, in the order of the help page. */
const commands: Record<string, () => Promise<Register>> = {
  init: async () => (await import("./commands/init.ts")).registerInit,
  start: async () => (await import("./commands/start.ts")).registerStart,
  new: async () => (await import("./commands/new.ts")).registerNew,
  validate: async () => (await import("./commands/validate.ts")).registerValidate,
  test: async () => (await import("./commands/test.ts")).registerTest,
  fmt: async () => (await import("./commands/fmt.ts")).registerFmt,
  explain: async () => (await import("./commands/explain.ts")).registerExplain,
  plan: async () => (await import("./commands/plan.ts")).registerPlan,
  apply: async () => (await import("./commands/apply.ts")).registerApply,
  rollback: async () => (await import("./commands/rollback.ts")).registerRollback,
  changes: async () => (await import("./commands/changes.ts")).registerChanges,
  preset: async () => (await import("./commands/preset.ts")).registerPreset,
  tenant: async () => (await import("./commands/tenant.ts")).registerTenant,
  run: async () => (await import("./commands/run.ts")).registerRun,
  replay: async () => (await import("./commands/replay.ts")).registerReplay,
  quarantine: async () => (await import("./commands/replay.ts")).registerQuarantine,
  connect: async () => (await import("./commands/connect.ts")).registerConnect,
  eval: async () => (await import("./commands/eval.ts")).registerEval,
  webhook: async () => (await import("./commands/webhook.ts")).registerWebhook,
  preview: async () => (await import("./commands/preview.ts")).registerPreview,
  migrate: async () => (await import("./commands/migrate.ts")).registerMigrate,
  secrets: async () => (await import("./commands/secrets.ts")).registerSecrets,
  user: async () => (await import("./commands/user.ts")).registerUser,
  serve: async () => (await import("./commands/serve.ts")).registerServe,
  worker: async () => (await import("./commands/worker.ts")).registerWorker,
};

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("plugboard")
    .description("Integrations in YAML, reviewed in Git, synced into PostgreSQL.")
    .version(version)
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .addHelpText("after", "\nStart here: plugboard start        A workspace of your own: plugboard init my-workspace\nExit codes: 0 done, 1 problems found or the work failed, 2 wrong usage");
  program.exitOverride();
  const asked = argv.find((word) => !word.startsWith("-"));
  const load = asked !== undefined && commands[asked] ? [commands[asked]] : Object.values(commands);
  for (const loader of load) (await loader())(program);
  // Subcommands copy their settings when they are made, so the override is set on each: usage errors must exit with 2.
  const override = (command: Command): void => { command.exitOverride(); command.showHelpAfterError("(add --help for the options)"); command.commands.forEach(override); };
  override(program);
  await program.parseAsync([...argv], { from: "user" });
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  // 2 says of a plan that there are changes.
  const wrongUsage = process.argv.slice(2).find((word) => !word.startsWith("-")) === "plan" ? 1 : 2;
  if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? 0 : wrongUsage);
  fail(thrown);
  process.exit(thrown instanceof PlugboardError && thrown.code === "CLI_USAGE" ? wrongUsage : 1);
});
