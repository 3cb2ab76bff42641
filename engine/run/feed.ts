/**
 * What a feed makes of a request: which answer it gets, its items with their ids and accounts, and what an item means. Pure but
 * for the variables it is given; webhooks and queues are the same from here on.
 *
 *   root of `each` and of replies   body headers request, and every variable beside them
 *   root of everything else         the item; without `each`, the same as above
 */
import { holds } from "../components/shared/answer-variables.ts";
import { parseInstant, toIso, toMilliseconds } from "../components/shared/instant.ts";
import type { Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { CompiledExpression } from "../expression/index.ts";
import type { Json } from "../manifest/types.ts";
import type { FeedPlan, ReplyPlan, WebhookPlan } from "../plan/types.ts";
import { compileAt, compileValue } from "./build-context.ts";
import { joinKey, keyPart, showValue } from "./record-key.ts";

/** A request, decoded. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: it had none. */
  readonly body: unknown;
  /** As it came; made when an expression names `request.body`. */
  readonly text: () => string;
}

export interface FeedItem {
  /** Absent: the request's body is the item. */
  readonly item?: Json;
  readonly eventId?: string;
  readonly account?: string;
  /** ISO instant. */
  readonly at?: string;
  /** Why it can be neither identified nor routed; it is kept with this. */
  readonly problem?: PlugboardError;
}

/** One meaning of an item. `record` absent and not deleted: the record is read by its key. */
export interface Effect { readonly event: string; readonly stream: string; readonly key?: string; readonly record?: Json; readonly deleted: boolean }

export interface Meaning { readonly echo: boolean; readonly effects: readonly Effect[] }

export interface FeedReply { readonly name?: string; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string; /** Nothing is looked for in the request. */ readonly handshake: boolean }

export interface Feed {
  /** The first reply whose `when` holds. `unsigned`: only those that the manifest answers before anything is proven. */
  reply(seen: SeenRequest, variables: Variables, unsigned: boolean): Promise<FeedReply | undefined>;
  /** Never throws: what cannot be split is one item with a problem. */
  split(seen: SeenRequest, variables: Variables): Promise<FeedItem[]>;
  /** @throws PlugboardError EVENT_EXPRESSION, EVENT_NO_KEY */
  meaning(item: Json | undefined, seen: SeenRequest, variables: Variables): Promise<Meaning>;
}

/** Items of one request; more are no page of events but an attack, or a mistake in `each`. */
const MAX_ITEMS = 10_000;

export function compileFeed(plan: FeedPlan & Partial<Pick<WebhookPlan, "replies">>, where: string): Feed {
  const at = (expression: string | undefined, field: string): CompiledExpression | undefined => (expression === undefined ? undefined : compileAt(String(expression), `${where}.${field}`));
  const each = at(plan.each, "each");
  const id = plan.id.map((expression) => compileAt(String(expression), `${where}.id`));
  const [when, account, echo] = [at(plan.at, "at"), at(plan.account, "account"), at(plan.echo, "echo")];
  const events = Object.entries(plan.events).map(([name, event]) => ({
    name, stream: event.stream, when: at(event.when, `events.${name}.when`), record: at(event.record, `events.${name}.record`),
    key: event.key?.map((expression) => compileAt(String(expression), `${where}.events.${name}.key`)),
    deleted: typeof event.deleted === "string" ? compileAt(event.deleted, `${where}.events.${name}.deleted`) : event.deleted === true,
  }));
  const replies = (plan.replies ?? []).map((reply) => compileReply(reply, where));

  const rootOf = (item: Json | undefined, over: Variables): unknown => (each === undefined ? over : item);

  async function itemOf(item: Json | undefined, over: Variables): Promise<FeedItem> {
    const root = rootOf(item, over);
    const carried = each === undefined ? {} : { item: item ?? null };
    try {
      const owner = account === undefined ? undefined : keyPart(await evaluate(account, root, over, "account"));
      const happened = when === undefined ? undefined : parseInstant(await evaluate(when, root, over, "at"));
      const eventId = await keyOf(id, root, over, "id");
      return { ...carried, ...(typeof eventId === "string" ? { eventId } : {}), ...(owner === undefined ? {} : { account: owner }), ...(happened === undefined ? {} : { at: toIso(toMilliseconds(happened)) }) };
    } catch (thrown) {
      return { ...carried, problem: thrown as PlugboardError };
    }
  }

  return {
    async reply(seen, variables, unsigned) {
      for (const reply of replies) {
        if (unsigned && !reply.unsigned) continue;
        const over = overRequest(seen, variables);
        if (reply.when !== undefined && !holds(await evaluate(reply.when, over, over, "reply.when"))) continue;
        return await reply.render(over);
      }
      return undefined;
    },

    async split(seen, variables) {
      if (seen.body === undefined) return [];
      const over = overRequest(seen, variables);
      if (each === undefined) return [await itemOf(undefined, over)];
      try {
        const found = await evaluate(each, over, over, "each");
        const items = (found === undefined || found === null ? [] : Array.isArray(found) ? found : [found]) as Json[];
        if (items.length > MAX_ITEMS) throw new PlugboardError("EVENT_EXPRESSION", { field: "each", detail: `it gives ${items.length} items, more than ${MAX_ITEMS}` });
        const made: FeedItem[] = [];
        for (const item of items) made.push(await itemOf(item, over));
        return made;
      } catch (thrown) {
        return [{ problem: thrown as PlugboardError }];
      }
    },

    async meaning(item, seen, variables) {
      const over = overRequest(seen, variables);
      const root = rootOf(item, over);
      if (echo !== undefined && holds(await evaluate(echo, root, over, "echo"))) return { echo: true, effects: [] };
      const effects: Effect[] = [];
      for (const event of events) {
        const field = `events.${event.name}`;
        if (event.when !== undefined && !holds(await evaluate(event.when, root, over, `${field}.when`))) continue;
        const deleted = typeof event.deleted === "boolean" ? event.deleted : holds(await evaluate(event.deleted, root, over, `${field}.deleted`));
        const record = event.record === undefined ? undefined : ((await evaluate(event.record, root, over, `${field}.record`)) as Json | undefined);
        const key = event.key === undefined ? undefined : await keyOf(event.key, root, over, `${field}.key`);
        const named = typeof key === "string";
        if (!named && (key !== undefined || record === undefined)) throw new PlugboardError("EVENT_NO_KEY", { event: event.name, actual: key === undefined ? "nothing" : key.actual });
        effects.push({ event: event.name, stream: event.stream, deleted, ...(named ? { key } : {}), ...(record === undefined ? {} : { record }) });
      }
      return { echo: false, effects };
    },
  };
}

/** Text of all parts; never half of them. */
async function keyOf(expressions: readonly CompiledExpression[], root: unknown, over: Variables, field: string): Promise<string | { readonly actual: string } | undefined> {
  if (expressions.length === 0) return undefined;
  const parts: string[] = [];
  for (const expression of expressions) {
    const value = await evaluate(expression, root, over, field);
    const part = keyPart(value);
    if (part === undefined) return { actual: showValue(value) };
    parts.push(part);
  }
  return joinKey(parts);
}

async function evaluate(expression: CompiledExpression, root: unknown, over: Variables, field: string): Promise<unknown> {
  try {
    return await expression.evaluate(root, over);
  } catch (thrown) {
    throw new PlugboardError("EVENT_EXPRESSION", { field, detail: (thrown as Error).message }, { cause: thrown });
  }
}

/** `body headers request` over the variables. What is seldom named is made when it is. */
function overRequest(seen: SeenRequest, variables: Variables): Variables {
  const [path = "", query = ""] = seen.url.replace(/^[a-z]+:\/\/[^/]*/i, "").split("?", 2);
  const request = {
    method: seen.method, url: seen.url, path, headers: seen.headers,
    get query() { return Object.fromEntries(new URLSearchParams(query)); },
    get body() { return seen.text(); },
  };
  return { ...variables, body: seen.body, headers: seen.headers, request };
}

function compileReply(plan: ReplyPlan, where: string) {
  const name = `${where}.reply${plan.name === undefined ? "" : `.${plan.name}`}`;
  const headers = plan.headers === undefined ? undefined : compileValue(plan.headers, "header", `${name}.headers`);
  const text = plan.text === undefined ? undefined : compileValue(plan.text, "text", `${name}.text`);
  const json = plan.json === undefined ? undefined : compileValue(plan.json, "text", `${name}.json`);
  return {
    when: plan.when === undefined ? undefined : compileAt(plan.when, `${name}.when`),
    unsigned: plan.unsigned === true,
    async render(over: Variables): Promise<FeedReply> {
      const given = Object.entries(((await headers?.(over)) ?? {}) as Record<string, unknown>).map(([key, value]) => [key.toLowerCase(), String(value)] as const);
      const type = json !== undefined ? "application/json; charset=utf-8" : "text/plain; charset=utf-8";
      const body = json !== undefined ? JSON.stringify((await json(over)) ?? null) : String((await text?.(over)) ?? "");
      return {
        ...(plan.name === undefined ? {} : { name: plan.name }), status: plan.status, body, handshake: plan.handshake === true || plan.unsigned === true,
        // What the sender wrote comes back as text, whatever a manifest calls it: never as a page.
        headers: { "content-type": type, ...Object.fromEntries(given.filter(([key, value]) => key !== "content-type" || !/html|xml|svg|script/i.test(value))), "x-content-type-options": "nosniff" },
      };
    },
  };
}
