import type { PageToken } from "../kinds.ts";

/** Page token of a link: absolute, resolved against the address that answered; `undefined` for a falsy link, which ends the stream. */
export function nextUrl(link: unknown, base: string): { readonly url: string } | undefined {
  if (typeof link !== "string" || link === "") return undefined;
  return { url: URL.canParse(link, base) ? new URL(link, base).href : link };
}

/** The variable `page.url` of a token that is a link; the first page has none. */
export const urlOf = (token: PageToken): { readonly url?: string } => (typeof token["url"] === "string" ? { url: token["url"] } : {});
