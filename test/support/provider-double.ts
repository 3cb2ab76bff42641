/**
 * A provider in memory, as a transport: answers with what a test gives it, remembers every request, and fails on one that
 * nobody foresaw. For wire-level behaviour (time-outs, resets, redirects) tests use a real server instead.
 */
import type { RawAnswer, Transport } from "../../engine/components/kinds.ts";

export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

export interface GivenAnswer { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown; readonly text?: string; readonly bytes?: Uint8Array }

/** Gives the answer, throws what the transport would throw, or gives `undefined`: nobody foresaw this request. */
export type Respond = (request: SeenRequest, count: number) => GivenAnswer | undefined | Promise<GivenAnswer | undefined>;

export interface ProviderDouble extends Transport { readonly requests: SeenRequest[] }

export function providerDouble(respond: Respond): ProviderDouble {
  const requests: SeenRequest[] = [];
  return {
    requests,
    async send(request, { signal }): Promise<RawAnswer> {
      signal.throwIfAborted();
      const text = request.body === undefined ? undefined : typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
      const seen: SeenRequest = {
        method: request.method, url: request.url, path: request.url.pathname, query: Object.fromEntries(request.url.searchParams), headers: Object.fromEntries(request.headers), body: parsed(text),
      };
      requests.push(seen);
      const answer = await respond(seen, requests.length);
      if (answer === undefined) throw new Error(`nobody foresaw ${seen.method} ${seen.url.href} ${text ?? ""}`);
      const body = answer.bytes ?? new TextEncoder().encode(answer.text ?? (answer.json === undefined ? "" : JSON.stringify(answer.json)));
      return { status: answer.status ?? 200, headers: { ...(answer.json === undefined ? {} : { "content-type": "application/json" }), ...answer.headers }, bytes: body, url: request.url.href };
    },
    close: async () => {},
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
