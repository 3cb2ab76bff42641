/**
 * HTTP over undici: caps, deadlines and the egress guard; no retry. What is connected to is the address that was checked.
 * Redirects are followed by hand, for GET and to the same origin only, so that no credential, custom header or not, crosses.
 */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Agent, buildConnector, errors as undiciErrors } from "undici";
import { PlugboardError } from "../../errors/plugboard-error.ts";
import type { OutgoingRequest, RawAnswer, SendOptions, Transport } from "../kinds.ts";
import { checkAddress, checkUrl, type AllowPrivate } from "../shared/egress.ts";

export interface HttpTransportOptions {
  /** Private addresses that may be reached: none (default), all private ones, or hosts by name (`localhost`, `127.0.0.1:8080`). */
  readonly allowPrivate?: AllowPrivate;
  /** Resolves names; tests give their own. */
  readonly lookup?: Lookup;
  /** PEM of an authority to trust beside the usual ones. */
  readonly ca?: string;
}

export type Lookup = (hostname: string, options: { all: true }, done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

const MAX_REDIRECTS = 5;
const MAX_HEADER_BYTES = 65_536;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const ENCODINGS = { gzip: createGunzip, "x-gzip": createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

export function createTransport(options: HttpTransportOptions = {}): Transport {
  const allow = options.allowPrivate ?? false;
  /** One agent per connect time-out: undici has it on the agent, connectors have their own. */
  const agents = new Map<number, Agent>();

  function agentFor(connectSeconds: number): Agent {
    let agent = agents.get(connectSeconds);
    if (agent === undefined) {
      agent = new Agent({ connect: guardedConnector(connectSeconds, allow, options), maxHeaderSize: MAX_HEADER_BYTES, allowH2: false, keepAliveTimeout: 4_000 });
      agents.set(connectSeconds, agent);
    }
    return agent;
  }

  return {
    async send(request, sending) {
      const total = new AbortController();
      const timer = setTimeout(() => { total.abort(timedOut(request, "total", sending)); }, sending.timeouts.total * 1000);
      const signal = AbortSignal.any([sending.signal, total.signal]);
      try {
        let url = request.url;
        for (let hops = 0; ; hops++) {
          checkUrl(url, allow);
          const answer = await sendOnce(agentFor(sending.timeouts.connect), request, url, sending, signal);
          const location = REDIRECTS.has(answer.status) ? answer.headers["location"] : undefined;
          if (location === undefined) return answer;
          url = redirectTarget(request, url, location, hops);
        }
      } catch (thrown) {
        if (sending.signal.aborted) throw sending.signal.reason;
        if (total.signal.aborted) throw total.signal.reason;
        throw failure(thrown, request, sending);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

/** Connects only to addresses that were checked: names through a look-up that drops the others, literals before connecting. */
function guardedConnector(connectSeconds: number, allow: AllowPrivate, { lookup = systemLookup as Lookup, ca }: HttpTransportOptions): buildConnector.connector {
  const connectors = new Map<string, buildConnector.connector>();
  return (target, callback) => {
    const port = Number(target.port || (target.protocol === "https:" ? 443 : 80));
    const key = `${target.protocol}//${target.hostname}:${port}`;
    let connect = connectors.get(key);
    if (connect === undefined) {
      connect = buildConnector({
        timeout: connectSeconds * 1000, allowH2: false, ...(ca === undefined ? {} : { ca }),
        lookup: (hostname: string, wanted: { all?: boolean }, done: (...result: unknown[]) => void) => {
          lookup(hostname, { all: true }, (error, addresses) => {
            if (error !== null) return done(error);
            try {
              const allowed = permitted(addresses, hostname, port, target.protocol, allow);
              return wanted.all === true ? done(null, allowed) : done(null, allowed[0]!.address, allowed[0]!.family);
            } catch (refused) {
              return done(refused);
            }
          });
        },
      } as buildConnector.BuildOptions);
      connectors.set(key, connect);
    }
    try {
      checkUrl(new URL(`${target.protocol}//${target.host ?? target.hostname}`), allow);
    } catch (refused) {
      callback(refused as Error, null);
      return;
    }
    connect(target, callback);
  };
}

function permitted(addresses: readonly LookupAddress[], hostname: string, port: number, protocol: string, allow: AllowPrivate): LookupAddress[] {
  let refused: unknown;
  const allowed = addresses.filter(({ address }) => {
    try {
      checkAddress(address, hostname, port, protocol, allow);
      return true;
    } catch (thrown) {
      refused = thrown;
      return false;
    }
  });
  if (allowed.length === 0) throw refused ?? new PlugboardError("RUN_EGRESS", { host: hostname, detail: "it has no address", suggestion: "" });
  return allowed;
}

async function sendOnce(agent: Agent, request: OutgoingRequest, url: URL, sending: SendOptions, signal: AbortSignal): Promise<RawAnswer> {
  const headers = Object.fromEntries(request.headers);
  headers["accept-encoding"] ??= "gzip, deflate, br";
  headers["user-agent"] ??= "plugboard";
  const { statusCode, headers: received, body } = await agent.request({
    origin: url.origin, path: `${url.pathname}${url.search}`, method: request.method as "GET", headers, signal,
    headersTimeout: sending.timeouts.headers * 1000, bodyTimeout: sending.timeouts.idle * 1000,
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const answered = flat(received);
  // A redirect's body is nobody's; reading it keeps the connection.
  const bytes = await readBody(body, answered, statusCode, request, sending.maxBodyBytes);
  return { status: statusCode, headers: answered, bytes, url: url.href };
}

/** Reads to the end, through at most one content coding, and stops at the cap while the bytes come in. */
async function readBody(body: Readable, headers: Readonly<Record<string, string>>, status: number, request: OutgoingRequest, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limit) throw new PlugboardError("RUN_BODY_TOO_LARGE", { request: request.label, limit });
      chunks.push(chunk);
    }
  };
  const coding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (coding === "identity" || coding === "" || status === 204 || status === 304) {
    await collect(body);
  } else {
    const decompress = Object.hasOwn(ENCODINGS, coding) ? ENCODINGS[coding as keyof typeof ENCODINGS] : undefined;
    if (decompress === undefined) {
      body.on("error", () => {}).destroy();
      throw new PlugboardError("RUN_NOT_DECODABLE", { request: request.label, expected: "gzip, deflate or br, once", detail: `its content-encoding is '${coding.slice(0, 60)}'` });
    }
    await pipeline(body, decompress(), collect);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}

function redirectTarget(request: OutgoingRequest, from: URL, location: string, hops: number): URL {
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (request.method !== "GET" || target?.origin !== from.origin || hops >= MAX_REDIRECTS) {
    throw new PlugboardError("RUN_REDIRECT", { request: request.label, host: target?.host ?? "an address that is no URL" });
  }
  return target;
}

/** Names the failure without ever repeating a header or a URL's query: they may hold the credential. */
function failure(thrown: unknown, request: OutgoingRequest, sending: SendOptions): unknown {
  const refused = causes(thrown).find((cause) => cause instanceof PlugboardError);
  if (refused !== undefined) return refused;
  if (thrown instanceof undiciErrors.ConnectTimeoutError) return timedOut(request, "connect", sending);
  if (thrown instanceof undiciErrors.HeadersTimeoutError) return timedOut(request, "headers", sending);
  if (thrown instanceof undiciErrors.BodyTimeoutError) return timedOut(request, "idle", sending);
  if (thrown instanceof undiciErrors.InvalidArgumentError) return new PlugboardError("RUN_REQUEST", { where: request.label, detail: "a header or the path holds characters that HTTP does not allow", suggestion: "Look for line breaks in config values." });
  const codes = causes(thrown).map((cause) => (cause as { code?: unknown }).code).filter((code): code is string => typeof code === "string");
  const isCertificate = codes.some((code) => CERTIFICATE.has(code));
  return new PlugboardError("RUN_NETWORK", { request: request.label, detail: explain(codes, request.url.hostname), permanent: isCertificate, unsent: isCertificate || causes(thrown).some(neverConnected), suggestion: "" }, { cause: codes.join(", ") });
}

/** It failed while the host was looked up or connected to: nothing of the request has left. */
const neverConnected = (cause: unknown): boolean => ["connect", "getaddrinfo"].includes(String((cause as { syscall?: unknown }).syscall));

/** Trying again does not mend a certificate. */
const CERTIFICATE = new Set(["CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"]);

function causes(thrown: unknown): unknown[] {
  const found: unknown[] = [];
  for (let error = thrown; error instanceof Error && found.length < 8; error = error.cause) {
    found.push(error);
    if (error instanceof AggregateError) found.push(...error.errors);
  }
  return found;
}

function explain(codes: readonly string[], host: string): string {
  const has = (...names: string[]): boolean => codes.some((code) => names.includes(code));
  if (has("ENOTFOUND")) return `the host name ${host} does not exist`;
  if (has("EAI_AGAIN")) return `the host name ${host} could not be looked up (DNS does not answer)`;
  if (has("ECONNREFUSED")) return `${host} refused the connection`;
  if (has("CERT_HAS_EXPIRED")) return `the certificate of ${host} has expired`;
  if (has("ERR_TLS_CERT_ALTNAME_INVALID")) return `the certificate is for another host than ${host}`;
  if (has("DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY")) return `the certificate of ${host} is not signed by a known authority`;
  if (has("UND_ERR_SOCKET", "ECONNRESET", "EPIPE")) return `${host} closed the connection before the answer was complete`;
  if (has("Z_BUF_ERROR", "Z_DATA_ERROR")) return "the compressed answer is broken or cut short";
  if (has("UND_ERR_HEADERS_OVERFLOW", "HPE_HEADER_OVERFLOW")) return `the answer's headers are larger than ${MAX_HEADER_BYTES} bytes`;
  return codes[0] === undefined ? "the connection failed" : `the connection failed (${codes[0]})`;
}

const timedOut = (request: OutgoingRequest, limit: keyof SendOptions["timeouts"], { timeouts }: SendOptions): PlugboardError =>
  new PlugboardError("RUN_TIMEOUT", { request: request.label, limit, seconds: timeouts[limit], unsent: limit === "connect" });

function flat(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const one: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) one[name.toLowerCase()] = typeof value === "string" ? value : value.join(", ");
  return one;
}
