import type { PrincipalQuota } from '../config/config.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { Recorder } from '../record/recorder.ts';
import { FairAdmission } from '../session/fair-admission.ts';

/** What shares turns, commits and quotas between principals. Crossing a quota is put on the record and into the log. */
export function shareAdmission(
  recorder: Recorder,
  quota: () => PrincipalQuota,
  logger: Logger,
): FairAdmission {
  return new FairAdmission({
    recorder,
    quota,
    onOverQuota: (principal, name) => {
      logger.warn('principal over its quota', { principal, reason: name });
      try {
        recorder.append({ type: 'alert', code: 'quota', principal, quota: name }, [], {
          control: true,
          urgency: 'ride',
        });
      } catch (error) {
        logger.error('an alert could not be recorded', errorFields(error));
      }
    },
  });
}
