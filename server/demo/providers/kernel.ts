/**
 * What the stand-in providers share: a server on loopback, a parsed request, an answer with the provider's own `Date`,
 * counts of what was asked, and a place where a test may put a fault. What a vendor does stands in that vendor's file.
 *
 *   stand-in   a local server that answers as a vendor's documentation says the vendor does, also when misused
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** Answers at least this long are compressed when the client accepts it, as vendors' front ends do. */
const GZIP_FROM_BYTES = 1_024;
const MAX_REQUEST_BYTES = 3_000_000;

export interface Asked {
  readonly method: string;
  /** Decoded, without the query: `/v3/jobs`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query as they came in. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is; anything else as JSON; absent: no body. */
  readonly body?: unknown;
}

/** What may go wrong on the way: an answer instead of the vendor's, a cut connection, or half of the body. */
export type Fault = Reply | "reset" | "truncate";

export interface StandInOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Looked at before every answer; undefined leaves the answer alone. `nth` counts requests from 1. */
  readonly faults?: (asked: Asked, nth: number) => Fault | undefined;
  /** The provider's own clock, milliseconds since the epoch; its `Date` header and its limits follow it. */
  readonly now?: () => number;
}

export interface Requests {
  total: number;
  /** `GET /v3/jobs` → how often. Ids in a path are written `:id`. */
  readonly byRoute: Record<string, number>;
  readonly byStatus: Record<number, number>;
}

export interface StandIn {
  /** `http://127.0.0.1:41234`, no slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly requests: Requests;
  close(): Promise<void>;
}

/** @throws the listen error (`EADDRINUSE` …) of node:net. */
export async function startStandIn(options: StandInOptions, answer: (asked: Asked) => Reply): Promise<StandIn> {
  const now = options.now ?? Date.now;
  const requests: Requests = { total: 0, byRoute: {}, byStatus: {} };

  const server = createServer((request, response) => {
    void readRequest(request).then((asked) => {
      requests.total += 1;
      if (asked === undefined) return send(response, request, { status: 413 }, now());
      count(requests.byRoute, `${asked.method} ${asked.path.replace(/\/\d+(?=\/|$)/g, "/:id")}`);
      const fault = options.faults?.(asked, requests.total);
      if (fault === "reset") return void request.socket.destroy();
      const reply = typeof fault === "object" ? fault : answerSafely(answer, asked);
      count(requests.byStatus, reply.status);
      return fault === "truncate" ? truncate(response, reply, now()) : send(response, request, reply, now());
    }, () => request.socket.destroy());
  });
  server.keepAliveTimeout = 30_000;

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`, port, requests,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

/** Something that may be asked only so often: a rolling window over the provider's clock. */
export interface RollingWindow {
  /** Takes one, or says in how many milliseconds one is free again. 0: taken. */
  take(): number;
  remaining(): number;
  readonly max: number;
}

export function rollingWindow(max: number, windowMilliseconds: number, now: () => number): RollingWindow {
  let taken: number[] = [];
  const recent = () => (taken = taken.filter((at) => at > now() - windowMilliseconds));
  return {
    max,
    remaining: () => max - recent().length,
    take() {
      if (recent().length >= max) return taken[0]! + windowMilliseconds - now();
      taken.push(now());
      return 0;
    },
  };
}

/** The JSON object of a request's body, or undefined when it is none. */
export function jsonObject(asked: Asked): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(asked.body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

function answerSafely(answer: (asked: Asked) => Reply, asked: Asked): Reply {
  try {
    return answer(asked);
  } catch (thrown) {
    // A bug of the stand-in must look like one, not like a vendor's error.
    return { status: 500, headers: { "x-stand-in-error": "1" }, body: { stand_in: String(thrown) } };
  }
}

/** Undefined when the body is larger than any of these vendors takes. */
async function readRequest(request: IncomingMessage): Promise<Asked | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) return undefined;
    chunks.push(chunk);
  }
  const target = request.url ?? "/";
  const url = new URL(target, "http://stand-in.invalid");
  return { method: request.method ?? "GET", path: decodeURIComponent(url.pathname), query: url.searchParams, target, headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
}

function send(response: ServerResponse, request: IncomingMessage, reply: Reply, now: number): void {
  const { headers, bytes } = render(reply, now);
  if (bytes.length >= GZIP_FROM_BYTES && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) {
    response.writeHead(reply.status, { ...headers, "content-encoding": "gzip", vary: "accept-encoding" }).end(gzipSync(bytes));
  } else {
    response.writeHead(reply.status, { ...headers, "content-length": String(bytes.length) }).end(bytes);
  }
}

/** Announces the whole body and sends half of it: what a dying proxy does. */
function truncate(response: ServerResponse, reply: Reply, now: number): void {
  const { headers, bytes } = render(reply, now);
  response.writeHead(reply.status, { ...headers, "content-length": String(Math.max(bytes.length, 2)) });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
}

function render(reply: Reply, now: number): { headers: Record<string, string>; bytes: Buffer } {
  const text = reply.body === undefined ? "" : typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
  const type = reply.body === undefined ? {} : { "content-type": typeof reply.body === "string" ? "text/plain; charset=utf-8" : "application/json; charset=utf-8" };
  return { headers: { ...type, date: new Date(now).toUTCString(), ...reply.headers }, bytes: Buffer.from(text, "utf8") };
}

function count(counts: Record<string | number, number>, name: string | number): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
