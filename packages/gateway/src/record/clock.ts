import { readFileSync } from 'node:fs';

/** The clocks of the record. Injected, so that a test can step them. */
export interface Clock {
  /** Wall clock, µs since the epoch (UTC). */
  atUs(): number;
  /** Monotonic clock since boot, µs. */
  monoUs(): number;
  /** Time since boot that counts a machine's sleep, µs, where the system tells it; in steps of 10 ms. */
  bootUs?(): number | undefined;
  /** Monotonic ms for deadlines. */
  nowMs(): number;
  /** Where the time comes from, for the context leaf. */
  readonly source: string;
}

/** A wall clock that runs away from the monotonic one by more than this was stepped, and is read anew. */
const STEP_US = 1000;

function monoUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.trunc(nanoseconds / 1000);
}

function bootUs(): number | undefined {
  try {
    const seconds = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
    return Number.isFinite(seconds) ? seconds * 1_000_000 : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The system's clocks. `Date.now` has only ms: µs come from the monotonic clock on top of it, corrected as soon as the
 * two disagree by more than 1 ms.
 */
export function createSystemClock(): Clock {
  let base = 0;
  return {
    source: 'system',
    monoUs,
    bootUs,
    nowMs: () => performance.now(),
    atUs: () => {
      const mono = monoUs();
      const wall = Date.now() * 1000;
      const at = base + mono;
      if (at < wall - STEP_US || at > wall + 2 * STEP_US) {
        base = wall - mono;
        return wall;
      }
      return at;
    },
  };
}
