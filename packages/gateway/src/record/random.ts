/** Random bytes and UUIDs at the price of a copy: the generator is asked for 16 KiB at a time. */

import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(16 * 1024);
let next = pool.length;

/** `length` fresh random bytes; the buffer is the caller's. At most 1 KiB. */
export function randomPooled(length: number): Buffer {
  if (next + length > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const bytes = Buffer.allocUnsafe(length);
  pool.copy(bytes, 0, next, next + length);
  pool.fill(0, next, next + length);
  next += length;
  return bytes;
}

const VARIANT = '89ab';
let stampMs = -1;
let stamp = '';

/** A UUIDv7 (RFC 9562) for the given time. */
export function uuidv7(atMs: number): string {
  if (atMs !== stampMs) {
    stampMs = atMs;
    const hex = atMs.toString(16).padStart(12, '0');
    stamp = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  }
  if (next + 10 > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const random = pool.toString('hex', next, next + 10);
  const variant = VARIANT[pool[next + 9]! & 3]!;
  next += 10;
  return `${stamp}${random.slice(0, 3)}-${variant}${random.slice(3, 6)}-${random.slice(6, 18)}`;
}
