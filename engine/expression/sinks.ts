import { ExpressionError } from "./expression-error.ts";
import type { TemplateSink } from "./types.ts";

/** Escapes one inserted value for where the text goes. `first`: nothing stands before it. @throws ExpressionError SINK */
export type Escape = (value: string, first: boolean) => string;

const refuse = (message: string) => new ExpressionError({ code: "SINK", message });

const XML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
const HTML: Readonly<Record<string, string>> = { ...XML, "'": "&#39;" };

/** One segment of a path: a value never adds, removes or climbs a segment. */
const segment: Escape = (value) => {
  if (value === "") throw refuse("An empty value cannot stand in a path.");
  if (value === "." || value === "..") throw refuse(`"${value}" cannot stand in a path: it names another folder.`);
  return encodeURIComponent(value.toWellFormed());
};

export const sinks: Readonly<Record<TemplateSink, Escape>> = {
  text: (value) => value,
  // URLSearchParams escapes the whole member.
  query: (value) => value,
  path: segment,
  // At the very start it is the address itself (`{{config.base_url}}/v2`); behind that, a part of it.
  url: (value, first) => {
    if (!first) return segment(value, false);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (!/^https?:\/\/[^\s\u0000-\u001f\\]+$/i.test(value)) throw refuse("An address must begin with http:// or https:// and hold no spaces.");
    return value;
  },
  // RFC 9110 §5.5: a field value holds no CR, LF or NUL; bytes beyond Latin-1 cannot be sent.
  header: (value) => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000\r\n]/.test(value)) throw refuse("A header cannot hold a line break.");
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[^\u0000-\u00ff]/.test(value)) throw refuse("A header can hold only Latin-1 characters.");
    return value;
  },
  // XML 1.0 §2.2: other control characters may not stand in a document, not even escaped.
  xml: (value) => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(value)) throw refuse("XML cannot hold this control character.");
    return value.replace(/[&<>"']/g, (character) => XML[character] as string);
  },
  sql: (value) => value.replaceAll("'", "''"),
  html: (value) => value.replace(/[&<>"']/g, (character) => HTML[character] as string),
};
