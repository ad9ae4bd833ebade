/**
 * Loaded with `--import` into a gateway of the benchmark: puts `no-inspection.ts` in the place of the analysis of
 * statements, so that its cost can be seen. A hook of the module loader, so that the product needs no switch for it.
 */

import { registerHooks } from 'node:module';

const REPLACED = '/packages/gateway/src/postgres/analysis/read-statement.ts';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    if (!resolved.url.endsWith(REPLACED)) return resolved;
    return { ...resolved, url: new URL('./no-inspection.ts', import.meta.url).href };
  },
});
