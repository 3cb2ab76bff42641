import type { Statement } from "../database.ts";

/** Milliseconds to wait; 0 granted. */
export const takeFromBucket = (bucket: Buffer, max: number, windowMilliseconds: number): Statement => ({
  text: "select take_from_bucket($1, $2, $3)::float8 as wait",
  values: [bucket, max, windowMilliseconds],
});

export const enterBucket = (bucket: Buffer, atOnce: number, seconds: number): Statement => ({
  text: "select enter_bucket($1, $2, $3) as place",
  values: [bucket, atOnce, seconds],
});

export const leaveBucket = (bucket: Buffer, place: string): Statement => ({
  text: "delete from bucket_places where bucket = $1 and place = $2",
  values: [bucket, place],
});

/** Never shortens a block that is there. */
export const blockBucket = (bucket: Buffer, until: Date): Statement => ({
  text: `insert into rate_buckets (bucket, blocked_until) values ($1, $2)
         on conflict (bucket) do update set blocked_until = greatest(rate_buckets.blocked_until, excluded.blocked_until), updated_at = now()`,
  values: [bucket, until],
});
