/** What a mapping reads and makes, and its target fields against the entity's schema or the action's input. */
import { nearest, suggest } from "../../errors/nearest.ts";
import { checkTemplate } from "../../expression/index.ts";
import { isMap, merged } from "../merged.ts";
import type { Json, JsonObject, Manifest, Workspace } from "../types.ts";
import { checkEntity, escape, isReadable, mapOf, splitName, suggestPart, type Name, type Report } from "./names.ts";

export function checkMapping(manifest: Manifest, workspace: Workspace, report: Report): void {
  const { from, to } = manifest.value;
  const stream = typeof from === "string" ? splitName(from) : undefined;
  if (stream) checkConnectorPart(manifest, "/from", stream, "streams", workspace, report);
  else if (typeof from === "string") checkEntity(manifest, "/from", from, workspace, report);
  const action = typeof to === "string" ? splitName(to) : undefined;
  if (action) { if (savedInput(action, workspace) === undefined) checkConnectorPart(manifest, "/to", action, "actions", workspace, report); }
  else if (typeof to === "string") checkEntity(manifest, "/to", to, workspace, report);
  // A layer may leave `to` to the one below.
  const target = to ?? workspace.mappings.get(manifest.id)?.[0]?.value.to;
  if (typeof target === "string") checkFields(manifest, mapOf(manifest.value.fields), "/fields", target, workspace, report);
}

/** Target fields against the entity's schema (or the action's input). */
export function checkFields(manifest: Manifest, fields: JsonObject, at: string, target: string, workspace: Workspace, report: Report): void {
  const action = splitName(target);
  const known = action ? inputOf(action, workspace) : entityFields(target, workspace);
  for (const [name, field] of Object.entries(fields)) {
    const [root = ""] = name.split(".");
    const pointer = `${at}/${escape(name)}`;
    if (known && root !== "custom" && !known.has(root)) {
      const cure = nearest(root, known.keys()) === undefined && !action ? `${suggest(root, known.keys())}; a field of your own is custom.${name}` : suggest(root, known.keys());
      report(manifest, pointer, "MANIFEST_UNKNOWN_FIELD", { field: name, where: action ? `the input of ${target}` : `entity '${target}'`, suggestion: root === "external_id" || (root === "id" && !known.has("id")) ? "the stream's key is the row's key: it is not mapped" : cure }, "key");
    }
    if (root === "custom" && name.split(".").length !== 2) report(manifest, pointer, "MANIFEST_WRONG_VALUE", { field: name, expected: "custom.<name>", actual: name, suggestion: "one name after 'custom.'" }, "key");
    if (isMap(field) && typeof field.ref === "string") checkEntity(manifest, `${pointer}/ref`, field.ref, workspace, report);
    if (isMap(field) && typeof field.template === "string") checkTemplateFile(manifest, `${pointer}/template`, field.template, workspace, report);
  }
}

/** A template lies beside its mapping; those of fields in a flow, in mappings/. */
function checkTemplateFile(manifest: Manifest, pointer: string, file: string, workspace: Workspace, report: Report): void {
  const folder = ["mappings", ...(manifest.kind === "mapping" ? manifest.id.split("/").slice(0, -1) : [])].join("/");
  const text = workspace.attachments.get(`${folder}/${file}`);
  if (text === undefined) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Template", name: file, suggestion: suggest(file, [...workspace.attachments.keys()].flatMap((path) => (path.startsWith(`${folder}/`) && path.endsWith(".hbs") ? [path.slice(folder.length + 1)] : []))) });
  for (const { message, position } of text === undefined ? [] : checkTemplate(text)) report(manifest, pointer, "MANIFEST_TEMPLATE", { detail: `${file}, character ${position + 1}: ${message}`, suggestion: "" });
}

export function entityFields(id: string, workspace: Workspace): Map<string, Json> | undefined {
  const layers = workspace.entities.get(id);
  return layers && isReadable(workspace, "entity", id) ? new Map(Object.entries(mapOf(merged(layers).properties))) : undefined;
}

export function inputOf({ owner, name }: Name, workspace: Workspace): Map<string, Json> | undefined {
  const layers = workspace.connectors.get(owner);
  const action = layers && mapOf(merged(layers).actions)[name];
  return isMap(action) && isMap(action.input) ? new Map(Object.entries(action.input)) : savedInput({ owner, name }, workspace);
}

/** What the actions that save a stream take, all together. */
function savedInput({ owner, name }: Name, workspace: Workspace): Map<string, Json> | undefined {
  const layers = workspace.connectors.get(owner);
  const saving = Object.values(mapOf(layers && merged(layers).actions)).filter((action) => isMap(action) && ["creates", "updates", "deletes", "upserts"].some((key) => action[key] === name)) as JsonObject[];
  return saving.length === 0 ? undefined : new Map(saving.flatMap((action) => Object.entries(mapOf(action.input))));
}

function checkConnectorPart(manifest: Manifest, pointer: string, { owner, name }: Name, room: "streams" | "actions", workspace: Workspace, report: Report): void {
  const layers = workspace.connectors.get(owner);
  if (!layers) {
    if (isReadable(workspace, "connector", owner)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connector", name: owner, suggestion: suggest(owner, workspace.connectors.keys()) });
    return;
  }
  const parts = merged(layers)[room];
  if (parts !== undefined && !isMap(parts)) return;
  const known = Object.keys(mapOf(parts));
  if (!known.includes(name) && !(room === "streams" && isOwnStream(name, workspace))) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: room === "streams" ? "Stream" : "Action", name: `${owner}.${name}`, suggestion: suggestPart({ owner, name }, known) });
}

/** A stream that only one connection has (reports, custom objects). */
function isOwnStream(name: string, workspace: Workspace): boolean {
  return [...workspace.tenants.values(), ...[...workspace.presets.values()].flat()].some(({ value }) => Object.values(mapOf(value.connections)).some((connection) => name in mapOf(mapOf(connection).streams)));
}
