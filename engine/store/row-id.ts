import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(16 * 256);
let next = pool.length;
/** Of the last id: its millisecond, and how many there were in it. */
let last = 0;
let count = 0;
/** What fits where the count stands. */
const MOST = 0xfff;

/**
 * A UUID that grows with time (RFC 9562 §5.7, version 7, §6.2 method 1): rows made together lie together, and the smaller id is
 * the older row; of one process also within a millisecond.
 */
export function newRowId(): string {
  const now = Date.now();
  if (now > last) { last = now; count = 0; }
  else if (count === MOST) { last += 1; count = 0; }
  else count += 1;
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const bytes = pool.subarray(next, next += 16);
  bytes.writeUIntBE(last, 0, 6);
  bytes[6] = 0x70 | (count >> 8);
  bytes[7] = count & 0xff;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
