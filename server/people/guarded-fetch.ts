/** `fetch` for libraries, through the egress guard: public addresses only, no redirect, small answers, soon. */
import type { Transport } from "../../engine/components/kinds.ts";

const TIMEOUTS = { connect: 5, headers: 5, idle: 5, total: 10 } as const;
const MAX_BODY_BYTES = 1024 * 1024;

export interface FetchOptions { readonly method?: string; readonly headers?: Headers | Readonly<Record<string, string>>; readonly body?: unknown; readonly signal?: AbortSignal | null | undefined }

export const guardedFetch = (transport: Transport) => async (address: string, { method = "GET", headers, body, signal }: FetchOptions = {}): Promise<Response> => {
  const url = new URL(address);
  const sent = body == null ? undefined : String(body);
  const answer = await transport.send({ method, url, headers: new Headers(headers as Record<string, string>), body: sent, label: `${method} ${url.host}${url.pathname}` },
    { signal: signal ?? new AbortController().signal, timeouts: TIMEOUTS, maxBodyBytes: MAX_BODY_BYTES });
  const { "content-encoding": _, "content-length": _length, ...kept } = answer.headers;
  return new Response([204, 205, 304].includes(answer.status) ? null : new Uint8Array(answer.bytes), { status: answer.status, headers: kept });
};
