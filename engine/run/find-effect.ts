/** Whether a write of unknown outcome was carried out: the lookup that `once.find` declares, trusted only once it has settled. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json } from "../manifest/types.ts";
import { compileAt } from "./build-context.ts";
import { compileCall } from "./exchange.ts";
import { whatToDo, type OnePorts } from "./one-request.ts";
import { keyOf, prepare, type ActionRequest } from "./perform-action.ts";
import { selectRecords } from "./select-records.ts";

export type Found =
  | { readonly is: "found"; readonly key: string; readonly body: Json }
  /** It was not carried out: a second try is harmless. */
  | { readonly is: "absent" }
  /** Not to be told yet; `after`: milliseconds from now. */
  | { readonly is: "later"; readonly reason: string; readonly after?: number }
  /** It cannot be told: the action declares no lookup, or the lookup does not work. A person has to look. */
  | { readonly is: "cannot"; readonly reason: string }
  | { readonly is: "auth"; readonly reason: string };

/**
 * @param request as it was performed, with one of its inputs: of a batch, each is looked for by itself.
 * @param lastSentAt ISO instant of the last try that may have reached the provider.
 * @throws PlugboardError as performAction
 */
export async function findEffect(ports: OnePorts, request: ActionRequest, lastSentAt: string): Promise<Found> {
  const { plan, prepared, requests } = await prepare(ports, request);
  if ("refused" in prepared) return { is: "cannot", reason: prepared.refused };
  const once = plan.once.is === "guarded" ? plan.once : undefined;
  if (once?.find === undefined) return { is: "cannot", reason: `'${request.action}' declares no lookup (once.find)` };
  const settled = Date.parse(lastSentAt) + (once.settle_seconds ?? 0) * 1000 - ports.clock.now();
  if (settled > 0) return { is: "later", reason: `what the provider made is found ${once.settle_seconds} s after it was sent, at the earliest`, after: settled };

  const where = `actions.${request.action}.once.find`;
  const { find } = once;
  const sent = await requests.send(compileCall(find.request, request.connector, requests.http, where), prepared.variables);
  if (sent.is === "failed") {
    const outcome = whatToDo(sent);
    return outcome.is === "retry" ? { ...outcome, is: "later" } : outcome.is === "auth" ? outcome : { is: "cannot", reason: outcome.reason };
  }
  if (sent.ignored !== undefined) return { is: "cannot", reason: sent.ignored };
  if (sent.empty) return { is: "absent" };
  const visible = requests.visible(prepared.variables);
  try {
    const { records } = await selectRecords(sent.answer, compileAt(find.records ?? "$", `${where}.records`), visible, where);
    const keys = find.key.map((expression) => compileAt(String(expression), `${where}.key`));
    for (const record of records) {
      const key = await keyOf(keys, record, { ...visible, status: sent.answer.status, headers: sent.answer.headers });
      if (key !== undefined) return { is: "found", key, body: record as Json };
    }
    return { is: "absent" };
  } catch (thrown) {
    return { is: "cannot", reason: requests.redactor.text(thrown instanceof PlugboardError ? thrown.message : `the lookup's answer cannot be understood: ${(thrown as Error).message}`) };
  }
}
