/** From a webhook or a queue of the effective tree to its plan. */
import type { JsonObject } from "../manifest/types.ts";
import { compileCursor } from "./compile-cursor.ts";
import { bytes, compilePolls, compileRequest, component, expression, expressions, named, numberOf, optional, record, seconds, value } from "./compile-request.ts";
import { problemAt, type Report } from "./problems.ts";
import { ONLY_REPLY } from "./shape.ts";
import { at, members, plain, text, type Sourced } from "./sourced.ts";
import type { FeedEventPlan, FeedPlan, QueuePlan, ReplyPlan, WebhookPlan } from "./types.ts";

/** A queue that says nothing is asked this often, in seconds. */
const QUEUE_EVERY_SECONDS = 60;

/** `undefined` for a webhook without `verify`: nothing it is sent could be believed. */
export function compileWebhook(node: Sourced, where: string, report: Report): WebhookPlan | undefined {
  const verify = named(at(node, "verify"));
  if (!verify) {
    report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "verify", where, expected: "how a request proves where it comes from; { type: secret_url } where the provider signs nothing" }, { part: "key" }));
    return undefined;
  }
  return {
    ...compileFeed(node, where, report),
    verify,
    replies: members(at(node, "reply")).map(([name, reply]) => compileReply(name, reply)),
    subscribe: compilePolls(at(node, "subscribe"), `${where}.subscribe`, report),
    ...(text(at(node, "encoding")) === "form" ? { encoding: "form" as const } : {}),
    ...optional("max_body_bytes", bytes(at(node, "max_body"))),
  };
}

export function compileQueue(node: Sourced, where: string, report: Report): QueuePlan | undefined {
  const request = compileRequest(node, where, report);
  const every = at(node, "every");
  return request && {
    ...compileFeed(node, where, report),
    request,
    ...optional("pagination", component(at(node, "pagination"), "none")),
    ...optional("cursor", compileCursor(at(node, "cursor"))),
    after: compilePolls(at(node, "after"), `${where}.after`, report),
    ...optional("at_once", numberOf(at(node, "at_once"))),
    every_seconds: (every && seconds(every, `${where}.every`, report)) ?? QUEUE_EVERY_SECONDS,
  };
}

function compileFeed(node: Sourced, where: string, report: Report): FeedPlan {
  const isApp = text(at(node, "scope")) === "app";
  if (isApp && !at(node, "account")) report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "account", where, expected: "whose item it is: one address serves all customers (scope: app)" }, { part: "key" }));
  return {
    ...optional("title", text(at(node, "title"))),
    ...(isApp ? { scope: "app" as const } : {}),
    with: (value(at(node, "with")) ?? {}) as JsonObject,
    ...optional("each", expression(at(node, "each"))),
    id: expressions(at(node, "id")),
    ...optional("at", expression(at(node, "at"))),
    ...optional("account", expression(at(node, "account"))),
    ...optional("echo", expression(at(node, "echo"))),
    events: record(at(node, "events"), compileEvent),
  };
}

function compileEvent(node: Sourced): FeedEventPlan {
  const deleted = at(node, "deleted");
  const isDeleted = deleted && plain(deleted);
  return {
    ...optional("when", expression(at(node, "when"))),
    stream: text(at(node, "stream")) ?? "",
    ...(at(node, "key") ? { key: expressions(at(node, "key")) } : {}),
    ...optional("record", expression(at(node, "record"))),
    ...optional("deleted", typeof isDeleted === "boolean" ? isDeleted : expression(deleted)),
  };
}

function compileReply(name: string, node: Sourced): ReplyPlan {
  return {
    ...(name === ONLY_REPLY ? {} : { name }),
    ...optional("when", expression(at(node, "when"))),
    ...(at(node, "handshake") ? { handshake: true as const } : {}),
    ...(at(node, "unsigned") ? { unsigned: true as const } : {}),
    status: numberOf(at(node, "status")) ?? 200,
    ...optional("headers", value(at(node, "headers"))),
    ...optional("text", value(at(node, "text"))),
    ...optional("json", value(at(node, "json"))),
  };
}
