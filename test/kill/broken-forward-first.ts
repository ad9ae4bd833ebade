/** The deliberately broken build "forward before the record": see `hasty-recorder.ts`. Nothing but the kill loop starts it. */

import { openRecord } from '../../packages/gateway/src/gateway/open-record.ts';
import { startVariant } from '../support/gateway-variant.ts';
import { makeHasty } from './hasty-recorder.ts';

await startVariant(async (options) =>
  makeHasty(await openRecord({ ...options, faults: { loseUnsynced: true } })),
);
