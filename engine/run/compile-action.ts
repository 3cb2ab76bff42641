/** An action of the plan, compiled: its requests, and what its answers mean. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formatsPlugin from "ajv-formats";
import type { CompiledExpression } from "../expression/index.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { ActionPlan, ConnectorPlan, HttpPlan, PollPlan } from "../plan/types.ts";
import { compileAt, compileValue } from "./build-context.ts";
import { compileCall, type Call } from "./exchange.ts";
import { explainErrors } from "./map-page.ts";

export interface CompiledAction {
  readonly plan: ActionPlan;
  readonly call: Call;
  readonly before: readonly CompiledPoll[];
  readonly after: readonly CompiledPoll[];
  readonly results: CompiledExpression | undefined;
  readonly match: { readonly result: CompiledExpression; readonly input: CompiledExpression | undefined } | undefined;
  readonly refused: CompiledExpression | undefined;
  readonly say: ((variables: Readonly<Record<string, unknown>>) => unknown) | undefined;
  readonly key: readonly CompiledExpression[] | undefined;
  readonly version: CompiledExpression | undefined;
  /** The idempotency key. */
  readonly onceKey: CompiledExpression | undefined;
  readonly unique: CompiledExpression | undefined;
  readonly existing: CompiledExpression | undefined;
}

export interface CompiledPoll { readonly name: string; readonly plan: PollPlan; readonly call: Call; readonly until: CompiledExpression | undefined }

/** Actions of a plan that a worker keeps are compiled once. */
const compiled = new WeakMap<ActionPlan, { readonly http: HttpPlan; readonly action: CompiledAction }>();

/** @throws PlugboardError MANIFEST_ for what does not compile; `validate` finds it earlier and with its position. */
export function compileAction(name: string, plan: ActionPlan, connector: ConnectorPlan, http: HttpPlan): CompiledAction {
  const known = compiled.get(plan);
  if (known?.http === http) return known.action;
  const action = compileAnew(name, plan, connector, http);
  compiled.set(plan, { http, action });
  return action;
}

function compileAnew(name: string, plan: ActionPlan, connector: ConnectorPlan, http: HttpPlan): CompiledAction {
  const where = `actions.${name}`;
  const at = (expression: string | undefined, field: string): CompiledExpression | undefined => (expression === undefined ? undefined : compileAt(String(expression), `${where}.${field}`));
  const polls = (room: "before" | "after"): CompiledPoll[] => Object.entries(plan[room]).map(([poll, each]) => ({ name: poll, plan: each, call: compileCall(each.request, connector, http, `${where}.${room}.${poll}`), until: at(each.until, `${room}.${poll}.until`) }));
  const once = plan.once.is === "guarded" ? plan.once : undefined;
  return {
    plan, call: compileCall(plan.request, connector, http, where), before: polls("before"), after: polls("after"),
    results: at(plan.results, "results"), match: plan.match && { result: at(plan.match.result, "match.result")!, input: at(plan.match.input, "match.input") }, refused: at(plan.refused, "refused"),
    say: plan.say === undefined ? undefined : compileValue(plan.say, "text", `${where}.say`),
    key: plan.returns?.key?.map((expression) => compileAt(String(expression), `${where}.returns.key`)), version: at(plan.returns?.version, "returns.version"),
    onceKey: at(once?.key, "once.key"), unique: at(once?.unique, "once.unique"), existing: at(once?.existing, "once.key"),
  };
}

const validators = new WeakMap<ActionPlan, ValidateFunction>();

/** What is wrong with an input, in words; an action that declares none takes anything. */
export function inputProblem(action: ActionPlan, input: JsonObject): string | undefined {
  if (Object.keys(action.input).length === 0) return undefined;
  let validate = validators.get(action);
  if (validate === undefined) {
    const ajv = new Ajv2020({ strict: false, allErrors: true, ownProperties: true, validateSchema: false, meta: false });
    formatsPlugin.default(ajv);
    validators.set(action, validate = ajv.compile({ type: "object", properties: action.input, additionalProperties: false }));
  }
  return validate(input) ? undefined : explainErrors(validate.errors ?? []);
}

/** Of what a mapping for `save` makes, the part that this one of the actions takes. */
export const inputFor = (action: ActionPlan, mapped: JsonObject): JsonObject =>
  Object.keys(action.input).length === 0 ? mapped : Object.fromEntries(Object.entries(mapped).filter(([field]) => Object.hasOwn(action.input, field)));
