/**
 * Words of the language that this version does not run. They are valid; they are told by name, once per part. In the way of
 * something that runs (a stream's request, a flow, an action that a flow calls) it is an error, merely declared a warning.
 */
import type { Problem } from "../errors/plugboard-error.ts";
import { isMap, merged } from "./merged.ts";
import type { JsonObject, Manifest, Workspace } from "./types.ts";
import type { Checked } from "./validate.ts";

export function checkRunning(checked: readonly Checked[], workspace: Workspace): Problem[] {
  const mapped = mappingsInUse(workspace);
  return checked.flatMap(({ manifest, shape }) => {
    const told = shape.notRunning.filter(({ pointer }) => !shape.notRunning.some((outer) => outer.pointer !== pointer && pointer.startsWith(`${outer.pointer}/`)));
    return told.flatMap(({ pointer, feature, instead }): Problem[] => {
      const severity = severityOf(manifest, pointer, workspace, mapped);
      return severity === undefined ? [] : [{ code: "MANIFEST_NOT_RUNNING_YET", severity, params: { feature, suggestion: instead }, at: manifest.locate(pointer, "key"), pointer }];
    });
  });
}

function severityOf(manifest: Manifest, pointer: string, workspace: Workspace, mapped: ReadonlySet<string>): Problem["severity"] | undefined {
  const [, room = "", name = ""] = pointer.split("/");
  switch (manifest.kind) {
    case "connector": return severityInConnector(manifest, pointer, room, name, workspace);
    case "mapping": return mapped.has(manifest.id) ? "error" : "warning";
    case "preset": case "tenant": return room === "entities" || isSwitchedOff(manifest, room, name) ? "warning" : "error";
    case "entity": return "warning";
    // A release repeats what its preset said when it was cut.
    default: return undefined;
  }
}

function severityInConnector(manifest: Manifest, pointer: string, room: string, name: string, workspace: Workspace): Problem["severity"] {
  if (room === "webhooks" || room === "queues") return "warning";
  if (room === "actions") return isDelivered(name, workspace) ? "error" : "warning";
  const connector = merged(workspace.connectors.get(manifest.id) ?? [manifest]);
  // One of several authenticators: the others run.
  if (room === "http" && /^\/http\/auth\/[^/]+/.test(pointer) && isMap(connector.http) && isMap(connector.http.auth) && connector.http.auth.by !== undefined) return "warning";
  if (room === "check" && isMap(connector.check) && connector.check.by !== undefined) return "warning";
  if (/^\/streams\/[^/]+\/upload/.test(pointer)) return "warning";
  if (room === "fragments") return isMap(connector.streams) && Object.values(connector.streams).some((stream) => isMap(stream) && stream.use === name) ? "error" : "warning";
  return "error";
}

/** Whether some flow calls an action of this name, or saves a stream: which action that comes to is the plan's to say. */
function isDelivered(action: string, workspace: Workspace): boolean {
  return flowsOf(workspace).some(({ to }) => isMap(to) && (to.save !== undefined || String(to.action).endsWith(`.${action}`)));
}

function flowsOf(workspace: Workspace): JsonObject[] {
  return [...[...workspace.presets.values()].flat(), ...workspace.tenants.values()].flatMap(({ value }) => (isMap(value.flows) ? Object.values(value.flows) : []).filter((flow) => isMap(flow) && flow.enabled !== false) as JsonObject[]);
}

/** `enabled: false`: nobody waits for it. */
function isSwitchedOff(manifest: Manifest, room: string, name: string): boolean {
  const part = isMap(manifest.value[room]) ? manifest.value[room][name] : undefined;
  return isMap(part) && part.enabled === false;
}

function mappingsInUse(workspace: Workspace): Set<string> {
  const used = new Set<string>();
  for (const flow of flowsOf(workspace)) {
    const use = isMap(flow.map) ? flow.map.use : flow.map;
    if (typeof use === "string") used.add(use);
  }
  return used;
}
