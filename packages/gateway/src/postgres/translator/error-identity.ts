import { HEADER_BYTES } from '../wire/framer.ts';

const SEVERITY = 0x53; // S
const SEVERITY_PLAIN = 0x56; // V
const SQLSTATE = 0x43; // C

const UNKNOWN = 'XX000';

export interface ErrorIdentity {
  /** `XX000` if the message has none within these bytes, or something else in its place: it goes into the record. */
  readonly sqlstate: string;
  /** FATAL or PANIC: the connection ends after it. */
  readonly isFatal: boolean;
}

/** SQLSTATE and severity of an ErrorResponse, which stand at its beginning; the message may be cut off behind them. */
export function readErrorIdentity(
  buffer: Buffer,
  start: number,
  end: number,
  skip = HEADER_BYTES,
): ErrorIdentity {
  let sqlstate = UNKNOWN;
  let severity = '';
  let isPlain = false;
  for (let at = start + skip; at < end && buffer[at] !== 0;) {
    const field = buffer[at]!;
    const stop = buffer.indexOf(0, at + 1);
    if (stop < 0 || stop >= end) break;
    if (field === SQLSTATE) sqlstate = sqlStateIn(buffer.toString('latin1', at + 1, stop));
    else if (field === SEVERITY_PLAIN || (field === SEVERITY && !isPlain)) {
      severity = buffer.toString('latin1', at + 1, stop);
      isPlain = field === SEVERITY_PLAIN;
    } else break;
    at = stop + 1;
  }
  return { sqlstate, isFatal: severity === 'FATAL' || severity === 'PANIC' };
}

function sqlStateIn(told: string): string {
  return /^[0-9A-Z]{5}$/.test(told) ? told : UNKNOWN;
}
