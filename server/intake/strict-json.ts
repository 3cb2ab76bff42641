/**
 * JSON as a stranger sends it. What `JSON.parse` takes and others read differently is refused: a member twice (which one counts?),
 * `__proto__` and its like (whoever copies it may change every object), and nesting that makes others recurse.
 */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

const MAX_DEPTH = 64;
const FORBIDDEN = new Set(["__proto__", "constructor"]);
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws PlugboardError EVENT_BODY */
export function parseStrictly(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw refused("it is not UTF-8");
  }
  // Before it is parsed: what is too deep must not become objects first.
  checkMembers(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refused("it is not JSON", "The provider sends something else than the feed expects.");
  }
}

/** Walks over the text once. What is no JSON at all is left to the parser to tell. */
function checkMembers(text: string): void {
  /** Of each open object the members seen, of each open list nothing. */
  const open: (Set<string> | undefined)[] = [];
  let members: Set<string> | undefined;
  let isKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        if (open.length >= MAX_DEPTH) throw refused(`it is nested deeper than ${MAX_DEPTH} levels`);
        isKey = text.charCodeAt(at) === 0x7b;
        open.push(members = isKey ? new Set() : undefined);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        members = open.at(-1);
        isKey = false;
        break;
      case 0x2c: // ,
        isKey = members !== undefined;
        break;
      case 0x22: { // "
        const begin = at + 1;
        let escaped = false;
        for (at = begin; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) { escaped = true; at++; }
        if (!isKey) break;
        isKey = false;
        addMember(members!, escaped ? unescaped(text.slice(begin, at)) : text.slice(begin, at));
        break;
      }
    }
  }
}

function addMember(members: Set<string>, name: string): void {
  if (FORBIDDEN.has(name)) throw refused(`it has a member '${name}'`);
  if (members.has(name)) throw refused(`it has the member '${name.slice(0, 60)}' twice`);
  members.add(name);
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(`"${quoted}"`) as string;
  } catch {
    return quoted;                                         // the parser will refuse it
  }
}

const refused = (detail: string, suggestion = ""): PlugboardError => new PlugboardError("EVENT_BODY", { detail, suggestion });
