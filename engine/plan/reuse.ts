/** `use:` laid out: what is named lies under what is written. */
import { layered, merge } from "./merge.ts";
import { problemAt, unknownReference, type Report } from "./problems.ts";
import { CONFIGURATION, MAPPING, shapeOf, type Shape } from "./shape.ts";
import { at, members, text, withMembers, type Sourced, type SourcedMap } from "./sourced.ts";

const FLOW = shapeOf(shapeOf(CONFIGURATION, "flows"), "");

/**
 * A stream (action, webhook, queue) over the fragment it uses, and that over its own, to the end. A fragment is read as what uses it.
 * @param shape of the part; @param fragments the connector's, of each of its layers; @param connector its path, for messages.
 */
export function expandPart(part: Sourced, shape: Shape, fragments: readonly (Sourced | undefined)[], connector: string, report: Report, trail: readonly string[] = []): Sourced {
  const used = at(part, "use");
  const name = text(used);
  if (!used || name === undefined || part.kind !== "map") return part;
  if (trail.includes(name)) {
    report(problemAt(used.source, "PLAN_CYCLE", { path: `${connector}.fragments.${name}`, cycle: [...trail.slice(trail.indexOf(name)), name].join(" → ") }));
    return withMembers(part, { use: undefined });
  }
  const fragment = layered(fragments.map((each) => at(each, name)), shape);
  if (!fragment) {
    report(unknownReference(used.source, "Fragment", name, new Set(fragments.flatMap((each) => members(each).map(([key]) => key)))));
    return part;
  }
  const below = expandPart(fragment, shape, fragments, connector, report, [...trail, name]);
  return merge(withoutParameterList(below), part, shape)!;
}

/** In a fragment `with: [path]` only lists what its user gives; a fragment that uses another passes values on. */
function withoutParameterList(fragment: Sourced): Sourced {
  return fragment.kind === "map" && at(fragment, "with")?.kind === "list" ? withMembers(fragment, { with: undefined }) : fragment;
}

/** Every flow over the flow it uses. */
export function expandFlows(flows: SourcedMap, report: Report): SourcedMap {
  const expand = (name: string, trail: readonly string[]): Sourced | undefined => {
    const flow = at(flows, name);
    const used = at(flow, "use");
    const target = text(used);
    if (!flow || !used || target === undefined || flow.kind !== "map") return flow;
    if (trail.includes(target) || target === name) {
      report(problemAt(used.source, "PLAN_CYCLE", { path: `flows.${name}`, cycle: [...trail, name, target].join(" → ") }));
      return undefined;
    }
    if (!at(flows, target)) {
      report(unknownReference(used.source, "Flow", target, members(flows).map(([key]) => key).filter((key) => key !== name)));
      return undefined;
    }
    const below = expand(target, [...trail, name]);
    return below && merge(below.kind === "map" ? withMembers(below, { use: undefined }) : below, flow, FLOW);
  };
  const expanded = members(flows).flatMap(([name]) => {
    const flow = expand(name, []);
    return flow ? [[name, flow] as const] : [];
  });
  return { ...flows, entries: new Map(expanded) };
}

/** A flow's `map` over the mapping it uses: the mapping's fields and `where` lie under the flow's own. */
export function expandMapping(flow: Sourced, mapping: (id: string) => Sourced | undefined, known: Iterable<string>, report: Report): Sourced {
  const written = at(flow, "map");
  const used = at(written, "use");
  const id = text(used);
  if (flow.kind !== "map" || !written || !used || id === undefined) return flow;
  const found = mapping(id);
  if (found?.kind !== "map") {
    report(unknownReference(used.source, "Mapping", id, known));
    return flow;
  }
  const below = withMembers(found, { mapping: undefined, tests: undefined, title: undefined, description: undefined });
  return withMembers(flow, { map: merge(below, written, MAPPING) });
}

