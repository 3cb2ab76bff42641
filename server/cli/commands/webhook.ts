import { readFileSync } from "node:fs";
import type { Command } from "commander";
import pc from "picocolors";
import type { Verdict, Verifier } from "../../../engine/components/kinds.ts";
import { parseInstant, toMilliseconds } from "../../../engine/components/shared/instant.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError, type Problem } from "../../../engine/errors/plugboard-error.ts";
import { problemJson, renderProblems } from "../../../engine/errors/render.ts";
import { checkShape } from "../../../engine/manifest/check-shape.ts";
import { parseYaml } from "../../../engine/manifest/parse-yaml.ts";
import { schemaAt } from "../../../engine/manifest/schema-shape.ts";
import type { JsonObject } from "../../../engine/manifest/types.ts";
import { checkExpression, checkTemplate, compileTemplate } from "../../../engine/expression/index.ts";
import type { ComponentPlan, WebhookPlan } from "../../../engine/plan/types.ts";
import { buildVerifier } from "../../../engine/run/build-verifier.ts";
import { print, printJson, say } from "../output.ts";
import { parseRequest } from "../read-request.ts";

interface VerifyOptions { readonly verify: string; readonly request: string; readonly secret?: readonly string[]; readonly at?: string; readonly json?: boolean }

export function registerWebhook(program: Command): void {
  const webhook = program.command("webhook").description("look at webhooks without receiving them");
  webhook.command("verify")
    .description("check a recorded request against a `verify` block, as the server would")
    .requiredOption("--verify <file>", "YAML with one verify block, as in a connector")
    .requiredOption("--request <file>", "a raw HTTP request: request line, headers, blank line, body to the end of the file")
    .option("--secret <name=value...>", "{{config.name}} of the block; @FILE and env:NAME read it from there; a name given twice is being rotated")
    .option("--at <time>", "when the request came in: ISO, or seconds or milliseconds since 1970 (default: now)")
    .option("--json", "print one JSON document")
    .addHelpText("after", `
Example:
  verify.yaml   type: hmac
                secret: "{{config.key}}"
                signature: { header: x-signature, prefix: sha256=, encoding: hex }
  plugboard webhook verify --verify verify.yaml --request request.http --secret key=env:WEBHOOK_KEY --at 2026-03-01T09:00:00Z
Every kind of verifier with examples: schemas/reference/README.md#verifier
Exit codes: 0 accepted, 1 refused (the reason is printed), 2 wrong usage or a wrong verify block`)
    .action(async (options: VerifyOptions) => {
      const { text, verifier, problems, needs } = readBlock(options.verify);
      if (verifier === undefined) return tell(problems, options, text);
      const request = parseRequest(readBytes(options.request), options.request);
      const sets = variablesOf(options.secret ?? [], process.env);
      const missing = needs.filter((name) => sets[0]!.config[name] === undefined);
      if (missing.length > 0) throw usage(`The block needs ${missing.map((name) => `config.${name}`).join(" and ")}.`, missing.map((name) => `--secret ${name}=…`).join(" "));
      const verdict = await verifier.verify(request, sets, timeOf(options.at));
      show(verdict, options.json === true);
      const length = Number(request.headers["content-length"] ?? request.body.length);
      if (!verdict.accepted && length !== request.body.length) say(pc.dim(`note: the file holds ${request.body.length} bytes of body, Content-Length says ${length}; an editor may have added or removed a line break.`));
      if (!verdict.accepted) process.exitCode = 1;
    });
}

function show(verdict: Verdict, json: boolean): void {
  if (json) {
    const { accepted } = verdict;
    return printJson(verdict.accepted
      ? { ok: true, accepted, ...(verdict.timestamp === undefined ? {} : { timestamp: new Date(verdict.timestamp).toISOString() }), ...(verdict.id === undefined ? {} : { id: verdict.id }) }
      : { ok: false, accepted, reason: verdict.reason });
  }
  if (!verdict.accepted) return print(`${pc.red("refused")}  ${verdict.reason}`);
  const signed = [verdict.timestamp === undefined ? "" : `signed at ${new Date(verdict.timestamp).toISOString()}`, verdict.id === undefined ? "" : `id ${verdict.id}`].filter((part) => part !== "");
  print(`${pc.green("accepted")}${signed.length > 0 ? `  ${signed.join(", ")}` : ""}`);
}

function tell(problems: readonly Problem[], { verify, json }: VerifyOptions, text: string): void {
  if (json) printJson({ ok: false, problems: problems.map(problemJson) });
  else say(renderProblems(problems, { colour: pc.isColorSupported && process.stderr.isTTY === true, textOf: (file) => (file === verify ? text : undefined) }));
  process.exitCode = 2;
}

/** `needs`: the config fields without which the block proves nothing. Without a verifier there are problems. */
interface Block { readonly text: string; readonly verifier?: Verifier; readonly problems: readonly Problem[]; readonly needs: readonly string[] }

/** The block alone, or under the key `verify` as it stands in a connector. */
function readBlock(file: string): Block {
  const text = readBytes(file).toString("utf8");
  const yaml = parseYaml(text, file);
  if (yaml.problems.length > 0) return { text, problems: yaml.problems, needs: [] };
  const isWrapped = isMap(yaml.value) && Object.keys(yaml.value).join() === "verify";
  const value = isWrapped ? (yaml.value as JsonObject)["verify"]! : (yaml.value ?? null);
  const root = isWrapped ? "/verify" : "";
  const { findings, sites } = checkShape(value, schemaAt("connector.schema.json", "/$defs/verify_choice"));
  const needs: string[] = [];
  const problems: Problem[] = findings.map(({ code, params, pointer, part }) => ({ code, severity: "error", params, at: yaml.locate(root + pointer, part), pointer: root + pointer }));
  for (const site of sites) {
    const equals = site.language === "template" ? /^\s*=(?!=)/.exec(site.text)?.[0].length : 0;
    const isTemplate = equals === undefined;
    const place = (offset: number) => yaml.locate(root + site.pointer, site.part, offset);
    const found = isTemplate ? checkTemplate(site.text) : checkExpression(site.text.slice(equals));
    for (const { message, position } of found) problems.push({ code: isTemplate ? "MANIFEST_TEMPLATE" : "MANIFEST_EXPRESSION", severity: "error", params: { detail: message }, at: place(position + (equals ?? 0)), pointer: root + site.pointer });
    if (!isTemplate || found.length > 0 || !site.text.includes("{{")) continue;
    for (const [name = "", field = ""] of compileTemplate(site.text, "text").reads) {
      if (name === "config" && isProof(site.pointer)) needs.push(field);
      if (!site.variables.includes(name)) problems.push({ code: "MANIFEST_UNKNOWN_VARIABLE", severity: "error", params: { name, field: site.pointer.split("/").at(-1), suggestion: suggest(name, site.variables) }, at: { ...place(site.text.indexOf(name)), length: name.length }, pointer: root + site.pointer });
    }
  }
  if (problems.length > 0 || !isMap(value)) return { text, problems, needs };
  const { by, ...named } = value;
  const plan = (by === undefined ? { named: { only: value as ComponentPlan } } : { by: String(by), named }) as WebhookPlan["verify"];
  try {
    // Which of several is picked is not known yet, and so is what it needs.
    return { text, verifier: buildVerifier(plan, "verify"), problems, needs: by === undefined ? needs : [] };
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    const pointer = String(thrown.params["field"] ?? "verify").replace(/^verify/, "").replaceAll(".", "/");
    return { text, problems: [{ code: thrown.code, severity: "error", params: thrown.params, at: yaml.locate(root + pointer), pointer: root + pointer }], needs };
  }
}

const isProof = (pointer: string): boolean => /\/(secret|key|username|password)$/.test(pointer);

/** One set of config values; a name that is given again makes another, as while a secret is rotated. */
function variablesOf(secrets: readonly string[], environment: NodeJS.ProcessEnv): { readonly config: Readonly<Record<string, string>> }[] {
  const values = new Map<string, string[]>();
  for (const written of secrets) {
    const equals = written.indexOf("=");
    if (equals < 1) throw usage("--secret takes name=value.", "For example: --secret webhook_key=env:WEBHOOK_KEY");
    const name = written.slice(0, equals).replace(/^config\./, "");
    values.set(name, [...(values.get(name) ?? []), secretFrom(name, written.slice(equals + 1), environment)]);
  }
  const most = Math.max(1, ...[...values.values()].map((each) => each.length));
  return Array.from({ length: most }, (_, index) => ({ config: Object.fromEntries([...values].map(([name, each]) => [name, each[Math.min(index, each.length - 1)]!])) }));
}

function secretFrom(name: string, text: string, environment: NodeJS.ProcessEnv): string {
  if (text.startsWith("@") || text.startsWith("file:")) return readBytes(text.replace(/^(@|file:)/, "")).toString("utf8").replace(/\r?\n$/, "");
  if (!text.startsWith("env:")) return text;
  return environment[text.slice(4)] ?? (() => { throw usage(`--secret ${name}=${text}: the environment has no ${text.slice(4)}.`, `export ${text.slice(4)}=… first`); })();
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const instant = parseInstant(text);
  if (instant === undefined) throw usage(`--at ${text} is no time.`, "For example: --at 2026-03-01T09:00:00Z, or --at 1772355600");
  return toMilliseconds(instant);
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (thrown) {
    throw new PlugboardError("CLI_USAGE", { detail: `${file} cannot be read: ${(thrown as NodeJS.ErrnoException).code ?? (thrown as Error).message}.`, suggestion: "Check the path." }, { cause: thrown });
  }
}

const isMap = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
const usage = (detail: string, suggestion: string): PlugboardError => new PlugboardError("CLI_USAGE", { detail, suggestion });
