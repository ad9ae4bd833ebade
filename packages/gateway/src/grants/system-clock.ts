import { readFileSync } from 'node:fs';
import type { GrantClock } from './live-grant.ts';

/** How long a reading of /proc/uptime is good for; in between the monotonic clock carries it on. */
const BOOT_READING_MS = 1_000;

/**
 * Wall clock and boot time of this machine. Boot time is CLOCK_BOOTTIME as /proc/uptime tells it, so a suspended
 * machine does not lengthen a grant; where it cannot be read, the monotonic clock alone.
 */
export class SystemClock implements GrantClock {
  #readAt = Number.NEGATIVE_INFINITY;
  #offsetMs = 0;

  wallMs(): number {
    return Date.now();
  }

  bootMs(): number {
    const monotonic = performance.now();
    if (monotonic - this.#readAt > BOOT_READING_MS) {
      this.#readAt = monotonic;
      try {
        const uptimeMs = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
        // Only ever forward: the reading has a resolution of 10 ms.
        if (Number.isFinite(uptimeMs)) this.#offsetMs = Math.max(this.#offsetMs, uptimeMs - monotonic);
      } catch {
        // No /proc: the monotonic clock alone.
      }
    }
    return monotonic + this.#offsetMs;
  }
}
