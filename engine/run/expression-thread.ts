/**
 * The other side of `isolatedEvaluator`: evaluates one request at a time in a thread of its own. It imports nothing but
 * expressions, and gives up when something changed the objects that all code shares.
 */
import { parentPort } from "node:worker_threads";
import { compileExpression, compileFields, ExpressionError, type CompiledExpression, type CompiledFields } from "../expression/index.ts";
import type { IsolatedReply, IsolatedRequest } from "./expression-worker.ts";

/** Compiled texts kept; a preview evaluates the same ones again and again. */
const KEPT = 200;
const compiled = new Map<string, CompiledExpression | CompiledFields>();

const untouched = fingerprint();

parentPort?.on("message", async ({ id, request }: { id: number; request: IsolatedRequest }) => {
  let reply: IsolatedReply;
  try {
    reply = { value: await compile(request).evaluate(request.input, request.bindings) };
  } catch (thrown) {
    if (!(thrown instanceof ExpressionError)) throw thrown;
    reply = { problem: thrown.problem };
  }
  if (fingerprint() !== untouched) throw new Error("POLLUTED");
  parentPort?.postMessage({ id, reply });
});

parentPort?.postMessage("ready");

function compile({ expression, fields, limits }: IsolatedRequest): CompiledExpression | CompiledFields {
  const key = JSON.stringify([expression, fields, limits]);
  let made = compiled.get(key);
  if (made === undefined) {
    const options = limits ? { limits } : {};
    made = expression === undefined ? compileFields(fields ?? {}, options) : compileExpression(expression, options);
    if (compiled.size >= KEPT) compiled.clear();
    compiled.set(key, made);
  }
  return made;
}

/** Names on the prototypes and constructors that every value has: an expression that adds or removes one has escaped. */
function fingerprint(): string {
  const shared = [Object, Array, Function, String, Number, Promise, RegExp, Map];
  return shared.map((made) => [...Object.getOwnPropertyNames(made), "|", ...Object.getOwnPropertyNames(made.prototype)].join()).join(";");
}
