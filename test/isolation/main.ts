/**
 * `npm run isolation`: two customers on one server, and everything of the one put into every place of the other's requests; a
 * secret through every door, searched everywhere; credentials sealed again under load; and products with a wall taken down,
 * which must be caught. Exits 1 when something leaked, failed or got through, 2 when the rig was called wrongly or broke down.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { migrate } from "../../engine/store/index.ts";
import { startEmbeddedPostgres } from "../../server/embedded-postgres.ts";
import { useServer } from "../support/postgres.ts";
import { probeBehind } from "./behind.ts";
import { searchCanaries } from "./canary.ts";
import { MUTANTS, runMutant } from "./mutants.ts";
import { probeRoutes, type Leak } from "./probes.ts";
import { rotateUnderLoad } from "./rotation.ts";
import { openWorld } from "./world.ts";

const PARTS = ["routes", "behind", "canary", "rotation", "mutants"] as const;
type Part = (typeof PARTS)[number];
const LEAST_PROBES = 20_000;

const USAGE = `npm run isolation -- [--seed N] [--share 0.6] [--secrets 10000] [--only ${PARTS.join("|")}] [--route REGEX] [--mutants] [--json] [--verbose]

--share    of all probes of routes that are possible (1 is all of them); the seed says which
--route    only routes whose "METHOD /path" it matches
--only     one part (repeatable); --mutants is --only mutants
Without --only: everything, and fewer than ${LEAST_PROBES.toLocaleString("en")} probes are a failure.`;

process.exitCode = await main().catch((broken: unknown) => {
  console.error("the rig broke down; this says nothing about the product:", broken);
  return 2;
});

interface Options { readonly seed: number; readonly share: number; readonly secrets: number; readonly parts: readonly Part[]; readonly route: RegExp | undefined; readonly json: boolean; readonly verbose: boolean }

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const begun = performance.now();
  const say = (line: string): void => { if (!options.json) console.log(line); };
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-isolation-data-"));
  await chmod(folder, 0o711);                              // as root, PostgreSQL runs as another user who walks through it
  const server = await startEmbeddedPostgres({ folder, log: () => undefined });
  const stop = async (): Promise<void> => { await server.stop(); await rm(folder, { recursive: true, force: true }); };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop().finally(() => process.exit(130)));
  try {
    await migrate({ url: server.url, login: server.login });
    useServer({ templateUrl: server.url, runtimeLogin: server.login });
    const { failures, figures } = await runParts(options, server.dataFolder, say);
    const seconds = Math.round((performance.now() - begun) / 1000);
    say(failures.length === 0 ? `\npassed in ${seconds} s (seed ${options.seed})` : `\nFAILED in ${seconds} s (seed ${options.seed}):\n${failures.slice(0, 40).map((line) => `  ${line}`).join("\n")}`);
    if (options.json) console.log(JSON.stringify({ passed: failures.length === 0, seed: options.seed, seconds, ...figures, failures }));
    return failures.length === 0 ? 0 : 1;
  } finally {
    await stop();
  }
}

async function runParts({ seed, share, secrets, parts, route, verbose }: Options, dataFolder: string, say: (line: string) => void): Promise<{ failures: string[]; figures: Record<string, unknown> }> {
  const failures: string[] = [];
  const figures: Record<string, unknown> = {};
  const told = (leaks: readonly Leak[]): void => { for (const { rule, where, detail } of leaks) failures.push(`${rule}: ${where}: ${detail.slice(0, verbose ? 600 : 200)}`); };

  if (parts.includes("routes") || parts.includes("behind")) {
    const world = await openWorld();
    try {
      if (parts.includes("routes")) {
        const since = performance.now();
        const { leaks, broken, ...counts } = await probeRoutes(world, { seed, share, ...(route === undefined ? {} : { only: ({ method, path: at }) => route.test(`${method} ${at}`) }), log: (line) => { if (verbose) say(`  ${line}`); } });
        say(`routes      ${world.routes.length} routes × ${world.callers.length} callers: ${count(counts.cells.let_in)} cells let in, ${count(counts.cells.refused)} refused, as the table says
            ${count(counts.probes)} probes, ${count(counts.reached)} reached the route's own code, ${leaks.length} leaks, ${broken.length} answers of 500, ${seconds(since)}
            ${Object.entries(counts.kinds).map(([kind, n]) => `${kind} ${count(n)}`).join(" · ")}
            statements on tenants' tables: ${count(world.tap.counted.onTenants)}, of them ${world.tap.strays.length} outside of a tenant's transaction`);
        told(leaks);
        if (verbose) for (const line of new Set(world.log.text.split("\n").flatMap((text) => /"level":50/.test(text) ? [/"stack":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]?.slice(0, 400) ?? ""] : []))) say(`  logged: ${line}`);
        for (const line of broken) failures.push(`an answer of 500: ${line.slice(0, verbose ? 600 : 160)}`);
        if (parts.length === PARTS.length && counts.probes < LEAST_PROBES) failures.push(`only ${counts.probes} probes: ask for a larger --share`);
        figures["routes"] = { ...counts, leaks: leaks.length, broken: broken.length, statements: world.tap.counted };
      }
      if (parts.includes("behind")) {
        const at = performance.now();
        const { probes, leaks } = await probeBehind(world);
        say(`behind      ${count(probes.sql)} statements, ${probes.jobs} jobs, ${count(probes.ciphertexts)} ciphertexts moved: ${leaks.length} leaks, ${seconds(at)}`);
        told(leaks);
        figures["behind"] = { ...probes, leaks: leaks.length };
      }
    } finally {
      await world.close();
    }
  }
  if (parts.includes("canary")) {
    const at = performance.now();
    const { doors, searched, hits, closed } = await searchCanaries({ folders: [dataFolder] });
    say(`canary      ${doors.length} doors; searched ${Object.entries(searched).map(([where, bytes]) => `${where} ${count(Math.ceil(bytes / 1024))} KB`).join(", ")}: ${hits.length} hits in six encodings, ${seconds(at)}`);
    for (const { where, what, encoding, excerpt } of hits) failures.push(`a secret (${what}, ${encoding}) stands in ${where}: ${excerpt.slice(0, 200)}`);
    for (const door of closed) failures.push(`a door was closed, so it proves nothing: ${door}`);
    figures["canary"] = { doors: doors.length, searched, hits: hits.length };
  }
  if (parts.includes("rotation")) {
    const report = await rotateUnderLoad({ secrets });
    say(`rotation    ${count(report.secrets)} credentials, ${count(report.reencrypted)} values sealed again while ${count(report.reads)} were read, ${count(report.refreshes)} tokens refreshed and ${count(report.writes)} forms entered: ${report.failures.length} failures, ${report.remaining} remain
            ${report.destroyed} data keys destroyed, ${report.rewrapped} wrapped again; ${count(report.verified)} read with the new key alone, ${(report.milliseconds / 1000).toFixed(1)} s`);
    for (const failure of report.failures) failures.push(`rotation: ${failure}`);
    if (report.remaining > 0 || report.verified < report.secrets) failures.push(`rotation: ${report.remaining} remain, ${report.verified} of ${report.secrets} were read afterwards`);
    figures["rotation"] = { ...report, failures: report.failures.length };
  }
  if (parts.includes("mutants")) {
    let caught = 0;
    for (const [name, { what }] of Object.entries(MUTANTS)) {
      const result = await runMutant(name, seed);
      say(`mutant      ${name} (${what}): ${result.caught ? `caught by ${result.by.join(", ")}` : "NOT CAUGHT"}`);
      if (result.caught) caught++;
      else failures.push(`mutant ${name} was not caught`);
    }
    say(`mutants caught: ${caught}/${Object.keys(MUTANTS).length}`);
    figures["mutants"] = { caught, of: Object.keys(MUTANTS).length };
  } else {
    say("no mutant score: the mutants were not run, so this says less than it seems to");
  }
  return { failures, figures };
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({ options: { seed: { type: "string" }, share: { type: "string" }, route: { type: "string" }, secrets: { type: "string" }, only: { type: "string", multiple: true }, mutants: { type: "boolean" }, json: { type: "boolean" }, verbose: { type: "boolean" }, help: { type: "boolean" } } });
    const [seed, share, secrets] = [Number(values.seed ?? Date.now() % 1_000_000), Number(values.share ?? 0.6), Number(values.secrets ?? 10_000)];
    const parts = [...(values.only ?? []), ...(values.mutants === true ? ["mutants"] : [])] as Part[];
    const wrong = parts.find((part) => !PARTS.includes(part));
    if (values.help === true || wrong !== undefined || !(share > 0 && share <= 1) || !Number.isInteger(seed) || !(secrets > 0)) throw new Error(wrong === undefined ? "" : `there is no part '${wrong}'`);
    return { seed, share, secrets, parts: parts.length > 0 ? parts : values.route === undefined ? PARTS : ["routes"], route: values.route === undefined ? undefined : new RegExp(values.route), json: values.json === true, verbose: values.verbose === true };
  } catch (thrown) {
    console.error(`${(thrown as Error).message}\n${USAGE}`);
    return undefined;
  }
}

// Declared, because the rig runs before this line is reached.
function count(n: number): string { return n.toLocaleString("en"); }
function seconds(since: number): string { return `${((performance.now() - since) / 1000).toFixed(1)} s`; }
