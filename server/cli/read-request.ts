/**
 * A raw HTTP request in a file: request line with a full address, or a path and a `Host` header; headers; a blank line; then the
 * body, byte for byte to the end of the file. Lines of the head end in LF or CRLF.
 */
import type { IncomingRequest } from "../../engine/components/kinds.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

/** @throws PlugboardError CLI_USAGE naming the line */
export function parseRequest(bytes: Buffer, file: string): IncomingRequest {
  const blank = /\r?\n\r?\n/.exec(bytes.toString("latin1"));
  const head = bytes.subarray(0, blank?.index ?? bytes.length).toString("latin1").replace(/^\u00ef\u00bb\u00bf/, "");
  const body = blank === null ? Buffer.alloc(0) : bytes.subarray(blank.index + blank[0].length);
  const [first = "", ...lines] = head.replace(/\r?\n$/, "").split(/\r?\n/);
  const [, method, target] = /^([A-Za-z]+) (\S+)(?: HTTP\/[0-9.]+)?\s*$/.exec(first) ?? [];
  if (method === undefined || target === undefined) throw usage(`${file}:1 is no request line.`, "For example: POST /webhooks/crm HTTP/1.1");
  const headers: Record<string, string> = {};
  lines.forEach((line, index) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw usage(`${file}:${index + 2} is no header.`, "A header is `Name: value`; a blank line ends them.");
    const key = name.toLowerCase();
    // As the intake gives them to a verifier: Latin-1, and joined where one came twice.
    headers[key] = Object.hasOwn(headers, key) ? `${headers[key]!}, ${value!}` : value!;
  });
  if (!/^https?:\/\//i.test(target) && (!target.startsWith("/") || headers["host"] === undefined)) throw usage(`${file}: the address the request was sent to is not complete.`, "Write a full URL in the request line, or a path there and a Host header.");
  return { method: method.toUpperCase(), url: target.startsWith("/") ? `https://${headers["host"]!}${target}` : target, headers, body };
}

const usage = (detail: string, suggestion: string): PlugboardError => new PlugboardError("CLI_USAGE", { detail, suggestion });
