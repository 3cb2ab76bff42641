/** From a pointer into a TenantPlan to the origin of what stands there: the plan says some things in other words than the manifests. */
import type { Origin, TenantPlan } from "./types.ts";

/** Plan → effective tree. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^\/tenant\/id$/, "/tenant"],
  [/^\/tenant\/(title|subdomain)$/, "/$1"],
  [/^(\/flows\/[^/]+)\/(?:schedule\/)(cron|time_zone)$/, "$1/from/$2"],
  [/^(\/flows\/[^/]+)\/schedule\/every_seconds$/, "$1/from/every"],
  [/^(\/flows\/[^/]+)\/schedule$/, "$1/from"],
  [/^(\/flows\/[^/]+)\/sweep_seconds$/, "$1/from/sweep"],
  [/^(\/flows\/[^/]+)\/(?:stream|connection|connector)$/, "$1/from/stream"],
  [/^(\/flows\/[^/]+)\/map\/id$/, "$1/map/use"],
  [/^(\/flows\/[^/]+\/map\/fields\/[^/]+)\/(?:expression|constant)$/, "$1"],
  [/^(\/flows\/[^/]+)\/caps\/seconds$/, "$1/caps/time"],
  [/^(\/connectors\/[^/]+\/http\/limits\/[^/]+)\/every_seconds$/, "$1/every"],
  [/^(\/connectors\/[^/]+)\/http\/max_body_bytes$/, "$1/http/max_body"],
  [/^(\/connectors\/[^/]+\/(?:http\/auth|check))\/named\/default(?=\/|$)/, "$1"],
  [/^(\/connectors\/[^/]+\/(?:http\/auth|check))\/named(?=\/|$)/, "$1"],
  [/^(\/connectors\/[^/]+\/(?:streams\/[^/]+\/(?:list|changes|one)|check(?:\/[^/]+)?))\/request(?=\/|$)/, "$1"],
];
const METHODS = ["get", "post", "put", "patch", "delete"];
const ENCODINGS = ["json", "form", "text"];

/** The origin of the value at `pointer`, or of the nearest value around it. */
export function originOfPointer(plan: TenantPlan, pointer: string): Origin | undefined {
  const candidates = RENAMED.reduce((here, [from, to]) => here.replace(from, to), pointer);
  for (const candidate of [...spellings(candidates), ...spellings(pointer)]) {
    const origin = plan.origins[candidate];
    if (origin) return origin;
  }
  const parent = pointer.slice(0, pointer.lastIndexOf("/"));
  return parent === "" ? firstBelow(plan, spellings(candidates)[0]!) : (firstBelow(plan, candidates) ?? originOfPointer(plan, parent));
}

/** A request's method and body are named by what they are. */
function spellings(pointer: string): string[] {
  const [, request, rest] = pointer.match(/^(.*)\/(?:path|method)()$/) ?? pointer.match(/^(.*)\/body(?:\/value|\/encoding)?(\/.*)?$/) ?? [];
  if (request === undefined) return [pointer];
  const keys = /\/(?:path|method)$/.test(pointer) ? METHODS : ENCODINGS;
  return [...keys.map((key) => `${request}/${key}${rest ?? ""}`), pointer];
}

/** A map has no origin of its own; its first value stands for it. */
function firstBelow(plan: TenantPlan, pointer: string): Origin | undefined {
  const found = Object.keys(plan.origins).find((each) => each.startsWith(`${pointer}/`));
  return found === undefined ? undefined : plan.origins[found];
}
