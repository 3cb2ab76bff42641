/** `plugboard tenant …`: what the API does with organisations, typed. */
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidArgumentError, type Command } from "commander";
import pc from "picocolors";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { listPresets } from "../../../engine/plan/index.ts";
import { currentRevision, findTenant, listTenants, PLATFORM, readPlan, recordAudit, requestErasure, resumeTenant, suspendTenant, withTenant } from "../../../engine/store/index.ts";
import { InvalidFields } from "../../api/errors.ts";
import { flowViews, type FlowView } from "../../api/flows.ts";
import { headOfMain } from "../../organisations/configuration.ts";
import { createOrganisation, reviewOrganisation } from "../../organisations/create.ts";
import { eraseOrganisation } from "../../organisations/erase.ts";
import { exportOrganisation } from "../../organisations/export.ts";
import { idOf, type Organisation } from "../../organisations/organisation.ts";
import type { Review } from "../../review/index.ts";
import { commandActor, openReview, type ReviewOptions } from "../open-review.ts";
import { print, printJson, say } from "../output.ts";

interface Options extends ReviewOptions { readonly json?: boolean }
interface CreateOptions extends Options {
  id?: string; subdomain?: string; preset?: string; limit: Record<string, number>; input: Record<string, string>; billingName?: string; billingEmail?: string; admin?: string; dryRun?: boolean; key?: string;
}

export function registerTenant(program: Command): void {
  const tenant = program.command("tenant").description("create, list, look at, suspend, resume, export and erase organisations");
  const command = (usage: string, description: string): Command =>
    tenant.command(usage).description(description)
      .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
      .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
      .option("--data <dir>", "data folder (default: .plugboard of the workspace)")
      .option("--json", "print one JSON document");

  command("create [name]", "create an organisation in three steps: who it is, what it connects, whom to bill and invite; what is left out is asked for")
    .option("--id <id>", "in files and the API (default: made of the name)")
    .option("--subdomain <name>", "below the deployment's domain (default: the id)")
    .option("--limit <entity=rows>", "most rows that the contract covers: learners=500 (repeatable)", limitOf, {})
    .option("--preset <preset>", "what it connects: a preset, or one release of it (preset@3)")
    .option("--input <name=value>", "an answer to what the preset asks (repeatable)", inputOf, {})
    .option("--billing-name <name>", "who is billed").option("--billing-email <address>", "where invoices go")
    .option("--admin <address>", "who is invited as its first administrator")
    .option("--key <key>", "your own name of this request: sent again, it makes nothing twice")
    .option("--dry-run", "only show what would be made")
    .addHelpText("after", '\nExample:\n  plugboard tenant create "Acme Training Ltd" --subdomain acme --limit learners=500 --preset aptem-hubspot --billing-email accounts@acme.example --admin anna@acme.example')
    .action(create);

  command("list", "organisations, their status and what they are pinned to").action((options: Options) => within(options, async ({ db }) => {
    const tenants = await listTenants(db);
    if (options.json) return printJson({ tenants: tenants.map((one) => ({ ...one, kind: one.slug === PLATFORM ? "platform" : "customer" })) });
    for (const { slug, title, subdomain, status, status_reason } of tenants) print(`${pc.bold(slug.padEnd(24))} ${statusInColour(status)}  ${title}${subdomain === undefined ? "" : pc.dim(`  ${subdomain}`)}${slug === PLATFORM ? pc.dim("  the operator's own") : ""}${status_reason === undefined ? "" : pc.dim(`  (${status_reason})`)}`);
  }));

  command("flows <tenant>", "its flows as they are in force: what starts them, what they end in, and how they go").action((tenant: string, options: Options) => within(options, async (review) => {
    await existing(review, tenant);
    const revision = await currentRevision(review.db, tenant);
    const flows = revision === undefined ? [] : await flowViews(review.db, await readPlan(review.db, tenant, revision));
    if (options.json) return printJson({ flows });
    for (const each of flows) print(`${pc.bold(each.flow.padEnd(24))} ${inWords(each).padEnd(60)} ${howItGoes(each)}`);
  }));

  command("suspend <tenant>", "nothing of it runs any more, and its own people are refused; its data stays").option("--reason <text>", "for its audit log")
    .action((tenant: string, options: Options & { reason?: string }) => turn(tenant, "suspended", options));
  command("resume <tenant>", "take the suspension back: flows go on at their next tick").action((tenant: string, options: Options) => turn(tenant, "resumed", options));

  command("export <tenant>", "everything of it as lines of JSON, without secrets").option("--out <file>", "where to (default: the standard output)").action((tenant: string, options: Options & { out?: string }) => within(options, async (review) => {
    await existing(review, tenant);
    await recordAudit(review.db, tenant, { actor: commandActor(), action: "tenant.exported", subject: { kind: "tenant", id: tenant } });
    const lines = Readable.from(exportOrganisation(review.db, review.keyring, review, tenant, new Date().toISOString()));
    if (options.out === undefined) await pipeline(lines, process.stdout, { end: false });
    else await pipeline(lines, createWriteStream(options.out, { mode: 0o600 }));
    if (options.out !== undefined) say(`Wrote ${options.out}.`);
  }));

  command("erase <tenant>", "erase it for good: first shows what would go, then with --confirm erases it")
    .option("--confirm <token>", "that the first step printed")
    .action((tenant: string, options: Options & { confirm?: string }) => within(options, async (review) => {
      await existing(review, tenant);
      if (tenant === PLATFORM) throw new PlugboardError("TENANT_OPERATOR", { verb: "erased" });
      if (options.confirm === undefined) {
        const asked = await requestErasure(review.db, tenant, commandActor().name);
        await recordAudit(review.db, PLATFORM, { actor: commandActor(), action: "tenant.erasure_asked", subject: { kind: "tenant", id: tenant }, after: { counts: asked.counts } });
        if (options.json) return printJson({ tenant, token: asked.token, expires_at: asked.expires_at, counts: asked.counts });
        print(`Erasing ${pc.bold(tenant)} would remove, for good:`);
        printCounts(asked.counts);
        return print(`\nIts file leaves the workspace, its keys are destroyed. Until ${asked.expires_at}:\n  plugboard tenant erase ${tenant} --confirm ${asked.token}`);
      }
      const report = await eraseOrganisation(review.db, review, tenant, options.confirm, commandActor());
      if (options.json) return printJson(report);
      print(`Erased ${pc.bold(tenant)} (${report.title}). Removed:`);
      printCounts(report.removed);
      print(`${report.file === null ? "It had no file in the workspace" : `Removed ${report.file}`}; keys destroyed.`);
    }));
}

/** `aptem.users → learner, every hour`; `application changes → mail.send`. */
const inWords = ({ from, to, connection, stream, entity, target, operation, schedule }: FlowView): string =>
  from === "stream" ? `${connection}.${stream} → ${entity}, ${schedule}` : `${entity} changes → ${to === "webhook" ? `webhook ${target}` : to === "save" ? `save ${target}.${operation}` : `${target}.${operation}`}`;

function howItGoes({ enabled, paused, last_success_at, waiting, held, unknown, failed, quarantined }: FlowView): string {
  const counts = Object.entries({ waiting, held, unknown, failed, quarantined }).filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  const said = [...(enabled ? [] : ["switched off"]), ...(paused ? ["paused"] : []), ...counts, last_success_at === null ? "never yet" : `last ${last_success_at}`];
  return said.join(", ");
}

async function create(name: string | undefined, options: CreateOptions): Promise<void> {
  await within(options, async (review) => {
    const entered = await ask(review, name, options);
    if (options.dryRun === true) {
      const checked = await reviewOrganisation(review, entered);
      if (options.json) return printJson({ tenant: checked.id, preset: checked.preset, file: checked.file, text: checked.text, problems: checked.problems });
      if (checked.problems.length > 0) throw told(new InvalidFields("TENANT_INVALID", checked.problems));
      print(pc.dim(`# ${checked.file}`));
      return print(checked.text.trimEnd());
    }
    const made = await createOrganisation(review, entered, { actor: commandActor(), ...(options.key === undefined ? {} : { key: options.key }) }).catch((thrown: unknown) => { throw told(thrown); });
    if (options.json) return printJson({ tenant: made.tenant, created: made.created, invitation: made.invitation ?? null });
    print(`${made.created ? "Created" : "It is there already:"} ${pc.bold(made.tenant.slug)} (${made.tenant.title}), ${made.tenant.status}${made.tenant.subdomain === undefined ? "" : `, subdomain ${made.tenant.subdomain}`}.`);
    if (made.invitation) print(`${made.invitation.email} is invited until ${made.invitation.expires_at}; the link, shown this once: ${made.invitation.path}`);
    print(`Connect it: plugboard connect ${made.tenant.slug} <connection> --set …`);
  });
}

/** What was not typed is asked for, where somebody is there to answer. */
async function ask(review: Review, name: string | undefined, options: CreateOptions): Promise<Organisation> {
  const person = process.stdin.isTTY === true && options.json !== true ? createInterface({ input: process.stdin, output: process.stderr }) : undefined;
  const answer = async (given: string | undefined, question: string, flag: string, standard?: string): Promise<string> => {
    if (given !== undefined) return given;
    const said = person === undefined ? "" : (await person.question(`${question}${standard === undefined || standard === "" ? "" : ` [${standard}]`}: `)).trim();
    if (said !== "" || standard !== undefined) return said || standard!;
    throw new PlugboardError("CLI_USAGE", { detail: `${question} is missing.`, suggestion: `Give it: ${flag}` });
  };
  try {
    const title = await answer(name, "1/3  Name", 'plugboard tenant create "Acme Training Ltd"');
    const id = options.id ?? idOf(title);
    const subdomain = await answer(options.subdomain, "     Subdomain", "--subdomain <name>", id.replaceAll("_", "-"));
    const presets = listPresets((await headOfMain(review)).workspace).toSorted((a, b) => Number(b.recommended) - Number(a.recommended));
    if (person !== undefined && options.preset === undefined) for (const each of presets) say(`     ${each.id.padEnd(24)} ${each.title}${each.recommended ? pc.green("  recommended") : ""}${each.releases.length === 0 ? "" : pc.dim(`  release ${each.releases.at(-1)!}`)}`);
    const preset = await answer(options.preset, "2/3  Preset", `--preset <${presets.map((each) => each.id).join("|")}>`, person === undefined ? undefined : presets.find(({ recommended }) => recommended)?.id);
    const billingEmail = options.billingEmail ?? (person === undefined ? undefined : (await answer(undefined, "3/3  Billing e-mail", "--billing-email", "")) || undefined);
    const admin = options.admin ?? (person === undefined ? undefined : (await answer(undefined, "     First administrator (e-mail)", "--admin", "")) || undefined);
    const billing = { ...(options.billingName === undefined ? {} : { name: options.billingName }), ...(billingEmail === undefined ? {} : { email: billingEmail }) };
    return {
      name: title, subdomain, preset, ...(options.id === undefined ? {} : { id: options.id }), ...(Object.keys(options.limit).length === 0 ? {} : { limits: options.limit }), ...(Object.keys(options.input).length === 0 ? {} : { inputs: options.input }),
      ...(Object.keys(billing).length === 0 ? {} : { billing }), ...(admin === undefined ? {} : { administrator: { email: admin } }),
    };
  } finally {
    person?.close();
  }
}

/** All problems are shown, not only the sentence that counts them. */
function told(thrown: unknown): unknown {
  if (thrown instanceof InvalidFields) for (const { field, code, message, hint } of thrown.problems) say(`${pc.red("error")}  ${field}  ${pc.bold(code)}  ${message}${hint === undefined ? "" : `\n  ${pc.dim("hint:")} ${hint}`}`);
  return thrown;
}

const turn = (tenant: string, to: "suspended" | "resumed", options: Options & { reason?: string }): Promise<void> => within(options, async (review) => {
  const { status } = await existing(review, tenant);
  if (tenant === PLATFORM) throw new PlugboardError("TENANT_OPERATOR", { verb: to });
  const actor = commandActor();
  await withTenant(review.db, tenant, async (tx) => {
    const done = to === "suspended" ? await suspendTenant(tx, tenant, actor.name, options.reason) : await resumeTenant(tx, tenant, actor.name);
    if (!done) throw new PlugboardError("TENANT_STATUS", { tenant, status, verb: to });
    await recordAudit(tx, tenant, { actor, action: `tenant.${to}`, subject: { kind: "tenant", id: tenant }, ...(options.reason === undefined ? {} : { reason: options.reason }) });
  });
  if (options.json) return printJson({ tenant, status: to === "suspended" ? "suspended" : "active" });
  print(to === "suspended" ? `Suspended ${tenant}: nothing of it runs, its data stays. Back: plugboard tenant resume ${tenant}` : `Resumed ${tenant}: its flows go on at their next tick.`);
});

async function existing({ db }: Review, tenant: string): Promise<{ readonly status: string }> {
  const found = await findTenant(db, tenant);
  if (!found) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant, suggestion: "plugboard tenant list" });
  return found;
}

async function within(options: Options, work: (review: Awaited<ReturnType<typeof openReview>>["review"]) => Promise<void>): Promise<void> {
  const { review, close } = await openReview(options);
  try {
    await work(review);
  } finally {
    await close();
  }
}

const printCounts = (counts: Readonly<Record<string, number>>): void => { for (const [table, rows] of Object.entries(counts)) print(`  ${table.padEnd(24)} ${rows.toLocaleString("en").padStart(12)}`); };
const statusInColour = (status: string): string => (status === "active" ? pc.green : status === "suspended" ? pc.yellow : pc.dim)(status.padEnd(9));

function limitOf(text: string, before: Record<string, number>): Record<string, number> {
  const [, name, rows] = /^([^=]+)=(\d{1,12})$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Write it as entity=rows: learners=500");
  return { ...before, [name]: Number(rows) };
}

function inputOf(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Write it as name=value: country=IE");
  return { ...before, [name]: value! };
}
