/** From a flow that a change of our own data starts to a ChangeFlowPlan: `from: { change }` → `to: { action | save | webhook }`. */
import { suggest } from "../errors/nearest.ts";
import { checkFit, compileMapping, connectionPart, isEnabled, type FlowSurroundings } from "./compile-flow.ts";
import { expression, optional, record, seconds, value } from "./compile-request.ts";
import { problemAt, unknownReference, type Report } from "./problems.ts";
import { ambiguousSaves, savedStreams } from "./saves.ts";
import { at, text, type Sourced } from "./sourced.ts";
import type { ChangeFlowPlan, ChangeTarget } from "./types.ts";

const DELIVERS = ["action", "save", "webhook"] as const;

export const isChangeFlow = (node: Sourced): boolean => at(node, "from", "change") !== undefined;

/** `undefined` for a flow that cannot run; why is reported here, or where manifests are validated (a target that does not run yet). */
export function compileChangeFlow(name: string, node: Sourced, around: FlowSurroundings, report: Report): ChangeFlowPlan | undefined {
  const where = `flows.${name}`;
  const [from, to] = [at(node, "from"), at(node, "to")];
  const entity = text(at(from, "change"));
  const kind = DELIVERS.find((each) => at(to, each));
  if (!to) report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "to", where, expected: "what it does: { action: … }, { save: … } or { webhook: … }" }));
  const into = at(to, "entity");
  if (into) report(problemAt(into.source, "MANIFEST_WRONG_VALUE", { field: `${where}.to`, expected: "an action, save or webhook: a change of an entity ends outside", actual: `entity ${text(into)}`, suggestion: "a flow that fills an entity reads a connection's stream" }));
  if (entity === undefined || !to || !kind) return undefined;
  const target = kind === "webhook" ? { target: { webhook: text(at(to, kind)) ?? "" }, enabled: true, labels: {}, makes: undefined } : delivery(kind, at(to, kind)!, around, report);
  const isMapped = !at(node, "map", "use") || at(node, "map", "from") !== undefined;      // every mapping says what it reads: without, it was not found
  if (!target || !isMapped || ![...around.entities].includes(entity)) return undefined;
  if (target.makes) checkFit(node, entity, target.makes, report);
  return {
    name,
    ...optional("title", text(at(node, "title"))),
    enabled: isEnabled(node) && target.enabled,
    entity,
    ...optional("becomes", expression(at(from, "becomes"))),
    ...optional("when", expression(at(from, "when"))),
    ...optional("map", compileMapping(at(node, "map"), report, around.attachments)),
    mint: record(at(node, "mint"), (minted, each) => {
      const valid = at(minted, "valid");
      return { token: text(at(minted, "token")) ?? each, ...optional("about", value(at(minted, "about"))), ...optional("valid_seconds", valid && seconds(valid, `${where}.mint.${each}.valid`, report)) };
    }),
    ...optional("hold_for", text(at(node, "hold_for"))),
    to: target.target,
    labels: { ...around.labels, ...target.labels },
  };
}

interface Delivery { readonly target: ChangeTarget; readonly enabled: boolean; readonly labels: Readonly<Record<string, string>>; /** What a mapping must make. */ readonly makes: string }

function delivery(kind: "action" | "save", written: Sourced, around: FlowSurroundings, report: Report): Delivery | undefined {
  const part = connectionPart(written, undefined, around, report);
  if (!part) return undefined;
  const { connectionId, connection, connector, name } = part;
  const reached = { connection: connectionId, connector: connection.connector };
  const base = { enabled: connection.enabled, labels: connection.labels, makes: `${connector.id}.${name}` };
  if (kind === "action") {
    if (Object.hasOwn(connector.actions ?? {}, name)) return { ...base, target: { action: name, ...reached } };
    report(unknownReference(written.source, "Action", `${connectionId}.${name}`, Object.keys(connector.actions ?? {}).map((each) => `${connectionId}.${each}`)));
    return undefined;
  }
  const [saved, several] = [savedStreams(connector), ambiguousSaves(connector, name)];
  if (!Object.hasOwn(connector.streams, name)) report(unknownReference(written.source, "Stream", `${connectionId}.${name}`, (saved.length > 0 ? saved : Object.keys(connector.streams)).map((each) => `${connectionId}.${each}`)));
  else if (!saved.includes(name)) report(problemAt(written.source, "PLAN_NOT_SAVED", { connector: connector.id, stream: name, suggestion: saved.length > 0 ? suggest(`${connectionId}.${name}`, saved.map((each) => `${connectionId}.${each}`)) : `give an action 'creates: ${name}', 'updates: ${name}' or 'upserts: ${name}'` }));
  else if (several) report(problemAt(written.source, "PLAN_NOT_SAVED", { connector: connector.id, stream: name, suggestion: `${several.join(" and ")} both say it: name one in to: { action: ${connectionId}.${several[0]!} }` }));
  else return { ...base, target: { save: name, ...reached } };
  return undefined;
}
