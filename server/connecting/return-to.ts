/** Where a browser is sent after it was at a provider: a path of ours, or for connect links an origin that the operator listed. */

/** A path on this server; undefined for everything that a browser might read as another origin. */
export function ownPath(text: string): string | undefined {
  // eslint-disable-next-line no-control-regex
  if (!/^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(text) || text.length > 500) return undefined;
  const base = "https://plugboard.invalid";
  const url = new URL(text, base);
  return url.origin === base ? `${url.pathname}${url.search}${url.hash}` : undefined;
}

/** An address at one of `origins`, without a sign-in in it. */
export function allowedUrl(text: string, origins: readonly string[]): string | undefined {
  if (text.length > 2000 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return (url.protocol === "https:" || url.protocol === "http:") && url.username === "" && url.password === "" && origins.includes(url.origin) ? url.href : undefined;
}
