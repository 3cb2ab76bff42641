/** `plugboard preview acme invitations --input row.json`: the exact request that a change of a row would send, or an action with an input (`preview acme mail.send`). */
import pc from "picocolors";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { Json, JsonObject } from "../../../engine/manifest/index.ts";
import { isMap } from "../../../engine/manifest/merged.ts";
import { resolvePlan, type TenantPlan } from "../../../engine/plan/index.ts";
import type { ChangeSeen } from "../../../engine/run/change-flow.ts";
import { previewChange, type PreviewedChange } from "../../../engine/run/preview-change.ts";
import { renderAction } from "../../../engine/run/render-action.ts";
import { refuseErrors, type LocatedWorkspace } from "../../workspace/locate.ts";
import { enteredValues } from "../connection-values.ts";
import { print } from "../output.ts";
import { environmentNames } from "../run-in-database.ts";

/** @throws PlugboardError PLAN_UNKNOWN_TENANT, PLAN_UNKNOWN_FLOW, CLI_USAGE; the first error of the tenant's configuration. */
export async function previewFlow({ workspace }: LocatedWorkspace, tenant: string, flowName: string, rows: readonly unknown[], sets: readonly string[]): Promise<PreviewedChange[]> {
  const { plan, problems } = resolvePlan(workspace, tenant);
  refuseErrors([...workspace.problems, ...problems]);
  if (flowName.includes(".")) return await previewAction(plan, flowName, rows, sets);
  const flows = plan.change_flows ?? {};
  const flow = Object.hasOwn(flows, flowName) ? flows[flowName] : undefined;
  if (flow === undefined) throw new PlugboardError("PLAN_UNKNOWN_FLOW", { tenant, flow: flowName, suggestion: Object.hasOwn(plan.flows, flowName) ? `'${flowName}' reads a stream: preview its mapping, ${plan.flows[flowName]!.map?.id ?? "by its id"}` : suggest(flowName, Object.keys(flows)) });
  const config = "connection" in flow.to ? configOf(plan, flow.to.connection, sets) : {};
  const previews: PreviewedChange[] = [];
  for (const row of rows) previews.push(await previewChange(plan, flow, changeOf(row), Date.now(), { config }));
  return previews;
}

/** An action by itself, with its input as it would be mapped. */
async function previewAction(plan: TenantPlan, written: string, inputs: readonly unknown[], sets: readonly string[]): Promise<PreviewedChange[]> {
  const [connection = "", name = ""] = written.split(".");
  const planned = Object.hasOwn(plan.connections, connection) ? plan.connections[connection] : undefined;
  if (planned === undefined) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Connection", name: connection, suggestion: suggest(connection, Object.keys(plan.connections)) });
  const connector = plan.connectors[planned.connector]!;
  if (!Object.hasOwn(connector.actions ?? {}, name)) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Action", name: written, suggestion: suggest(written, Object.keys(connector.actions ?? {}).map((each) => `${connection}.${each}`)) });
  const config = configOf(plan, connection, sets);
  const previews: PreviewedChange[] = [];
  for (const input of inputs as readonly JsonObject[]) {
    const rendered = await renderAction({ tenant: plan.tenant, connection, connector, plan: planned, values: { config }, action: name, inputs: [input], delivery: { id: "preview", key: "preview", attempt: 1 }, variables: { inputs: plan.inputs } }, Date.now());
    previews.push({ fires: true, input, action: { name, ...rendered } });
  }
  return previews;
}

/** What is not secret, of the command line and the environment. */
function configOf(plan: TenantPlan, connection: string, sets: readonly string[]): JsonObject {
  const planned = plan.connections[connection];
  const connector = planned && plan.connectors[planned.connector];
  return connector ? enteredValues(connector, { id: connection, plan: planned }, sets, process.env, environmentNames(plan.tenant.id, connection, connector.id), "any").config : {};
}

/** `{ before, after }` is a change; anything else is a row that is new. `id` and `links` stand beside its fields, as in the API. */
function changeOf(input: unknown): ChangeSeen {
  const value = isMap(input as Json) ? (input as JsonObject) : undefined;
  if (value === undefined) throw new PlugboardError("CLI_USAGE", { detail: "A row is a map of its fields.", suggestion: 'For example: { "stage": "shortlisted", "links": { "ats": "51" } }, or { "before": { … }, "after": { … } }' });
  const isChange = isMap(value["after"]) || (isMap(value["before"]) && Object.keys(value).every((name) => ["before", "after", "id", "links"].includes(name)));
  const [before, after] = isChange ? [row(value["before"]), row(value["after"])] : [undefined, row(value)];
  const said = { ...(isMap(value["after"]) ? value["after"] : isMap(value["before"]) ? value["before"] : {}), ...value };
  const links = Object.fromEntries(Object.entries(isMap(said["links"]) ? said["links"] : {}).map(([name, key]) => [name, String(key)]));
  return { id: typeof said["id"] === "string" ? said["id"] : "00000000-0000-0000-0000-000000000000", links, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

function row(value: Json | undefined): JsonObject | undefined {
  if (!isMap(value)) return undefined;
  const { id: _, links: __, ...data } = value;
  return data;
}

export function showChange({ fires, problem, held_for, input, action }: PreviewedChange, number: number | undefined): void {
  if (number !== undefined) print(pc.bold(`row ${number}`));
  if (!fires && problem === undefined) print(pc.yellow("the flow does not fire for this; it would send:"));
  if (held_for !== undefined) print(`waits for a ${held_for} to approve it`);
  if (problem !== undefined) print(`${pc.red("error")}  ${pc.bold(problem.code)}  ${problem.message}`);
  if (input !== undefined && action === undefined) print(JSON.stringify(input, undefined, 2));
  if (action === undefined) return;
  print(pc.dim(`action ${action.name}`));
  if (action.problem !== undefined) print(`${pc.red("error")}  ${action.problem}`);
  if (action.request !== undefined) {
    const { method, url, headers, body } = action.request;
    print(`${pc.bold(method)} ${url}`);
    for (const [name, value] of Object.entries(headers)) print(`${name}: ${value}`);
    if (body !== undefined) print(`\n${typeof body === "string" ? body : JSON.stringify(body, undefined, 2)}`);
  }
  for (const note of action.notes) print(pc.dim(`note: ${note}`));
}
