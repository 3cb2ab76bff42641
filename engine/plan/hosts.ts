/** Where a connector's credential may go. */
import { problemAt, type Report } from "./problems.ts";
import { at, members, plain, text, type Sourced } from "./sourced.ts";

/**
 * `http.hosts` as written; without it, the literal hosts of base_url and of login and token URLs that are written out in full,
 * with the port where one is written. A base_url whose host is a template has no literal host and needs `hosts`.
 */
export function hostsOf(http: Sourced, report: Report): string[] {
  const written = at(http, "hosts");
  if (written?.kind === "list") return written.items.map((host) => String(plain(host)));
  const base = at(http, "base_url");
  const host = literalHost(text(base));
  if (base && host === undefined) report(problemAt(base.source, "MANIFEST_HOSTS", {}));
  return [...new Set([host, ...signInUrls(at(http, "auth")).map(literalHost)].filter((each) => each !== undefined))];
}

/** The host of a full URL, lower case; `undefined` for a path or a host with a template in it. */
function literalHost(url: string | undefined): string | undefined {
  const authority = url?.match(/^https?:\/\/([^/?#]*)/i)?.[1];
  if (!authority || authority.includes("{{")) return undefined;
  return authority.replace(/^.*@/, "").toLowerCase();
}

/** The authorize URL is opened by a person's browser: no credential goes there. */
function signInUrls(auth: Sourced | undefined): string[] {
  const authenticators = at(auth, "by") ? members(auth).map(([, each]) => each) : auth ? [auth] : [];
  return authenticators.flatMap((each) => {
    const login = at(each, "login");
    return [at(each, "token_url"), at(each, "revoke_url"), at(login, "base_url"), ...["get", "post", "put", "patch", "delete"].map((method) => at(login, method))].flatMap((node) => text(node) ?? []);
  });
}
