/** Every expression and template of a manifest: does it parse, and does it name only what its key may see. */
import type { Problem } from "../errors/plugboard-error.ts";
import { nearest, suggest } from "../errors/nearest.ts";
import { functionCatalogue } from "../expression/functions/index.ts";
import { checkExpression, checkTemplate, compileExpression, compileTemplate, type ExpressionProblem } from "../expression/index.ts";
import type { Site } from "./check-shape.ts";
import { DATE } from "./check-traps.ts";
import { locateIn } from "./locate-in.ts";
import { isMap, merged } from "./merged.ts";
import { pageMembers } from "./page-members.ts";
import { mapOf } from "./references/names.ts";
import type { JsonObject, Manifest, Workspace } from "./types.ts";
import type { Checked } from "./validate.ts";

/** JSONata's own functions, and ours. */
const FUNCTIONS = [
  ..."string length substring substringBefore substringAfter uppercase lowercase trim pad contains split join match replace base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl".split(" "),
  ..."number abs floor ceil round power sqrt random formatNumber formatBase formatInteger parseInteger sum max min average boolean not exists count append sort reverse shuffle distinct zip".split(" "),
  ..."keys lookup spread merge sift each error assert type now millis fromMillis toMillis map filter single reduce".split(" "),
  ...functionCatalogue.map(({ name }) => name),
];
/** Members of the variables whose members are fixed. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  page: ["number", "offset", "token", "after", "url", "size"],
  cursor: ["from", "to"],
  account: ["id", "label"],
};

export function checkExpressions({ manifest, shape }: Checked, workspace: Workspace): Problem[] {
  const scope = scopeOf(manifest, workspace);
  return shape.sites.flatMap((site) => checkSite(manifest, site, scope));
}

/** Names below `config`, `inputs` and `with` that a manifest of this kind may use; absent where that cannot be told. */
interface Scope { readonly config?: ReadonlySet<string>; readonly secrets?: ReadonlySet<string>; readonly inputs?: ReadonlySet<string>; withOf(pointer: string): ReadonlySet<string> | undefined; extra(pointer: string): readonly string[]; page?(pointer: string): ReturnType<typeof pageMembers> }

function scopeOf(manifest: Manifest, workspace: Workspace): Scope {
  const nowhere = { withOf: () => undefined, extra: () => [] };
  if (manifest.kind === "mapping") return { ...nowhere, extra: () => mintedFor(manifest.id, workspace), ...configOf(String(manifest.value.from).split(".")[0]!, workspace) };
  const ofFlow = (pointer: string): string[] => (pointer.startsWith("/flows/") ? Object.keys(mapOf(mapOf(mapOf(manifest.value.flows)[pointer.split("/")[2]!]).mint)) : []);
  if (manifest.kind === "preset") return { ...nowhere, extra: ofFlow, ...inputsOf(merged(workspace.presets.get(manifest.id) ?? [manifest])) };
  if (manifest.kind === "tenant") return { ...nowhere, extra: ofFlow, ...inputsOf(presetOf(manifest, workspace)) };
  if (manifest.kind !== "connector") return nowhere;
  const whole = merged(workspace.connectors.get(manifest.id) ?? [manifest]);
  return {
    ...configOf(manifest.id, workspace),
    page: (pointer) => pageMembers(manifest, pointer, workspace),
    withOf: (pointer) => {
      const [, room, name = ""] = pointer.split("/");
      if (room !== "fragments") return undefined;
      const fragment = isMap(whole.fragments) ? whole.fragments[name] : undefined;
      return isMap(fragment) && Array.isArray(fragment.with) ? new Set(fragment.with.map(String)) : isMap(fragment) && fragment.use === undefined ? new Set() : undefined;
    },
    // `before: { export: … }`: the answer is the variable `export` of everything beside it; a JWT's claims are named by the verifier.
    extra: (pointer) => {
      const names: string[] = [];
      let value: unknown = whole;
      for (const part of pointer.split("/").slice(1)) {
        if (!isMap(value as never)) break;
        const map = value as Record<string, unknown>;
        if (isMap(map.before as never)) names.push(...Object.keys(map.before as object));
        const claims = (map.verify as { claims?: unknown } | undefined)?.claims;
        if (typeof claims === "string") names.push(claims);
        value = map[part];
      }
      return names;
    },
  };
}

/** What the flows that use a mapping make for each delivery: variables of their own names. */
function mintedFor(mapping: string, workspace: Workspace): string[] {
  const files = [...[...workspace.presets.values()].flat(), ...workspace.tenants.values()];
  return files.flatMap(({ value }) => Object.values(mapOf(value.flows)).flatMap((flow) => ((isMap(flow) && (flow.map === mapping || mapOf(flow.map).use === mapping)) ? Object.keys(mapOf(flow.mint)) : [])));
}

function configOf(connector: string, workspace: Workspace): Pick<Scope, "config" | "secrets"> {
  const layers = workspace.connectors.get(connector);
  const { config } = layers ? merged(layers) : {};
  // What is no map is told as such, not at everything that names a part of it.
  if (!layers || (config !== undefined && !isMap(config))) return {};
  const fields = Object.entries(config ?? {});
  return { config: new Set(fields.map(([name]) => name)), secrets: new Set(fields.filter(([, field]) => isMap(field) && field.secret === true).map(([name]) => name)) };
}

function inputsOf(preset: JsonObject | undefined): Pick<Scope, "inputs"> {
  return preset && (preset.inputs === undefined || isMap(preset.inputs)) ? { inputs: new Set(Object.keys(preset.inputs ?? {})) } : {};
}

/** The release that the tenant pins, or the preset's head. */
function presetOf(tenant: Manifest, workspace: Workspace): JsonObject | undefined {
  const [id = "", release] = String(tenant.value.preset ?? "").split("@");
  if (release === undefined) return workspace.presets.has(id) ? merged(workspace.presets.get(id)!) : undefined;
  const frozen = workspace.releases.get(id)?.get(Number(release))?.value.preset;
  return isMap(frozen) ? frozen : undefined;
}

function checkSite(manifest: Manifest, site: Site, scope: Scope): Problem[] {
  const equals = site.text.startsWith("==") ? undefined : /^\s*=/.exec(site.text)?.[0].length;
  if (site.language === "template" && equals === undefined) return site.text.startsWith("==") ? [] : checkTemplateSite(manifest, site, scope);
  const offset = site.language === "jsonata" ? (equals ?? 0) : equals!;
  const text = site.text.slice(offset);
  const problems: Problem[] = [];
  if (site.language === "jsonata" && equals !== undefined)
    problems.push(at(manifest, site, 0, equals, "MANIFEST_TRAP", { detail: `'${last(site.pointer)}' is always an expression: the '=' is not needed.`, cure: `Write it without: ${text.trim()}` }, "warning"));
  // Told as a trap, with its cure.
  if (DATE.test(text)) return problems;
  const found = checkExpression(text);
  if (found.length > 0) return [...problems, ...found.map((each, index) => at(manifest, site, offset + each.position, each.length, "MANIFEST_EXPRESSION", { detail: each.message, suggestion: cureOf(each, site, index === 0 ? text : text.slice(Math.max(0, each.position - 1), each.position + each.length)) }))];
  const { reads, variables } = compileExpression(text);
  const seesRecord = site.variables.includes("*");
  const names = [...variables.map((name) => ({ path: [name], bound: true })), ...(seesRecord ? [] : reads.filter((path) => path.length > 0).map((path) => ({ path: [...path], bound: false })))];
  for (const match of text.matchAll(/\$(config|inputs|with|page|cursor|account)\.([A-Za-z_]\w*)/g)) names.push({ path: [match[1]!, match[2]!], bound: true });
  return [...problems, ...unknownNames(manifest, site, scope, names, text, offset)];
}

function checkTemplateSite(manifest: Manifest, site: Site, scope: Scope): Problem[] {
  if (!site.text.includes("{{")) return /^\$\{\s*[\w.]+\s*\}|^\{[\w]+\.[\w.]+\}$/.test(site.text)
    ? [at(manifest, site, 0, site.text.length, "MANIFEST_TRAP", { detail: `'${site.text}' is sent as it stands: it is no template.`, cure: `A template has two braces: "{{${site.text.replace(/[${}\s]/g, "")}}}"` }, "warning")] : [];
  const found = checkTemplate(site.text);
  if (found.length > 0) return found.map((each) => at(manifest, site, each.position, each.length, "MANIFEST_TEMPLATE", { detail: each.message, suggestion: /\{\{[#/]/.test(site.text) ? "A block ends with its own name: {{#if x}}…{{/if}}." : "A template holds {{variable}} or {{function variable}}; for more, start the value with = and write JSONata." }));
  const { reads } = compileTemplate(site.text, "text");
  return unknownNames(manifest, site, scope, reads.map((path) => ({ path: [...path], bound: false })), site.text, 0);
}

function unknownNames(manifest: Manifest, site: Site, scope: Scope, names: readonly { path: readonly string[]; bound: boolean }[], text: string, offset: number): Problem[] {
  const known = site.variables.filter((name) => name !== "*");
  const anything = site.variables.includes("*");
  const told = new Set<string>();
  return names.flatMap(({ path, bound }) => {
    const [root = "", member] = path;
    const problem = (name: string, candidates: Iterable<string>, shown: readonly string[], suggestion = suggest(name, candidates)): Problem[] => {
      if (told.has(name)) return [];
      told.add(name);
      const position = Math.max(0, text.search(new RegExp(`${bound ? "\\$" : "(?<![\\w.$])"}${shown.map(quote).join("\\s*\\.\\s*")}\\b`)));
      return [at(manifest, site, offset + position, name.length + (bound ? 1 : 0), "MANIFEST_UNKNOWN_VARIABLE", { name: (bound ? "$" : "") + name, field: last(site.pointer), suggestion })];
    };
    if (!bound && anything && !known.includes(root)) return [];
    if (bound && root === "record" && anything && !known.includes(root)) return problem(root, [], [root], `the record's fields are named directly: ${text.replaceAll("$record.", "")}`);
    if (!known.includes(root)) return scope.extra(site.pointer).includes(root) || (bound && root === "") ? [] : problem(root, known, [root]);
    if (member === undefined) return [];
    const prefixed = (all: Iterable<string>) => [...all].map((each) => `${root}.${each}`);
    const inside = (all: Iterable<string> | undefined): Problem[] => (all === undefined || [...all].includes(member) ? [] : problem(`${root}.${member}`, prefixed(all), [root, member]));
    if (root === "config" && site.language === "jsonata" && scope.secrets?.has(member)) return problem(`config.${member}`, [], [root, member], "a secret is placed in a request (a template, or a value with =); no other expression reads it");
    if (root === "config") return inside(scope.config);
    if (root === "inputs" && scope.inputs) return inside(scope.inputs);
    if (root === "with") return inside(scope.withOf(site.pointer));
    const page = root === "page" ? scope.page?.(site.pointer) : undefined;
    if (page && MEMBERS.page!.includes(member)) return page.members.includes(member) ? [] : problem(`page.${member}`, [], [root, member], `pagination of type ${page.type} gives ${prefixed(page.members).join(" and ")}`);
    return inside(page?.members ?? MEMBERS[root]);
  });
}

function at(manifest: Manifest, site: Site, position: number, length: number, code: Problem["code"], params: Problem["params"], severity: Problem["severity"] = "error"): Problem {
  const place = site.part === "key" ? { ...manifest.locate(site.pointer, "key"), length: Math.max(1, length) } : locateIn(manifest, site.pointer, site.text, position, length);
  return { code, severity, params, pointer: site.pointer, at: place };
}

/** What to write instead of mistakes that other languages teach. */
function cureOf({ code, message }: ExpressionProblem, site: Site, text: string): string {
  const template = /^\s*\{\{\s*([\w.]+)\s*\}\}\s*$/.exec(text)?.[1];
  if (template !== undefined) return `this key is an expression, not a template: write ${site.variables.includes("*") && site.variables.includes(template.split(".")[0]!) ? "$" : ""}${template}`;
  if (/^[A-Za-z][\w'’.-]*( [\w'’.-]+)+$/.test(text.trim()) && !/ (and|or|in) /.test(text)) return `a constant text has quotes of its own: '"${text.trim()}"'`;
  const open = /Expected '([)\]}])' before the end/.exec(message)?.[1];
  if (open !== undefined) return `a ${{ ")": "(", "]": "[", "}": "{" }[open]!} is opened and not closed: add ${open}`;
  if (text.includes("==")) return "JSONata compares with one '=': a = b";
  if (/&&|\|\|/.test(text)) return "JSONata says 'and' and 'or'";
  if (/!(?!=)/.test(text)) return "JSONata negates with a function: $not(…)";
  if (text.includes("{{")) return "this key is an expression, not a template: write the variable without braces, as $config.name";
  if (code === "T1006") {
    const near = nearest(/\$(\w+)/.exec(message)?.[1] ?? "", FUNCTIONS);
    return near === undefined ? "functions are listed in schemas/reference/functions.md" : `did you mean $${near}?`;
  }
  return "";
}

const last = (pointer: string): string => pointer.split("/").at(-1)!.replaceAll("~1", "/").replaceAll("~0", "~");
const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
