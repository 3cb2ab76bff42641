/** Which tenant a host name belongs to: `acme.example.com` with the domain `example.com`. */
import { findTenantBySubdomain, type Database } from "../../engine/store/index.ts";
import { isSubdomain } from "../../engine/manifest/subdomains.ts";

/** A tenant that is new, or has another address, is found after this long at the latest. */
const KEPT_MILLISECONDS = 5000;
const MOST = 10_000;

/** @param domain of the deployment; absent: no host name says anything. */
export function tenantOfHost(db: Database, domain: string | undefined, now: () => number = Date.now): (host: string) => Promise<string | undefined> {
  const known = new Map<string, { readonly tenant: string | undefined; readonly until: number }>();
  const suffix = domain === undefined ? undefined : `.${domain.toLowerCase().replace(/^\.|\.$/g, "")}`;
  return async (host) => {
    const name = host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
    if (suffix === undefined || !name.endsWith(suffix)) return undefined;
    const subdomain = name.slice(0, -suffix.length);
    if (!isSubdomain(subdomain)) return undefined;
    const found = known.get(subdomain);
    if (found !== undefined && found.until > now()) return found.tenant;
    const tenant = (await findTenantBySubdomain(db, subdomain))?.slug;
    known.delete(subdomain);
    known.set(subdomain, { tenant, until: now() + KEPT_MILLISECONDS });
    if (known.size > MOST) known.delete(known.keys().next().value!);
    return tenant;
  };
}
