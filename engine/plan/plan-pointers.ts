/** From a pointer into a TenantPlan to the origin of what stands there: the plan says some things in other words than the manifests. */
import type { Origin, TenantPlan } from "./types.ts";

/** Plan → effective tree. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^\/tenant\/id$/, "/tenant"],
  [/^\/tenant\/(title|subdomain)$/, "/$1"],
  [/^(\/flows\/[^/]+)\/(?:schedule\/)(cron|time_zone)$/, "$1/from/$2"],
  [/^(\/flows\/[^/]+)\/schedule\/every_seconds$/, "$1/from/every"],
  [/^(\/flows\/[^/]+)\/sweep_seconds$/, "$1/from/sweep"],
  [/^(\/flows\/[^/]+)\/(?:stream|connection|connector)$/, "$1/from/stream"],
  [/^(\/flows\/[^/]+)\/map\/id$/, "$1/map/use"],
  [/^(\/flows\/[^/]+\/map\/fields\/[^/]+)\/(?:expression|constant)$/, "$1"],
  [/^(\/flows\/[^/]+)\/caps\/seconds$/, "$1/caps/time"],
  [/^(\/connectors\/[^/]+\/http\/limits\/[^/]+)\/every_seconds$/, "$1/every"],
  [/^(\/connectors\/[^/]+\/(?:http|webhooks\/[^/]+))\/max_body_bytes$/, "$1/max_body"],
  [/^(\/connectors\/[^/]+\/(?:http\/auth|check|webhooks\/[^/]+\/verify))\/named\/default(?=\/|$)/, "$1"],
  [/^(\/connectors\/[^/]+\/(?:http\/auth|check|webhooks\/[^/]+\/verify))\/named(?=\/|$)/, "$1"],
  [/^(\/connectors\/[^/]+\/(?:streams\/[^/]+\/(?:list|changes|one)|check(?:\/[^/]+)?|(?:actions|queues)\/[^/]+(?:\/once\/find|\/(?:before|after)\/[^/]+)?|webhooks\/[^/]+\/subscribe\/[^/]+))\/request(?=\/|$)/, "$1"],
  [/^(\/connectors\/[^/]+\/actions\/[^/]+)\/effect(?:\/(?:does|stream))?$/, "$1/effect"],
  [/^(\/connectors\/[^/]+\/actions\/[^/]+\/once)\/is$/, "$1"],
  [/^(\/connectors\/[^/]+\/actions\/[^/]+\/once)\/existing$/, "$1/key"],
  [/^(\/connectors\/[^/]+\/actions\/[^/]+\/once)\/(valid_for|settle)_seconds$/, "$1/$2"],
  [/^(\/connectors\/[^/]+\/(?:actions|webhooks|queues)\/.+)\/(every|within)_seconds$/, "$1/$2"],
  [/^(\/connectors\/[^/]+\/webhooks\/[^/]+)\/max_body_bytes$/, "$1/max_body"],
  [/^(\/connectors\/[^/]+\/webhooks\/[^/]+)\/replies(?=\/|$)/, "$1/reply"],
  [/^\/change_flows\/([^/]+)\/(entity|becomes|when)$/, "/flows/$1/from/$2"],
  [/^(\/flows\/[^/]+\/from)\/entity$/, "$1/change"],
  [/^\/change_flows\/([^/]+\/mint\/[^/]+)\/valid_seconds$/, "/flows/$1/valid"],
  [/^\/change_flows\/([^/]+\/to)\/(?:connection|connector)$/, "/flows/$1"],
  [/^\/change_flows\/([^/]+)\/map\/id$/, "/flows/$1/map/use"],
  [/^\/change_flows\/([^/]+\/map\/fields\/[^/]+)\/(?:expression|constant)$/, "/flows/$1"],
  [/^\/change_flows(?=\/|$)/, "/flows"],
];
/** What the plan names in general and the manifests by what it is. */
const CHOICES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\/(?:path|method)$/, ["get", "post", "put", "patch", "delete"]],
  [/\/body(?:\/value|\/encoding)?(?=\/|$)/, ["json", "form", "text"]],
  [/\/schedule$/, ["from/every", "from/cron"]],
  [/\/effect$/, ["creates", "updates", "deletes", "upserts"]],
];

/** The origin of the value at `pointer`, or of the nearest value around it. */
export function originOfPointer(plan: TenantPlan, pointer: string): Origin | undefined {
  const written = RENAMED.reduce((here, [from, to]) => here.replace(from, to), pointer);
  const chosen = CHOICES.flatMap(([pattern, words]) => (pattern.test(written) ? words.map((word) => written.replace(pattern, `/${word}`)) : []));
  for (const candidate of [written, ...chosen]) if (plan.origins[candidate]) return plan.origins[candidate];
  return firstBelow(plan, written) ?? (pointer === "" ? undefined : originOfPointer(plan, pointer.slice(0, pointer.lastIndexOf("/"))));
}

/** A map has no origin of its own; its first value stands for it. */
function firstBelow(plan: TenantPlan, pointer: string): Origin | undefined {
  const found = Object.keys(plan.origins).find((each) => each.startsWith(`${pointer}/`));
  return found === undefined ? undefined : plan.origins[found];
}
