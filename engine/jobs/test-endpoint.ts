/** One message to an endpoint of outgoing webhooks, so that somebody sees that it arrives and verifies: outside of the outbox, tried once. */
import type { Transport } from "../components/kinds.ts";
import { type Database, type Keyring, newDeliveryId, openOutgoingEndpoint } from "../store/index.ts";
import { sendWebhook, type WebhookEvent } from "./outgoing-webhook.ts";

export const TEST_TYPE = "plugboard.test";

export interface EndpointTested {
  /** It answered 2xx. */
  readonly ok: boolean;
  /** Absent: there was no answer. */
  readonly status?: number;
  readonly milliseconds: number;
  /** Why it is not ok. */
  readonly reason?: string;
  /** The `webhook-id` that was sent. */
  readonly id: string;
}

/**
 * @param now milliseconds since the epoch.
 * @returns undefined where there is no endpoint of that name, of the tenant or of the operator.
 */
export async function testEndpoint({ db, keyring, transport }: { readonly db: Database; readonly keyring: Keyring; readonly transport: Transport }, tenant: string, name: string, now: number, signal: AbortSignal): Promise<EndpointTested | undefined> {
  const endpoint = await openOutgoingEndpoint(db, keyring, tenant, name);
  if (endpoint === undefined) return undefined;
  const id = newDeliveryId();
  const event: WebhookEvent = { type: TEST_TYPE, timestamp: new Date(now).toISOString(), tenant, flow: "test", data: {} };
  let seen: { readonly milliseconds: number; readonly status?: number } = { milliseconds: 0 };
  const result = await sendWebhook({ id, body: JSON.stringify(event), url: endpoint.url, secrets: endpoint.secrets }, transport, now, signal, ({ milliseconds, answer }) => { seen = { milliseconds, ...(answer === undefined ? {} : { status: answer.status }) }; });
  return { ok: result.is === "done", ...seen, id, ...("reason" in result && result.reason !== undefined ? { reason: result.reason } : {}) };
}
