import { createRequire } from 'node:module';

import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';

export type CedarEngine = typeof Cedar;

const PACKAGE = '@cedar-policy/cedar-wasm/nodejs';

/**
 * Cedar as WebAssembly, in memory of its own. An instance whose stack overflowed (a policy nested too deeply is enough) fails every later call,
 * so each policy set has one to itself: a set that cannot be loaded never harms the one in force, and the memory of a set goes with the set.
 * The first costs some 50 MiB of a process, mostly compiled code, each further one 2 to 5 MiB and 4 ms.
 */
export function startEngine(): CedarEngine {
  // A require of its own each time: one that is kept would keep every instance alive as its child.
  const load = createRequire(import.meta.url);
  delete load.cache[load.resolve(PACKAGE)];
  const engine = load(PACKAGE) as CedarEngine;
  delete load.cache[load.resolve(PACKAGE)];
  return engine;
}
