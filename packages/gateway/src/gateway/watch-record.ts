import { CountersignError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { Recorder } from '../record/recorder.ts';

/** Tells the log when the record stops or starts to take commands, and when its disk runs low. `onFatal`: it is over. */
export function watchRecord(
  recorder: Pick<Recorder, 'onHealthChange'>,
  logger: Logger,
  onFatal: ((error: unknown) => void) | undefined,
): void {
  let wasReady = true;
  let wasLow = false;
  recorder.onHealthChange(({ ready, reason, isFatal, isLow = false, freeBytes }) => {
    if (isLow !== wasLow) {
      if (isLow) logger.warn('the disk of the record runs low', { count: freeBytes });
      else logger.info('the disk of the record has room again', { count: freeBytes });
    }
    if (ready !== wasReady) {
      if (ready) logger.info('record ready');
      else logger.error('record not ready: commands are refused', { reason: reason ?? 'unknown' });
    }
    wasReady = ready;
    wasLow = isLow;
    if (isFatal === true)
      onFatal?.(new CountersignError('CS_RECORD_FAILED', { detail: reason ?? 'unknown', fatal: true }));
  });
}
