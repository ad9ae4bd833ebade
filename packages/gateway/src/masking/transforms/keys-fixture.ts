/** Keys for tests: the same in every run. */
import { hkdfSync } from 'node:crypto';
import type { MaskingKeys } from '../keys.ts';

/** @param seed other seeds, other keys */
export function testKeys(seed = 'test'): MaskingKeys {
  const derive = (label: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', seed, '', label, bytes));
  return {
    token: derive('token', 64),
    fpe: derive('fpe', 32),
    redaction: derive('redaction', 32),
    probe: derive('probe', 32),
  };
}
