import { glob } from "./glob.ts";

/**
 * Whether a URL's host is one of the patterns of `http.hosts`: `api.example.com`, `*.example.com`, `localhost:8080`. A pattern
 * without a port takes every port; `*.example.com` does not take `example.com` itself.
 */
export function hostAllowed(url: URL, patterns: readonly string[]): boolean {
  const hostname = url.hostname.toLowerCase().replace(/\.$/, "");
  const host = url.port === "" ? `${hostname}:${url.protocol === "https:" ? 443 : 80}` : `${hostname}:${url.port}`;
  return patterns.some((pattern) => {
    const text = pattern.toLowerCase();
    return glob(text)(/:\d+$/.test(text) ? host : hostname);
  });
}
