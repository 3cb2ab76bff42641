/**
 * Carries out one action: one request (with those the manifest puts before and after it), and what its answer means. Knows
 * nothing of queues and rows. Its one promise: what may have reached the provider is never called failed.
 *
 *   nothing left, 408, 425, 429            retry
 *   a time-out or reset after bytes left   unknown
 *   5xx                                    retry where a second try is harmless, else unknown
 *   an error rule `fail`, `refused`, 4xx   refused
 */
import type { Answer, Variables } from "../components/kinds.ts";
import { holds, overAnswer } from "../components/shared/answer-variables.ts";
import type { CompiledExpression } from "../expression/index.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { ActionPlan, OncePlan } from "../plan/types.ts";
import { compileAction, inputProblem, type CompiledAction, type CompiledPoll } from "./compile-action.ts";
import { isAuth, requestsAt, type ConnectionAt, type Failure, type OnePorts, type OneRequest, type Sent } from "./one-request.ts";
import { versionText } from "./map-page.ts";
import { beforeRules, readOne } from "./read-one.ts";
import { joinKey, keyPart } from "./record-key.ts";

/** What an action is asked to do, once for all its tries. */
export interface ActionRequest extends ConnectionAt {
  readonly action: string;
  /** One; of a batch as many as it takes, the same ones in the same order on every try. */
  readonly inputs: readonly JsonObject[];
  readonly delivery: DeliveryAt;
  /** Of the record at the provider that is changed or deleted: the row's link. */
  readonly key?: string;
  /** That record as it is, where it is known; else an action that names `current` reads it first. */
  readonly current?: Json;
}

export interface DeliveryAt {
  readonly id: string;
  /** The same on every try: the idempotency key, unless the manifest makes another. */
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  /** ISO instant of the first try of which something may have reached the provider. Left out where a person says to send it again. */
  readonly first_sent_at?: string;
  /** What `accepted` gave the last time: the write is done, and only what follows it is left. */
  readonly accepted?: JsonObject;
}

export type ActionResult =
  /** One result per input, in the order of the inputs. `unknown`: the answer said nothing of it. */
  | { readonly is: "done"; readonly results: readonly ItemResult[] }
  | { readonly is: "refused"; readonly reason: string }
  /** Nothing happened at the provider, or a second try is harmless. `after`: milliseconds from now, where the provider says. */
  | { readonly is: "retry"; readonly reason: string; readonly after?: number; /** It may have been carried out: a second try is harmless as long as `once` guards it. */ readonly unsure?: true }
  /** It may have been carried out. Never sent again by itself, unless `isHarmless`. */
  | { readonly is: "unknown"; readonly reason: string }
  | { readonly is: "auth"; readonly reason: string }
  /** The provider took it and is not done: ask again in `after` milliseconds, with `accepted` in the delivery. The write is not sent again. */
  | { readonly is: "accepted"; readonly reason: string; readonly after: number; readonly accepted: JsonObject };

export type ItemResult = { readonly key?: string; readonly version?: string; readonly body?: Json } | { readonly refused: string } | { readonly unknown: string };

/** Pause between two looks at something that is not done yet, in milliseconds, where the manifest names none. */
const POLL_MILLISECONDS = 10_000;
/** Gives up after this long, where the manifest says nothing. */
const POLL_WITHIN_MILLISECONDS = 3_600_000;
/** A request before the write is waited for in place, at most so many milliseconds in all. */
const WAIT_IN_PLACE_MILLISECONDS = 50_000;

/** @throws PlugboardError MANIFEST_ (what does not compile), RUN_REQUEST (no such action); a refusal is a result, not an error. */
export async function performAction(ports: OnePorts, request: ActionRequest): Promise<ActionResult> {
  const { plan, prepared, requests, action } = await prepare(ports, request);
  if ("refused" in prepared) return { is: "refused", reason: prepared.refused };
  const { delivery } = request;
  if (delivery.accepted !== undefined) return await follow(action, requests, prepared.variables, delivery.accepted, delivery.accepted["results"] as unknown as readonly ItemResult[], ports.clock.now());
  if (isExpired(plan.once, delivery, ports.clock.now())) return { is: "unknown", reason: `the provider knows a first try by its key for ${plan.once.is === "guarded" ? plan.once.valid_for_seconds : 0} s only, and that is over` };

  let { variables } = prepared;
  if (plan.reads_current && request.current === undefined) {
    const read = await currentRecord(ports, request, plan);
    if ("is" in read) return read;
    variables = { ...variables, current: read.current };
  }
  for (const poll of action.before) {
    const answer = await inPlace(poll, requests, variables);
    if ("is" in answer) return answer;
    variables = { ...variables, [poll.name]: answer.response };
  }
  let isDuplicate = false;
  const sent = await requests.send(beforeRules(action.call, action.unique, (found) => { isDuplicate = found; }), variables);
  const harmless = isHarmless(plan.once, delivery, ports.clock.now());
  if (sent.is === "failed") return isUnread(sent, action) ? { is: "done", results: request.inputs.map(() => ({})) } : outcomeOf(sent, harmless);
  const result = await understood(sent, isDuplicate, action, request, requests, variables);
  if (result.is !== "done" || action.after.length === 0 || !result.results.some((each) => !("refused" in each))) return result;
  return await follow(action, requests, variables, { results: result.results.map(withoutBody) as unknown as Json, response: small(sent.answer), begun: new Date(ports.clock.now()).toISOString(), at: 0 }, result.results, ports.clock.now());
}

/** Whether a second try of an action cannot do it twice: what `once` says, and whether that still holds. */
export function isHarmless(once: OncePlan, delivery: Pick<DeliveryAt, "first_sent_at">, now: number): boolean {
  if (once.is === "repeatable") return true;
  return once.is === "guarded" && (once.unique !== undefined || (once.key !== undefined && !isExpired(once, delivery, now)));
}

/** The provider has forgotten the key of the first try, and nothing else guards against a second. */
function isExpired(once: OncePlan, { first_sent_at }: Pick<DeliveryAt, "first_sent_at">, now: number): boolean {
  if (once.is !== "guarded" || once.key === undefined || once.unique !== undefined || once.valid_for_seconds === undefined || first_sent_at === undefined) return false;
  return Date.parse(first_sent_at) + once.valid_for_seconds * 1000 <= now;
}

interface Prepared { readonly plan: ActionPlan; readonly action: CompiledAction; readonly requests: OneRequest; readonly prepared: { readonly variables: Variables } | { readonly refused: string } }

/** Everything that is known before anything is sent. */
export async function prepare(ports: OnePorts, request: ActionRequest): Promise<Prepared> {
  const { connector, inputs, delivery } = request;
  const plan = connector.actions !== undefined && Object.hasOwn(connector.actions, request.action) ? connector.actions[request.action] : undefined;
  if (plan === undefined) throw new PlugboardError("RUN_REQUEST", { where: `actions.${request.action}`, detail: "the connector has no such action", suggestion: `It has: ${Object.keys(connector.actions ?? {}).join(", ") || "none"}.` });
  const requests = requestsAt(request, ports, delivery.id);
  const action = compileAction(request.action, plan, connector, requests.http);
  const refused = (reason: string): Prepared => ({ plan, action, requests, prepared: { refused: reason } });
  const most = plan.batch ?? 1;
  if (inputs.length === 0 || inputs.length > most) return refused(`it takes ${most === 1 ? "one input" : `1 to ${most} inputs`}, not ${inputs.length}`);
  for (const [index, input] of inputs.entries()) {
    const problem = inputProblem(plan, input);
    if (problem !== undefined) return refused(`${inputs.length === 1 ? "the input" : `input ${index + 1}`} is not what '${request.action}' takes: ${problem}`);
  }
  const named = plan.batch === undefined ? { input: inputs[0] } : { inputs, ...(inputs.length === 1 ? { input: inputs[0] } : {}) };
  const variables: Variables = {
    ...requests.variables, with: plan.with, ...named, delivery: { id: delivery.id, key: delivery.key, attempt: delivery.attempt },
    ...(request.key === undefined ? {} : { key: request.key }), ...(request.current === undefined ? {} : { current: request.current }),
  };
  if (action.onceKey === undefined) return { plan, action, requests, prepared: { variables } };
  try {
    const key = await keyOf([action.onceKey], variables, requests.visible(variables));
    return key === undefined ? refused(`once.key '${action.onceKey.text}' gives no key`) : { plan, action, requests, prepared: { variables: { ...variables, delivery: { id: delivery.id, key, attempt: delivery.attempt } } } };
  } catch (thrown) {
    return refused(`once.key '${action.onceKey.text}' fails: ${(thrown as Error).message}`);
  }
}

async function currentRecord(ports: OnePorts, request: ActionRequest, plan: ActionPlan): Promise<ActionResult | { readonly current: Json }> {
  if (plan.effect === undefined || request.key === undefined) return { is: "refused", reason: "it needs the record as it is, and which one that is was not said" };
  const one = await readOne(ports, request, plan.effect.stream, request.key);
  switch (one.is) {
    case "record": return { current: one.record };
    case "gone": return { is: "refused", reason: `the record ${request.key} is deleted at the provider` };
    case "absent": return { is: "retry", reason: `the provider has no record ${request.key} just now` };
    case "retry": case "auth": return one;
    case "failed": return { is: "refused", reason: one.reason };
  }
}

/** What a request that failed means, when it is a write. */
function outcomeOf(failure: Failure, harmless: boolean): ActionResult {
  const { error, left, status, after, again } = failure;
  const reason = error.message;
  const retry: ActionResult = { is: "retry", reason, ...(after === undefined ? {} : { after }) };
  if (isAuth(error)) return { is: "auth", reason };
  if (error.code === "RUN_RULE" || error.code === "RUN_REDIRECT") return { is: "refused", reason };
  if (!left) return NEVER_BUILT.has(error.code) ? { is: "refused", reason } : retry;
  if (status === undefined || (status >= 200 && status < 300 && !again)) return { is: "unknown", reason };
  if (status >= 500) return harmless ? { ...retry, unsure: true } : { is: "unknown", reason };
  return again || status === 408 || status === 425 || status === 429 ? retry : { is: "refused", reason };
}

/** Not sent, and the next try would not be either: somebody has to change something. */
const NEVER_BUILT = new Set<string>(["RUN_REQUEST", "RUN_EGRESS", "AUTH_HOST_NOT_ALLOWED", "MANIFEST_NOT_RUNNING_YET", "MANIFEST_EXPRESSION", "MANIFEST_TEMPLATE"]);

/** Carried out, and what came back cannot be read: nothing of it is needed. */
const isUnread = ({ error, status = 0 }: Failure, { results, refused, key, version, after }: CompiledAction): boolean =>
  error.code === "RUN_NOT_DECODABLE" && status >= 200 && status < 300 && [results, refused, key, version].every((each) => each === undefined) && after.length === 0;

/** What an answer says. Whatever cannot be told from it is unknown: it was carried out, or may have been. */
async function understood(sent: Sent & { readonly is: "answered" }, isDuplicate: boolean, action: CompiledAction, request: ActionRequest, requests: OneRequest, variables: Variables): Promise<ActionResult> {
  const { answer } = sent;
  const visible = requests.visible(variables);
  const over = overAnswer(answer, visible);
  if (sent.ignored !== undefined) return { is: "done", results: request.inputs.map(() => ({})) };
  try {
    if (isDuplicate) return await duplicate(action, request, over, visible);
    if (action.results === undefined) {
      const one = await itemOf(over, over, answer.body as Json | undefined, action, visible, requests);
      if ("refused" in one) return { is: "refused", reason: one.refused };
      if ("unknown" in one) return { is: "unknown", reason: one.unknown };
      return { is: "done", results: request.inputs.map(() => one) };
    }
    const found = await action.results.evaluate(over, visible);
    const items = found === undefined || found === null ? [] : Array.isArray(found) ? found : [found];
    const whose = await inputsOf(items, action, request.inputs, visible);
    if ("unknown" in whose) return { is: "unknown", reason: whose.unknown };
    const results: ItemResult[] = [];
    for (const item of whose.items) results.push("unknown" in item ? item : await itemOf(item.result, { ...over, ...(isRecord(item.result) ? item.result : {}) }, item.result as Json, action, visible, requests));
    return { is: "done", results };
  } catch (thrown) {
    return { is: "unknown", reason: `the provider took it, and its answer cannot be understood: ${requests.redactor.text((thrown as Error).message)}` };
  }
}

/** For each input its result, or why there is none. Without `match` their order tells, so there may not be more of them than inputs. */
async function inputsOf(results: readonly unknown[], { match }: CompiledAction, inputs: readonly JsonObject[], visible: Variables): Promise<{ readonly items: readonly ({ readonly result: unknown } | { readonly unknown: string })[] } | { readonly unknown: string }> {
  if (match === undefined) {
    if (results.length > inputs.length) return { unknown: `the answer has ${results.length} results for ${inputs.length} inputs: which is whose cannot be told` };
    return { items: inputs.map((_, index) => (index < results.length ? { result: results[index] } : { unknown: `the answer has ${results.length} results for ${inputs.length} inputs` })) };
  }
  const nameOf = async (expression: CompiledExpression, root: unknown): Promise<string | undefined> => keyPart(await expression.evaluate(root, visible));
  const named: { readonly result: unknown; readonly name: string | undefined }[] = [];
  for (const result of results) named.push({ result, name: await nameOf(match.result, result) });
  const names: (string | undefined)[] = [];
  for (const [index, input] of inputs.entries()) names.push(match.input === undefined ? String(index) : await nameOf(match.input, input));
  return {
    items: names.map((name) => {
      if (name === undefined) return { unknown: `'match.input' names nothing of it` };
      if (names.indexOf(name) !== names.lastIndexOf(name)) return { unknown: `several inputs of the request are named '${name}'` };
      const [own, ...others] = named.filter((each) => each.name === name);
      if (own === undefined) return { unknown: `the answer has no result for '${name}'` };
      return others.length > 0 ? { unknown: `the answer has ${others.length + 1} results for '${name}'` } : { result: own.result };
    }),
  };
}

async function itemOf(root: unknown, say: Variables, body: Json | undefined, action: CompiledAction, visible: Variables, requests: OneRequest): Promise<ItemResult> {
  if (action.refused !== undefined && holds(await action.refused.evaluate(root, visible))) {
    const said = await action.say?.(say);
    return { refused: requests.redactor.text(typeof said === "string" && said !== "" ? said : `the provider refused it: ${JSON.stringify(body)?.slice(0, 300) ?? "no body"}`) };
  }
  const key = action.key === undefined ? undefined : await keyOf(action.key, root, visible);
  const makes = action.plan.effect?.does === "creates" || action.plan.effect?.does === "upserts";
  if (action.key !== undefined && key === undefined && makes) return { unknown: `the provider took it, and says no key: '${action.key.map(({ text }) => text).join(", ")}' gives nothing` };
  const version = action.version === undefined ? undefined : await versionOf(action.version, root, visible, requests);
  return { ...(key === undefined ? {} : { key }), ...(version === undefined ? {} : { version }), ...(body === undefined ? {} : { body }) };
}

/** It only tells our own write from a newer one: without it, the next reading of the record decides by what is in it. */
async function versionOf(expression: CompiledExpression, root: unknown, visible: Variables, requests: OneRequest): Promise<string | undefined> {
  try {
    return versionText(await expression.evaluate(root, visible));
  } catch (thrown) {
    requests.log({ level: "warn", event: "action", message: `returns.version '${expression.text}' gives no version: ${(thrown as Error).message}` });
    return undefined;
  }
}

/** The provider has it already: it is done, under the key of what is there. */
async function duplicate(action: CompiledAction, request: ActionRequest, over: Variables, visible: Variables): Promise<ActionResult> {
  if (request.inputs.length > 1) return { is: "unknown", reason: "the provider refused the batch as a duplicate: which of it is there already cannot be told" };
  if (action.existing === undefined) return { is: "done", results: [{}] };
  const key = await keyOf([action.existing], over, visible);
  if (key !== undefined) return { is: "done", results: [{ key }] };
  const canBeFound = action.plan.once.is === "guarded" && action.plan.once.find !== undefined;
  return canBeFound ? { is: "unknown", reason: "the provider has it already, and does not say under which key" } : { is: "refused", reason: `the provider has it already, and '${action.existing.text}' gives no key` };
}

/** Requests after the write, in order; one that is not done yet is asked again later. */
async function follow(action: CompiledAction, requests: OneRequest, variables: Variables, state: JsonObject, results: readonly ItemResult[], now: number): Promise<ActionResult> {
  const key = results.map((each) => ("key" in each ? each.key : undefined)).find((each) => each !== undefined);
  const known: Variables = { ...variables, ...(key === undefined ? {} : { key }), response: state["response"] };
  for (let at = Number(state["at"] ?? 0); at < action.after.length; at++) {
    const poll = action.after[at]!;
    const since = at === Number(state["at"] ?? 0) ? String(state["begun"]) : new Date(now).toISOString();
    const later = (reason: string, after?: number): ActionResult => {
      const within = (poll.plan.within_seconds ?? POLL_WITHIN_MILLISECONDS / 1000) * 1000;
      if (now - Date.parse(since) >= within) return { is: "unknown", reason: `the provider took it and was not done within ${within / 1000} s: ${reason}` };
      return { is: "accepted", reason, after: after ?? (poll.plan.every_seconds ?? POLL_MILLISECONDS / 1000) * 1000, accepted: { ...state, at, begun: since } };
    };
    const sent = await requests.send(poll.call, known);
    if (sent.is === "failed") {
      if (isAuth(sent.error)) return later(sent.error.message);
      const outcome = outcomeOf(sent, true);
      return outcome.is === "refused" ? { is: "unknown", reason: `the provider took it, and 'after.${poll.name}' failed: ${outcome.reason}` } : later(sent.error.message, sent.after);
    }
    if (!(await isOver(poll, sent.answer, requests.visible(known)))) return later(`'after.${poll.name}' is not over: ${poll.until?.text ?? ""}`);
  }
  return { is: "done", results };
}

/** A request before the write, asked until it is over. What it answers is a variable. */
async function inPlace(poll: CompiledPoll, requests: OneRequest, variables: Variables): Promise<ActionResult | { readonly response: unknown }> {
  const every = (poll.plan.every_seconds ?? POLL_MILLISECONDS / 1000) * 1000;
  const within = Math.min((poll.plan.within_seconds ?? Number.POSITIVE_INFINITY) * 1000, WAIT_IN_PLACE_MILLISECONDS);
  for (let waited = 0; ; waited += every) {
    const sent = await requests.send(poll.call, variables);
    // Nothing was written yet: whatever came of it, the whole may be tried again.
    if (sent.is === "failed") {
      const outcome = outcomeOf(sent, true);
      return outcome.is === "unknown" || outcome.is === "retry" ? { is: "retry", reason: outcome.reason, ...(sent.after === undefined ? {} : { after: sent.after }) } : outcome;
    }
    const { answer } = sent;
    if (await isOver(poll, answer, requests.visible(variables))) return { response: { status: answer.status, headers: answer.headers, body: answer.body } };
    if (waited + every > within) return { is: "retry", reason: `'before.${poll.name}' is not over after ${Math.round(waited / 1000)} s: ${poll.until?.text ?? ""}`, after: every };
    await requests.pause.for(every, `before.${poll.name}`);
  }
}

/** An expression that fails is not over; it is asked again. */
async function isOver(poll: CompiledPoll, answer: Answer, visible: Variables): Promise<boolean> {
  try {
    return poll.until === undefined || holds(await poll.until.evaluate(overAnswer(answer, visible), visible));
  } catch {
    return false;
  }
}

/** Text of all parts of a key, or nothing. */
export async function keyOf(expressions: readonly CompiledExpression[], root: unknown, variables: Variables): Promise<string | undefined> {
  const parts: string[] = [];
  for (const expression of expressions) {
    const part = keyPart(await expression.evaluate(root, variables));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts.length === 0 ? undefined : joinKey(parts);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

const withoutBody = (result: ItemResult): ItemResult => ("body" in result ? { ...(result.key === undefined ? {} : { key: result.key }), ...(result.version === undefined ? {} : { version: result.version }) } : result);

/** Characters of an answer that are kept for the requests that follow it. */
const KEPT_CHARACTERS = 10_000;

function small({ status, headers, body }: Answer): JsonObject {
  const text = JSON.stringify(body);
  return { status, headers, ...(text !== undefined && text.length <= KEPT_CHARACTERS ? { body: body as Json } : {}) };
}
