/**
 * Guessing is slow: per account and per address, counted in PostgreSQL, so for all servers together. Names are hashed: what
 * somebody typed into the wrong field is not kept. An account that does not exist is slowed like one that does.
 */
import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { countTries, forgiveTries, type Database, type Transaction } from "../../engine/store/index.ts";

/** Tries before the first wait. An address may be an office. */
const PER_ACCOUNT = 5;
const PER_ADDRESS = 30;

/** Before every try. @throws PlugboardError SERVER_TOO_MANY_TRIES */
export async function refuseHaste(db: Database, account: string | undefined, ip: string): Promise<void> {
  const wait = await countTries(db, [...account === undefined ? [] : [{ key: keyOf("account", account), free: PER_ACCOUNT }], { key: keyOf("address", networkOf(ip)), free: PER_ADDRESS }]);
  if (wait !== undefined) throw new PlugboardError("SERVER_TOO_MANY_TRIES", { seconds: wait }, { retryAfterSeconds: wait });
}

/** After a try that was right. */
export const forgive = (tx: Transaction, account: string, ip: string): Promise<unknown> => forgiveTries(tx, keyOf("account", account), keyOf("address", networkOf(ip)));

/** Who has one address of IPv6 has a /64 of them. */
const networkOf = (ip: string): string => !isIPv6(ip) || ip.startsWith("::ffff:") ? ip.replace(/^::ffff:/, "") : new URL(`http://[${ip.split("%")[0]}]`).hostname.slice(1, -1).split("::")[0]!.split(":").slice(0, 4).join(":");

const keyOf = (kind: string, name: string): Buffer => createHash("sha256").update(`plugboard/tries/${kind}/${name}`).digest();
