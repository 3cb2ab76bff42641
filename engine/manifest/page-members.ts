/** What `page` has at a request: each type of pagination gives members of its own, and an absent one is left out of the request. */
import { isMap, merged } from "./merged.ts";
import { mapOf } from "./references/names.ts";
import type { JsonObject, Manifest, Workspace } from "./types.ts";

/** Source: engine/components/pagination. */
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  offset: ["offset", "size"], page: ["number", "size"], keyset: ["after", "size"], token: ["token", "size"], next_url: ["url", "size"], link_header: ["url", "size"], odata: ["offset", "size", "url"],
};
const DOORS = ["list", "changes", "one"];

/** Undefined where several types, or none, may stand behind the request. */
export function pageMembers(manifest: Manifest, pointer: string, workspace: Workspace): { readonly type: string; readonly members: readonly string[] } | undefined {
  const [, room = "", name = "", door = ""] = pointer.split("/");
  if (room !== "streams" && room !== "fragments") return undefined;
  const whole = merged(workspace.connectors.get(manifest.id) ?? [manifest]);
  const streams = Object.values(mapOf(whole.streams)).map(mapOf);
  const fragment = mapOf(mapOf(whole.fragments)[name]);
  const parts = room === "streams" ? [over(mapOf(whole.fragments), mapOf(mapOf(whole.streams)[name]))] : [fragment, ...streams.filter(({ use }) => use === name).map((stream) => over(mapOf(whole.fragments), stream))];
  const types = new Set(parts.map((part) => String(mapOf((DOORS.includes(door) ? mapOf(part[door]) : part).pagination).type)));
  const [type = ""] = types;
  const members = OF_TYPE[type];
  return types.size === 1 && members ? { type, members } : undefined;
}

/** A stream with the fragment it uses below it, as far as paginations go. */
function over(fragments: JsonObject, stream: JsonObject): JsonObject {
  const below = typeof stream.use === "string" ? mapOf(fragments[stream.use]) : {};
  const pagination = (upper: JsonObject, lower: JsonObject): JsonObject => ({ pagination: { ...mapOf(lower.pagination), ...mapOf(upper.pagination) } });
  return { ...pagination(stream, below), ...Object.fromEntries(DOORS.filter((door) => isMap(stream[door]) || isMap(below[door])).map((door) => [door, pagination(mapOf(stream[door]), mapOf(below[door]))])) };
}
