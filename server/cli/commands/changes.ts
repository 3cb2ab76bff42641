import type { Command } from "commander";
import pc from "picocolors";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { getChange, listChanges, type StoredChange, type StoredPullRequest } from "../../../engine/store/index.ts";
import { approve, dataEffect, filesOf, proposeChange, reject, type ChangePlan, type FileEdit, type Review } from "../../review/index.ts";
import { planOnce, plansOf } from "../../review/plan.ts";
import { names, planMarkdown } from "../../review/words.ts";
import { readTree } from "../../workspace/read-tree.ts";
import { commandActor, openReview, type ReviewOptions } from "../open-review.ts";
import { print, printJson } from "../output.ts";
import { showPlan } from "../show-plan.ts";

interface Options extends ReviewOptions { readonly json?: boolean; readonly markdown?: boolean; readonly title?: string; readonly description?: string; readonly reason?: string }

const COLOURS = { draft: pc.dim, proposed: pc.yellow, approved: pc.cyan, applied: pc.green, rejected: pc.red, rolled_back: pc.magenta } as const;
/** Changes listed. */
const NEWEST = 30;

export function registerChanges(program: Command): void {
  const changes = program.command("changes").description("changes under review: list, show, propose, approve, reject");
  const command = (usage: string, description: string, work: (review: Review, id: string, options: Options) => Promise<void>): Command =>
    changes.command(usage).description(description)
      .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
      .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
      .option("--data <dir>", "data folder (default: .plugboard of the workspace)")
      .option("--json", "print one JSON document")
      .action(async (...words: unknown[]) => {
        const [id, options] = typeof words[0] === "string" ? [words[0], words[1] as Options] : ["", words[0] as Options];
        const { review, close } = await openReview(options);
        try {
          await work(review, id, options);
        } finally {
          await close();
        }
      });

  command("list", "the newest changes", async ({ db }, _, options) => {
    const { items } = await listChanges(db, { reader: commandActor().id, limit: NEWEST });
    if (options.json) return printJson({ changes: items.map(({ plan: _plan, edits: _edits, ...change }) => change) });
    for (const change of items) print(lineOf(change));
    if (items.length === 0) print("No changes yet.");
  });

  command("show <change>", "its plan, and what it does to the records read last", async (review, id, options) => {
    const change = await existing(review, id);
    const plan = change.plan as unknown as ChangePlan | undefined;
    const data = change.commit === undefined ? undefined : await dataEffect(review, plansOf(planOnce(await review.workspace.treesOf(change.base))), plansOf(planOnce(await review.workspace.treesOf(change.commit))));
    if (options.json) return printJson({ ...change, data: data ?? null });
    if (options.markdown && plan) return void process.stdout.write(planMarkdown(plan, data === undefined ? {} : { data }));
    print(`${lineOf(change)}\n`);
    if (change.pull_request) print(`${pullRequestLine(change.pull_request)}\n`);
    if (plan) showPlan(plan, { data });
    if (change.status === "proposed") print(pc.dim(`\nplugboard changes approve ${change.id}`));
    if (change.status === "approved") print(pc.dim(`\nplugboard apply ${change.id}`));
  }).option("--markdown", "print it for a pull request");

  command("propose", "propose what the working copy changes: a branch and a commit, and where a forge is configured a pull request", async (review, _, options) => {
    if (options.title === undefined) throw new PlugboardError("CLI_USAGE", { detail: "A change has a title.", suggestion: "--title \"Sync Acme's learners more often\"" });
    const change = await proposeChange(review, { author: commandActor(), title: options.title, edits: await editsOfWorkingCopy(review), ...(options.description === undefined ? {} : { description: options.description }) });
    if (options.json) return printJson(change);
    print(`${lineOf(change)}\n`);
    if (change.pull_request) print(`${pullRequestLine(change.pull_request)}\n`);
    showPlan(change.plan as unknown as ChangePlan);
  }).option("--title <text>", "one line; the commit's").option("--description <text>", "why");

  command("approve <change>", "approve it as you see it now", async (review, id, options) => {
    const change = await existing(review, id);
    const approved = await approve(review, id, commandActor(), change.plan_hash ?? "");
    if (options.json) return printJson(approved);
    print(`${lineOf(approved)}\n${pc.dim(`plugboard apply ${id}`)}`);
  });

  command("reject <change>", "reject it, or take your own back", async (review, id, options) => {
    const rejected = await reject(review, id, commandActor(), options.reason);
    if (options.json) return printJson(rejected);
    print(lineOf(rejected));
  }).option("--reason <text>", "why");
}

async function existing({ db }: Review, id: string): Promise<StoredChange> {
  const change = await getChange(db, id);
  if (!change) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Change", name: id, suggestion: "plugboard changes list shows them." });
  return change;
}

/** What is written in the folder and not on main. */
async function editsOfWorkingCopy({ workspace }: Review): Promise<FileEdit[]> {
  const [main, here] = [filesOf(await workspace.readTrees()), readTree(workspace.root, "workspace").files];
  return [...new Set([...main.keys(), ...here.keys()])].toSorted().flatMap((file): FileEdit[] => {
    const text = here.get(file);
    return text === main.get(file) ? [] : [text === undefined ? { file, remove: true } : { file, text }];
  });
}

/** `Pull request 7, open, approved by octocat: https://…` */
function pullRequestLine({ number, state, review, reviewers, note, url }: StoredPullRequest): string {
  const says = state !== "open" || review === undefined ? "" : review === "waiting" ? ", waiting for a review" : `, ${review === "approved" ? "approved" : "changes requested"} by ${names(reviewers ?? [])}`;
  return `Pull request ${number}, ${state}${says}: ${url}${note === undefined ? "" : `\n  ${pc.dim(note)}`}`;
}

const lineOf = ({ id, status, title, author, created_at, tenant }: StoredChange): string =>
  `${id}  ${COLOURS[status](status.replace("_", " ").padEnd(11))}  ${pc.bold(title)}  ${pc.dim(`${author.name}, ${created_at.slice(0, 16).replace("T", " ")}${tenant === undefined ? "" : `, ${tenant}`}`)}`;
