/** Reads one record by its key: what completes an event that carries none, and what an action sees as `current`. */
import { holds } from "../components/shared/answer-variables.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { CompiledExpression } from "../expression/index.ts";
import type { Json } from "../manifest/types.ts";
import { compileAt } from "./build-context.ts";
import { compileCall, type Call } from "./exchange.ts";
import { requestsAt, whatToDo, type ConnectionAt, type OnePorts } from "./one-request.ts";
import { joinKey, keyPart } from "./record-key.ts";
import { selectRecords } from "./select-records.ts";

export type OneRecord =
  | { readonly is: "record"; readonly record: Json }
  /** The provider says that it is deleted. */
  | { readonly is: "gone" }
  /** Nothing stands under the key, and nothing says that this means deleted: an index may lag behind the event. */
  | { readonly is: "absent" }
  /** `after`: milliseconds from now. */
  | { readonly is: "retry"; readonly reason: string; readonly after?: number }
  | { readonly is: "auth"; readonly reason: string }
  | { readonly is: "failed"; readonly reason: string; readonly error: PlugboardError };

/**
 * @param select fields of the record that are asked for, as a flow's `select`.
 * @throws PlugboardError RUN_REQUEST for a stream without `one`; MANIFEST_ for what does not compile.
 */
export async function readOne(ports: OnePorts, at: ConnectionAt, stream: string, key: string, select: readonly string[] = []): Promise<OneRecord> {
  const { connector } = at;
  const plan = Object.hasOwn(connector.streams, stream) ? connector.streams[stream] : undefined;
  if (plan?.one === undefined) throw new PlugboardError("RUN_REQUEST", { where: `streams.${stream}`, detail: "it cannot be read by key", suggestion: "Give the stream `one:`, the request for one record." });
  const where = `streams.${stream}.one`;
  const requests = requestsAt(at, ports, `one:${stream}`);
  const variables = { ...requests.variables, with: plan.with, key, select };
  let isGone = false;
  const call = beforeRules(compileCall(plan.one.request, connector, requests.http, where, plan.errors), plan.one.gone === undefined ? undefined : compileAt(plan.one.gone, `${where}.gone`), (found) => { isGone = found; });
  const sent = await requests.send(call, variables);
  if (sent.is === "failed") return whatToDo(sent);
  if (isGone || (sent.empty && sent.ignored === undefined)) return { is: "gone" };
  if (sent.ignored !== undefined || sent.answer.body === undefined || sent.answer.body === null) return { is: "absent" };
  const visible = requests.visible(variables);
  try {
    const { records } = await selectRecords(sent.answer, compileAt(plan.one.records ?? "$", `${where}.records`), visible, where);
    const record = records.length === 1 ? records[0] : await ofKey(records, plan.key.map((each) => compileAt(String(each), `streams.${stream}.key`)), key, visible);
    return record === undefined ? { is: "absent" } : { is: "record", record: record as Json };
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    const error = requests.redactor.error(thrown);
    return { is: "failed", reason: error.message, error };
  }
}

/** Asks an expression of the answer before any error rule is asked: what it says is no failure. */
export function beforeRules(call: Call, expression: CompiledExpression | undefined, tell: (holds: boolean) => void): Call {
  if (expression === undefined) return call;
  return {
    ...call,
    empty: {
      ...expression,
      async evaluate(root: unknown, variables) {
        const found = holds(await expression.evaluate(root, variables));
        tell(found);
        return found || (call.empty !== undefined && holds(await call.empty.evaluate(root, variables)));
      },
    },
  };
}

/** A search by key may answer with more than the one. */
async function ofKey(records: readonly unknown[], keys: readonly CompiledExpression[], wanted: string, variables: Readonly<Record<string, unknown>>): Promise<unknown> {
  for (const record of records) {
    const parts: string[] = [];
    for (const key of keys) parts.push(keyPart(await key.evaluate(record, variables)) ?? "");
    if (joinKey(parts) === wanted) return record;
  }
  return undefined;
}
