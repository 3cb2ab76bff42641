/**
 * A review with many organisations: what a change costs from its proposal to a rollback, beside the same with ten of them, in
 * this one run. A customer's own change must cost what one customer costs; one of a shared mapping concerns everybody.
 */
import fs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { createKeyring, openDatabase, readConfiguration, type Actor } from "../../engine/store/index.ts";
import { applyChange, approve, commitDirect, effectOfChange, openWorkspace, propose, createDraft, rollBack, syncMain, type FileEdit, type Review } from "../../server/review/index.ts";

const FEW = 10;
const AUTHOR = { name: "Bench", email: "bench@example.com" };
const actor: Actor = { kind: "command", id: "bench", name: "bench" };
const nameOf = (index: number): string => `t${String(index).padStart(5, "0")}`;

type Times = Record<string, number[]>;

/** @param database makes an empty one that is migrated. */
export async function measureReview(database: () => Promise<string>, key: string, tenants: number, rounds: number): Promise<object> {
  const sizes = [FEW, tenants];
  const rigs = [];
  const first: Times = {};
  for (const size of sizes) rigs.push(await makeRig(await database(), key, size, first));
  const times = sizes.map((): Times => ({}));
  // One after the other, as each server has one workspace; the first round warms up.
  for (const [index, { review, size }] of rigs.entries()) for (let round = 1; round <= rounds + 1; round++) await oneRound(review, size, round, round === 1 ? {} : times[index]!);
  for (const rig of rigs) await rig.close();
  const figures = Object.fromEntries(Object.keys(times[0]!).map((what) => [what, { few_ms: median(times[0]![what]!), many_ms: median(times[1]![what]!), ratio: median(times[1]![what]!) / median(times[0]![what]!) }]));
  console.log(`a review among ${tenants.toLocaleString("en")} tenants, beside ${FEW}: median of ${rounds} rounds`);
  console.log(`  first of all, everything read, planned and put in force: ${Object.values(first).map(([ms]) => `${(ms! / 1000).toFixed(2)} s`).reverse().join("; with few ")}`);
  for (const [what, { few_ms: few, many_ms: many, ratio }] of Object.entries(figures)) console.log(`  ${what.padEnd(52)} ${many.toFixed(0).padStart(7)} ms, ${few.toFixed(0).padStart(5)} ms: ratio ${ratio.toFixed(1)}`);
  return { tenants, few: FEW, first, figures };
}

async function makeRig(url: string, key: string, size: number, first: Times): Promise<{ review: Review; size: number; close(): Promise<void> }> {
  const root = await mkdtemp(path.join(tmpdir(), "plugboard-bench-review-"));
  await git.init({ fs, dir: root, defaultBranch: "main" });
  for (const [file, text] of [
    ["workspace.yaml", "name: bench\ncatalogue: builtin\nreview: self\n"],
    // A layer over the catalogue's mapping: what a change of it does, it does to everybody.
    ["mappings/aptem/learner.yaml", "mapping: aptem/learner\nfields: { custom.note: FullName }\n"],
    ...Array.from({ length: size }, (_, index) => [`tenants/${nameOf(index)}.yaml`, `tenant: ${nameOf(index)}\ntitle: Customer ${index}\nsubdomain: ${nameOf(index)}\npreset: aptem-hubspot\nconnections: { aptem: { config: { tenant_host: ${nameOf(index)} } } }\nflows:\n  learners:\n    from: { every: 20m }\n`]),
  ] as const) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  await git.add({ fs, dir: root, filepath: "." });
  await git.commit({ fs, dir: root, message: "Begin", author: AUTHOR });
  const db = await openDatabase({ url, max: 4, applicationName: "plugboard bench" });
  const keyring = await createKeyring({ value: key });
  const review: Review = { db, keyring, workspace: await openWorkspace(root) };
  const synced = await timed(first, String(size), () => syncMain(review));
  if (synced.status !== "applied" || synced.changed.length !== size) throw new Error(`the benchmark's own workspace is wrong: ${JSON.stringify(synced).slice(0, 500)}`);
  return { review, size, close: async () => { keyring.close(); await db.close(); await rm(root, { recursive: true, force: true }); } };
}

async function oneRound(review: Review, size: number, round: number, times: Times): Promise<void> {
  const one = nameOf((round * 37) % size);
  const every: FileEdit = { file: `tenants/${one}.yaml`, set: [{ pointer: "/flows/learners/from/every", value: `${round + 20}m` }] };
  const before = (await readConfiguration(review.db)).revision!;
  const draft = await createDraft(review, { author: actor, title: `Round ${round}`, edits: [every] });
  const change = await timed(times, "plan and propose one customer's change", () => propose(review, draft.id, actor));
  await approve(review, change.id, actor, change.plan_hash!);
  const applied = await timed(times, "put it in force", () => applyChange(review, change.id, actor));
  if (applied.changed.join() !== one) throw new Error(`${applied.changed.length} tenants changed, and only ${one} was meant to`);
  const back = await timed(times, "roll it back, with the commit that reverts", () => rollBack(review, actor, { revision: before }));
  if (back.changed.join() !== one) throw new Error(`${back.changed.length} tenants went back`);
  await commitDirect(review.workspace.repository, { files: [{ file: `tenants/${one}.yaml`, set: [{ pointer: "/title", value: `Round ${round}` }] }], message: "From outside", author: AUTHOR });
  const synced = await timed(times, "take in a commit of one customer from outside", () => syncMain(review));
  if (synced.status !== "applied" || synced.changed.join() !== one) throw new Error(JSON.stringify(synced).slice(0, 500));
  await timed(times, "look at main when nothing came", () => syncMain(review));

  const shared = await createDraft(review, { author: actor, title: `Everybody ${round}`, edits: [{ file: "mappings/aptem/learner.yaml", set: [{ pointer: "/fields/custom.note", value: `FullName & " ${round}"` }] }] });
  const all = await timed(times, "plan and propose a change of everybody's mapping", () => propose(review, shared.id, actor));
  if ((all.plan as unknown as { tenants: unknown[] }).tenants.length !== size) throw new Error("a mapping that all use changed, and not for all");
  await timed(times, "its effect on the records that are there (none here)", () => effectOfChange(review, all));
}

async function timed<Result>(times: Times, what: string, work: () => Promise<Result>): Promise<Result> {
  const begun = performance.now();
  const result = await work();
  (times[what] ??= []).push(performance.now() - begun);
  return result;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
