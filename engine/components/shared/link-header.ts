import { PlugboardError } from "../../errors/plugboard-error.ts";

/**
 * Splits a `Link` header into relation → URL reference (as written; may be relative). Relations are lower-case; the first
 * link of a relation wins. Source: RFC 8288 §3 (a target may hold commas and semicolons, `rel` may hold several names).
 * Shape: `<https://a/x?page=2>; rel="next"` → `{ next: "https://a/x?page=2" }`.
 * @throws PlugboardError RUN_NOT_DECODABLE when a `<` has no `>`.
 */
export function parseLinkHeader(value: string, request = "the request"): Record<string, string> {
  const links: Record<string, string> = {};
  let at = 0;
  while ((at = value.indexOf("<", at)) >= 0) {
    const end = value.indexOf(">", at);
    if (end < 0) throw new PlugboardError("RUN_NOT_DECODABLE", { request, expected: "a Link header (RFC 8288)", detail: `'<' at character ${at} has no '>'` });
    const target = value.slice(at + 1, end);
    const [parameters, next] = parametersFrom(value, end + 1);
    for (const name of (parameters["rel"] ?? "").toLowerCase().split(/\s+/)) if (name !== "") links[name] ??= target;
    at = next;
  }
  return links;
}

/** Reads `; name=value` pairs up to the comma that ends the link. The first value of a name counts (RFC 8288 §3.3). */
function parametersFrom(value: string, start: number): [Record<string, string>, number] {
  const parameters: Record<string, string> = {};
  const pair = /\s*;\s*([!#$%&'*+\-.^_`|~\w]+)\s*(?:=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;,"]*)))?/y;
  let at = start;
  for (;;) {
    pair.lastIndex = at;
    const match = pair.exec(value);
    if (match === null) return [parameters, at];
    parameters[match[1]!.toLowerCase()] ??= match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
    at = pair.lastIndex;
  }
}
