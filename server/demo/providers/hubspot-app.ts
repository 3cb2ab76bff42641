/**
 * A HubSpot app and its webhooks: one address for all portals that installed it. Source: "Webhooks" and "Validating requests" of
 * the vendor's guides, read 2026-11. A request is a list of at most 100 events, of any portals and in no order; version 3 signs
 * method, address, body and time of sending with the app's client secret.
 */
import { createHmac } from "node:crypto";
import { createSender, type Message, type WebhookSender } from "./webhooks.ts";

const MOST_EVENTS = 100;
const APP_ID = 54_321;

export interface HubSpotEvent {
  readonly portalId: number;
  /** `contact.creation`, `contact.propertyChange`, `contact.deletion`. */
  readonly subscriptionType: string;
  readonly objectId: number;
  /** Milliseconds since the epoch. */
  readonly occurredAt: number;
  readonly propertyName?: string;
  readonly propertyValue?: string;
  readonly changeSource: "CRM_UI" | "INTEGRATION";
}

export interface HubSpotWebhooks extends WebhookSender {
  /** Where the app wants its events; without it nothing is kept. */
  register(url: string): void;
  tell(event: HubSpotEvent): void;
  /** As it signs: for a test that sends something of its own. */
  sign(method: string, url: string, body: string, at: number): Record<string, string>;
}

export function createHubSpotWebhooks({ clientSecret, now = Date.now, copies }: { readonly clientSecret: string; readonly now?: () => number; readonly copies?: number }): HubSpotWebhooks {
  let target: string | undefined;
  const events: (HubSpotEvent & { readonly eventId: number; readonly subscriptionId: number })[] = [];
  let lastEvent = 100;
  const subscriptions = new Map<string, number>();

  const sign = (method: string, url: string, body: string, at: number): Record<string, string> => ({
    "x-hubspot-signature-v3": createHmac("sha256", clientSecret).update(`${method}${decoded(url)}${body}${at}`).digest("base64"),
    "x-hubspot-request-timestamp": String(at), "x-hubspot-signature-version": "v3",
  });
  const message = (url: string, batch: typeof events): Message => ({
    url,
    write(attempt) {
      const body = JSON.stringify(batch.map(({ eventId, subscriptionId, portalId, ...rest }) => ({ eventId, subscriptionId, portalId, appId: APP_ID, ...rest, attemptNumber: attempt, ...flags[rest.subscriptionType.split(".")[1]!] })));
      return { headers: sign("POST", url, body, now()), body };
    },
  });
  const sender = createSender({
    ...(copies === undefined ? {} : { copies }),
    take() {
      const url = target;
      const batches: Message[] = [];
      // Newest first: whoever takes the last one of a list for the newest is wrong.
      if (url !== undefined) for (const taken = events.splice(0).reverse(); taken.length > 0; ) batches.push(message(url, taken.splice(0, MOST_EVENTS)));
      return batches;
    },
  });
  return {
    ...sender, sign,
    register(url) { target = url; },
    tell(event) {
      if (target === undefined) return;
      // A subscription is of one kind of event, and of one property.
      const kind = `${event.subscriptionType} ${event.propertyName ?? ""}`;
      if (!subscriptions.has(kind)) subscriptions.set(kind, 12_345 + subscriptions.size);
      events.push({ ...event, eventId: ++lastEvent, subscriptionId: subscriptions.get(kind)! });
      sender.wake();
    },
  };
}

const flags: Readonly<Record<string, object>> = { creation: { changeFlag: "NEW" }, deletion: { changeFlag: "DELETED" } };

/** The vendor signs the address with these escapes undone. */
const decoded = (url: string): string => url.replace(/%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, (escape) => decodeURIComponent(escape));
