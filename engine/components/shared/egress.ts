/**
 * Which addresses a request may reach. The rule is an allow list: global unicast, over https. A deny list always forgets a
 * spelling (`::127.0.0.1`, NAT64, 6to4 …); what is no global unicast here is refused, whatever it is.
 * Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (read 2026-11); RFC 4291 §2.4.
 */
import { BlockList, isIP } from "node:net";
import { PlugboardError } from "../../errors/plugboard-error.ts";

/** `true`: private and loopback addresses; a list: these hosts (`localhost`, `127.0.0.1:8080`), whatever their address. */
export type AllowPrivate = boolean | readonly string[];

/** IPv4 that is not global unicast. */
const special4 = blocks("ipv4", [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
  "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]);
/** IPv6 is global unicast inside 2000::/3 … */
const global6 = blocks("ipv6", ["2000::/3"]);
/** … without protocol assignments (Teredo, ORCHID), documentation and 6to4, which can carry a private IPv4 address. */
const special6 = blocks("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);
/** What `allowPrivate: true` means. Link-local stays refused: cloud metadata lives there. */
const private4 = blocks("ipv4", ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]);
const private6 = blocks("ipv6", ["::1/128", "fc00::/7"]);

/** Ports of services that are never an HTTPS API, below 1024 (all but 443) and above. */
const SERVICE_PORTS = new Set([1433, 1521, 2049, 2375, 2379, 3306, 3389, 5432, 5672, 5900, 6379, 6667, 9042, 9092, 11211, 27017]);

export const isGlobalUnicast = (address: string): boolean =>
  isIP(address) === 4 ? !special4.check(address, "ipv4") : isIP(address) === 6 && global6.check(bare(address), "ipv6") && !special6.check(bare(address), "ipv6");

/**
 * What does not need an address yet: scheme, sign-in inside the URL, port.
 * @throws PlugboardError RUN_EGRESS
 */
export function checkUrl(url: URL, allow: AllowPrivate): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") refuse(url.host || url.protocol, `'${url.protocol.slice(0, -1)}' is not http or https`);
  if (url.username !== "" || url.password !== "") refuse(url.host, "a URL may not carry a sign-in", "Use http.auth.");
  if (url.hostname === "") refuse(url.href, "it names no host");
  const port = portOf(url);
  if (!named(url.hostname, port, allow) && !mayBePrivate(allow) && ((port < 1024 && port !== 443 && !(port === 80 && url.protocol === "http:")) || SERVICE_PORTS.has(port))) {
    refuse(url.host, `port ${port} is no port of an https API`);
  }
  const literal = literalOf(url.hostname);
  if (literal !== undefined) checkAddress(literal, url.hostname, port, url.protocol, allow);
}

/**
 * Refuses an address that is neither global unicast over https, nor private and allowed. Called with the very address that is
 * connected to, so that a name that changes its mind between look-up and connection gains nothing.
 * @throws PlugboardError RUN_EGRESS
 */
export function checkAddress(address: string, hostname: string, port: number, protocol: string, allow: AllowPrivate): void {
  if (named(hostname, port, allow)) {
    if (protocol === "http:" && isGlobalUnicast(address)) refuse(hostname, "public hosts are reached over https only");
    return;
  }
  if (isGlobalUnicast(address)) {
    if (protocol !== "https:") refuse(hostname, "public hosts are reached over https only", "Write https:// in base_url.");
    return;
  }
  if (allow === true && isPrivate(address)) return;
  refuse(hostname, address === hostname ? "it is a private or special address" : `its address ${address} is private or special`,
    "An operator may allow it by name: egress.allow_private in workspace.yaml.");
}

/** The port of a URL, the scheme's own when it names none. */
export const portOf = (url: URL): number => (url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port));

/** The IP address that a URL's host is, without brackets; `undefined` for a name. The URL parser has normalised decimal, octal, hex and short forms. */
export function literalOf(hostname: string): string | undefined {
  const text = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(text) === 0 ? undefined : text;
}

const mayBePrivate = (allow: AllowPrivate): boolean => allow === true;
const isPrivate = (address: string): boolean => (isIP(address) === 4 ? private4.check(address, "ipv4") : private6.check(bare(address), "ipv6"));

function named(hostname: string, port: number, allow: AllowPrivate): boolean {
  if (typeof allow === "boolean") return false;
  const host = plain(hostname);
  return allow.some((entry) => plain(entry) === host || plain(entry) === `${host}:${port}`);
}

const plain = (host: string): string => host.toLowerCase().replace(/^\[([^\]]*)\]/, "$1").replace(/\.(?=:\d+$|$)/, "");
/** Without the zone of a link-local address (`fe80::1%eth0`). */
const bare = (address: string): string => address.split("%")[0]!;

function refuse(host: string, detail: string, suggestion = ""): never {
  throw new PlugboardError("RUN_EGRESS", { host, detail, suggestion });
}

function blocks(family: "ipv4" | "ipv6", ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network, prefix] = range.split("/") as [string, string];
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
