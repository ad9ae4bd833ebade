import { CountersignError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { Recorder } from '../record/recorder.ts';

/**
 * Tells the log when the record stops or starts to take commands, when it is taken into the journal only, and when its disk runs low.
 * `onFatal`: it is over.
 */
export function watchRecord(
  recorder: Pick<Recorder, 'onHealthChange'>,
  logger: Logger,
  onFatal: ((error: unknown) => void) | undefined,
): void {
  let last = 'ready';
  let wasLow = false;
  recorder.onHealthChange((health) => {
    const { freeBytes, isFatal, isLow = false, ready, reason, takesCommands = ready } = health;
    if (isLow !== wasLow) {
      if (isLow) logger.warn('the disk of the record runs low', { count: freeBytes });
      else logger.info('the disk of the record has room again', { count: freeBytes });
    }
    const state = ready ? 'ready' : takesCommands ? 'waiting' : 'refusing';
    if (state !== last) {
      const why = { reason: reason ?? 'unknown' };
      if (state === 'ready') logger.info('record ready');
      else if (state === 'refusing') logger.error('record not ready: commands are refused', why);
      else logger.error('record not ready: commands are taken into the journal, but the log waits', why);
    }
    last = state;
    wasLow = isLow;
    if (isFatal === true)
      onFatal?.(new CountersignError('CS_RECORD_FAILED', { detail: reason ?? 'unknown', fatal: true }));
  });
}
