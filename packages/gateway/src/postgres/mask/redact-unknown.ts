import { ANY_CLASS } from '../../masking/rules.ts';
import type { MaskingAction } from './tally.ts';

/** For what nothing is known of. */
export const REDACT_UNKNOWN: MaskingAction = {
  kind: 'mask',
  transform: { kind: 'redact' },
  class: ANY_CLASS,
  object: '',
};
