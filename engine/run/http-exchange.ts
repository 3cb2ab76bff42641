/**
 * Recorded exchanges as text: a request line, headers, a blank line, the body; then a status line and the same again. Several in
 * one file are separated by a line that starts with `###`. A header value or query value `*` matches anything.
 *
 *   POST /v1/people/search HTTP/1.1        (or a full URL; then its host counts too)
 *   content-type: application/json
 *
 *   { "limit": 2 }
 *
 *   HTTP/1.1 200 OK
 *   content-type: application/json
 *
 *   { "items": [] }
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { OutgoingRequest } from "../components/kinds.ts";

export interface RecordedExchange {
  readonly file: string;
  readonly request: { readonly method: string; readonly target: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };
  readonly answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

/** @throws PlugboardError MANIFEST_UNREADABLE naming the line. */
export function parseExchanges(text: string, file: string): RecordedExchange[] {
  const exchanges: RecordedExchange[] = [];
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  for (let at = 0; ;) {
    while (at < lines.length && (lines[at]!.trim() === "" || /^(###|#|\/\/)/.test(lines[at]!))) at++;
    if (at >= lines.length) return exchanges;
    const start = /^([A-Z]+) (\S+)(?: HTTP\/\S+)?\s*$/.exec(lines[at]!);
    if (start === null) throw unreadable(file, at, "a request line such as `GET /v1/people?page=1 HTTP/1.1`");
    const [requestHeaders, afterRequest] = headersFrom(lines, at + 1, file);
    const [requestBody, statusAt] = bodyFrom(lines, afterRequest, (line) => /^HTTP\/\S+ \d{3}/.test(line));
    const status = /^HTTP\/\S+ (\d{3})/.exec(lines[statusAt] ?? "");
    if (status === null) throw unreadable(file, statusAt, "a status line such as `HTTP/1.1 200 OK`");
    const [answerHeaders, afterAnswer] = headersFrom(lines, statusAt + 1, file);
    const [answerBody, end] = bodyFrom(lines, afterAnswer, (line) => line.startsWith("###"));
    exchanges.push({
      file, request: { method: start[1]!, target: start[2]!, headers: requestHeaders, body: requestBody },
      answer: { status: Number(status[1]), headers: answerHeaders, body: answerBody },
    });
    at = end;
  }
}

/** Why a request is not the recorded one, or `undefined` when it is. */
export function difference(recorded: RecordedExchange["request"], request: OutgoingRequest): string | undefined {
  if (recorded.method !== request.method) return `method ${request.method}, recorded ${recorded.method}`;
  const target = new URL(recorded.target, request.url.origin);
  if (target.host !== request.url.host) return `host ${request.url.host}, recorded ${target.host}`;
  if (target.pathname !== request.url.pathname) return `path ${request.url.pathname}, recorded ${target.pathname}`;
  const query = differentQuery(target.searchParams, request.url.searchParams);
  if (query !== undefined) return query;
  for (const [name, value] of Object.entries(recorded.headers)) {
    if (name === "host" || value === "*") continue;
    const sent = request.headers.get(name);
    if (sent !== value) return `header ${name}: ${sent === null ? "absent" : "another value"}, recorded '${value}'`;
  }
  return differentBody(recorded.body, request.body);
}

function differentQuery(recorded: URLSearchParams, sent: URLSearchParams): string | undefined {
  for (const name of new Set([...recorded.keys(), ...sent.keys()])) {
    const [a, b] = [recorded.getAll(name), sent.getAll(name)];
    if (a.length === b.length && a.every((value, index) => value === "*" || value === b[index])) continue;
    return `query ${name}=${b.join(",") || "(absent)"}, recorded ${a.join(",") || "(absent)"}`;
  }
  return undefined;
}

function differentBody(recorded: string, sent: OutgoingRequest["body"]): string | undefined {
  const text = sent === undefined ? "" : typeof sent === "string" ? sent : new TextDecoder().decode(sent);
  const [a, b] = [canonical(recorded), canonical(text)];
  return a === b ? undefined : `body ${b.slice(0, 300) || "(none)"}, recorded ${a.slice(0, 300) || "(none)"}`;
}

/** JSON with sorted keys, so that only meaning counts; other text as it is. */
function canonical(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_key, value: unknown) =>
      (typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value));
  } catch {
    return text.trim();
  }
}

function headersFrom(lines: readonly string[], start: number, file: string): [Record<string, string>, number] {
  const headers: Record<string, string> = {};
  let at = start;
  for (; at < lines.length && lines[at]!.trim() !== ""; at++) {
    const header = /^([^:\s]+):\s*(.*?)\s*$/.exec(lines[at]!);
    if (header === null) {
      // A request without headers and body may be followed by its answer at once.
      if (/^(HTTP\/\S+ \d{3}|###)/.test(lines[at]!)) return [headers, at];
      throw unreadable(file, at, "a header such as `accept: application/json`, or a blank line before the body");
    }
    headers[header[1]!.toLowerCase()] = header[2]!;
  }
  return [headers, at];
}

function bodyFrom(lines: readonly string[], start: number, ends: (line: string) => boolean): [string, number] {
  let at = start;
  while (at < lines.length && !ends(lines[at]!)) at++;
  return [lines.slice(start, at).join("\n").trim(), at];
}

const unreadable = (file: string, at: number, expected: string): PlugboardError =>
  new PlugboardError("MANIFEST_UNREADABLE", { file, detail: `line ${at + 1} should be ${expected}` }, { at: { file, line: at + 1, col: 1 } });
