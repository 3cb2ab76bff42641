/** Texts that YAML or JSONata silently reads as something else. Each is told only where the reading cannot be what was meant. */
import type { Problem } from "../errors/plugboard-error.ts";
import { checkExpression } from "../expression/index.ts";
import type { Site } from "./check-shape.ts";
import { merged } from "./merged.ts";
import { recordSchema } from "./record-schema.ts";
import { entityFields } from "./references/mapping.ts";
import { mapOf } from "./references/names.ts";
import type { Manifest, Workspace } from "./types.ts";
import type { Checked } from "./validate.ts";

export function checkTraps({ manifest, shape }: Checked, workspace: Workspace): Problem[] {
  const values = shape.sites.filter((site) => site.part === "value");
  return [
    ...values.filter(({ language }) => language === "jsonata").flatMap((site) => [...cutByComment(manifest, site), ...unendingUntil(manifest, site), ...constant(manifest, site), ...choice(manifest, site, workspace), ...date(manifest, site), ...typographic(manifest, site)]),
    ...values.filter(({ language }) => language === "template").flatMap((site) => withoutBraces(manifest, site)),
  ];
}

/** `x: items #$i`: YAML takes ` #$i` for a comment. A comment proper begins with `# ` or stands apart. */
function cutByComment(manifest: Manifest, site: Site): Problem[] {
  const { comment } = manifest.written(site.pointer);
  if (comment === undefined || !/^\$[A-Za-z_]\w*/.test(comment)) return [];
  return [trap(manifest, site, `YAML reads ' #${comment}' as a comment: the expression is only '${site.text}'.`, `Quote the expression: '${site.text} #${comment}'`)];
}

/** `until: $not($exists(body.next))` never holds while the provider sends `next: null`; `$not($boolean(…))` never while it sends none. */
function unendingUntil(manifest: Manifest, site: Site): Problem[] {
  if (!site.pointer.endsWith("/pagination/until")) return [];
  const match = /^\s*\$not\(\s*\$(exists|boolean)\(\s*((?:body|headers)(?:\.[A-Za-z_]\w*)+)\s*\)\s*\)\s*$/.exec(site.text);
  if (!match) return [];
  const [, name, path] = match;
  return [trap(manifest, site, name === "exists" ? `null exists: this never ends when the last page says '${path!.split(".").at(-1)}: null'.` : `$not of absent is absent: this never ends when the last page has no '${path!.split(".").at(-1)}'.`, `until: "${path} ? false : true", right for null, absent and empty`, "warning")];
}

/** `country: "GB"` is a field named GB. In quotes that YAML does not need: a constant was meant. */
function constant(manifest: Manifest, site: Site): Problem[] {
  if (manifest.kind !== "mapping" && manifest.kind !== "preset" && manifest.kind !== "tenant") return [];
  if (!/\/fields\/[^/]+$/.test(site.pointer) || manifest.written(site.pointer).style !== "quoted") return [];
  const { text } = site;
  // A plain name needs no quotes in YAML, so quotes around one mean a text. Paths and functions may have them.
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(text) || checkExpression(text).length > 0 || text === "null" || text === "true" || text === "false") return [];
  return [trap(manifest, site, `"${text}" is read as a field named ${text}, not as the text.`, `It looks like a constant; write '"${text}"'. If it is the field, write it without quotes: ${text}`, "warning")];
}

/** `status: open` where `open` is one of the values that the target can have: a field of that name would hardly hold one. */
function choice(manifest: Manifest, site: Site, workspace: Workspace): Problem[] {
  const field = /^\/fields\/([^/.]+)$/.exec(site.pointer)?.[1];
  if (manifest.kind !== "mapping" || field === undefined || manifest.written(site.pointer).style !== "plain") return [];
  const whole = merged(workspace.mappings.get(manifest.id) ?? [manifest]);
  const choices = mapOf(entityFields(String(whole.to), workspace)?.get(field)).enum;
  const text = site.text.trim();
  if (!Array.isArray(choices) || !choices.includes(text) || text === field) return [];
  const [connector = "", stream = ""] = String(whole.from).split(".");
  const record = recordSchema(connector, stream, workspace);
  if (record && text in mapOf(record.properties)) return [];
  return [trap(manifest, site, `${text} is read as a field named ${text}, not as the text.`, `It is one of the values of '${field}'; write '"${text}"'.`, "warning")];
}

/** `“GB”`: quotes of a word processor are letters to JSONata. */
function typographic(manifest: Manifest, site: Site): Problem[] {
  const match = /^\s*[“”„‘’«](.*?)[“”‘’»]?\s*$/u.exec(site.text);
  return match ? [trap(manifest, site, "These quotes are letters to YAML and JSONata.", `A constant text has straight quotes: '"${match[1]!}"'`)] : [];
}

/** A date or date-time, unquoted by JSONata. */
export const DATE = /^\s*\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?\s*$/;

/** `start: 2024-01-01` is a subtraction: 2022. */
function date(manifest: Manifest, site: Site): Problem[] {
  if (!DATE.test(site.text)) return [];
  return [trap(manifest, site, `${site.text.trim()} is no date to JSONata, but a subtraction.`, `A constant text has quotes of its own: '"${site.text.trim()}"'`)];
}

/** `page: page.number` where a template belongs is sent as those letters. */
function withoutBraces(manifest: Manifest, site: Site): Problem[] {
  const match = /^\$?((?:config|page|cursor|account|with|partition)\.[A-Za-z_]\w*)$/.exec(site.text);
  if (!match) return [];
  return [trap(manifest, site, `'${site.text}' is sent as it stands: it is text, not a variable.`, `Write "{{${match[1]!}}}", or "=${match[1]!}" to keep a number a number.`, "warning")];
}

function trap(manifest: Manifest, site: Site, detail: string, cure: string, severity: Problem["severity"] = "error"): Problem {
  return { code: "MANIFEST_TRAP", severity, params: { detail, cure }, at: manifest.locate(site.pointer), pointer: site.pointer };
}
