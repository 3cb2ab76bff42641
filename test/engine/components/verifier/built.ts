/** What the tests of every verifier share. */
import { createHmac } from "node:crypto";
import type { IncomingRequest, Variables, Verdict } from "../../../../engine/components/kinds.ts";
import { buildComponent } from "../../../../engine/run/build-context.ts";
import type { ComponentPlan } from "../../../../engine/plan/types.ts";

/** 2026-03-01T09:00:00Z, in milliseconds. */
export const NOW = 1_772_355_600_000;
export const SECONDS = String(NOW / 1000);

export const verifierOf = (verify: Record<string, unknown>) => buildComponent("verifier", verify as unknown as ComponentPlan, "webhooks.app.verify");

export const incoming = (parts: Partial<Omit<IncomingRequest, "body">> & { readonly body?: string | Uint8Array } = {}): IncomingRequest =>
  ({ method: "POST", url: "https://hooks.example.com/webhooks/crm/token", headers: {}, ...parts, body: typeof parts.body === "string" ? Buffer.from(parts.body) : (parts.body ?? Buffer.alloc(0)) });

/** With `config.key` (given as one or several, while it is rotated) at NOW. */
export const verdictOf = (verify: Record<string, unknown>, request: IncomingRequest, key: string | readonly string[], more: Variables = {}, at = NOW): Promise<Verdict> =>
  verifierOf(verify).verify(request, [key].flat().map((each) => ({ config: { key: each, ...more } })), at);

export const hmacOf = (signed: string | Uint8Array, key: string | Uint8Array = "secret", algorithm = "sha256", encoding: "hex" | "base64" | "base64url" = "hex"): string => createHmac(algorithm, key).update(signed).digest(encoding);
