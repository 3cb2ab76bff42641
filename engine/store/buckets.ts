/** Limits of providers, kept by all workers together. */
import { hash } from "node:crypto";
import type { Buckets } from "../components/kinds.ts";
import { alone, type Database, inGlobal } from "./database.ts";
import { blockBucket, enterBucket, leaveBucket, takeFromBucket } from "./sql/buckets.ts";

export const buckets = (db: Database): Buckets => ({
  take: (bucket, { max, every_seconds }) => alone<{ wait: number }>(db, takeFromBucket(nameOf(bucket), max, Math.ceil(every_seconds * 1000))).then(([row]) => row!.wait),
  enter: (bucket, atOnce, seconds) => inGlobal(db, async (tx) => {
    const [row] = await tx.run<{ place: string | null }>(enterBucket(nameOf(bucket), atOnce, seconds));
    return row!.place ?? undefined;
  }),
  leave: (bucket, place) => inGlobal(db, async (tx) => { await tx.run(leaveBucket(nameOf(bucket), place)); }),
  block: (bucket, until) => inGlobal(db, async (tx) => { await tx.run(blockBucket(nameOf(bucket), new Date(until))); }),
});

/** Names hold tenants and accounts; the shared tables hold their hashes. */
const nameOf = (bucket: string): Buffer => hash("sha256", bucket, "buffer");
