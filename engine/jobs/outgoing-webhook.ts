/**
 * An outgoing webhook, as Standard Webhooks wants it. Its body is a JSON object:
 *
 *   type       `<entity>.created`, `.updated` or `.ended`
 *   timestamp  when the row changed, as an ISO instant
 *   tenant     whose row it is: the operator's endpoint hears of all of them
 *   flow       the flow that fired
 *   data       what its mapping made; without one the row: { id, ...fields }
 *
 * `webhook-id` stays the same over all attempts, `webhook-timestamp` and the signatures are of the attempt.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11).
 */
import { createHmac } from "node:crypto";
import type { OutgoingRequest, SendOptions, Transport } from "../components/kinds.ts";
import { retryAfterSeconds } from "../components/shared/retry-after.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { SeenExchange } from "../run/one-request.ts";
import type { ActionResult } from "../run/perform-action.ts";

/** Seconds. */
const TIMEOUTS = { connect: 10, headers: 30, idle: 30, total: 30 } as const;
/** What a receiver says is read this far, and shown this far. */
const MAX_ANSWER_BYTES = 64 * 1024;
const SHOWN_ANSWER = 4 * 1024;
const SHOWN_BODY = 20_000;
const PREFIX = "whsec_";

export interface WebhookEvent { readonly type: string; readonly timestamp: string; readonly tenant: string; readonly flow: string; readonly data: JsonObject }

export const webhookType = (entity: string, { before, after }: { readonly before?: JsonObject; readonly after?: JsonObject }): string =>
  `${entity}.${after === undefined ? "ended" : before === undefined ? "created" : "updated"}`;

export interface WebhookToSend { readonly id: string; readonly body: string; readonly url: string; readonly secrets: readonly string[] }

/** One signature for each secret: a receiver that knows any of them accepts it. `seconds` since the epoch. */
export const signatures = (id: string, seconds: number, body: string, secrets: readonly string[]): string =>
  secrets.map((secret) => `v1,${createHmac("sha256", Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, "base64")).update(`${id}.${seconds}.${body}`).digest("base64")}`).join(" ");

/** @param now milliseconds since the epoch. */
export function webhookRequest({ id, body, url, secrets }: WebhookToSend, now: number): OutgoingRequest {
  const seconds = Math.floor(now / 1000);
  const target = new URL(url);
  return {
    method: "POST", url: target, body, label: `POST ${target.pathname}`,
    headers: new Headers({ "content-type": "application/json", accept: "*/*", "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": signatures(id, seconds, body, secrets) }),
  };
}

export type WebhookResult = ActionResult | { readonly is: "gone"; readonly reason: string };

/** 2xx is success, 410 disables the endpoint, everything else is tried again. `seen` is told of the request; its signatures prove nothing later and are shown. */
export async function sendWebhook(webhook: WebhookToSend, transport: Transport, now: number, signal: AbortSignal, seen: (exchange: SeenExchange) => void): Promise<WebhookResult> {
  const options: SendOptions = { signal, timeouts: TIMEOUTS, maxBodyBytes: MAX_ANSWER_BYTES };
  const request = webhookRequest(webhook, now);
  const begun = performance.now();
  const tell = (rest: Pick<SeenExchange, "answer" | "error">): void => seen({
    at: new Date(now).toISOString(), milliseconds: Math.round(performance.now() - begun),
    request: { method: request.method, url: request.url.href, headers: Object.fromEntries(request.headers), body: webhook.body.slice(0, SHOWN_BODY) }, ...rest,
  });
  try {
    const { status, headers, bytes } = await transport.send(request, options);
    tell({ answer: { status, headers, body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8").slice(0, SHOWN_ANSWER) } });
    if (status >= 200 && status < 300) return { is: "done", results: [{}] };
    if (status === 410) return { is: "gone", reason: "it answered 410" };
    const after = retryAfterSeconds(headers["retry-after"], now);
    return { is: "retry", reason: `it answered ${status}`, ...(after === undefined ? {} : { after: after * 1000 }) };
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    tell({ error: thrown.message });
    if (thrown.code === "RUN_EGRESS" || thrown.code === "RUN_REQUEST") return { is: "refused", reason: thrown.message };
    if (thrown.code === "RUN_REDIRECT") return { is: "retry", reason: "it answered with a redirect, which is not followed" };
    return { is: thrown.params["unsent"] === true ? "retry" : "unknown", reason: thrown.message };
  }
}
