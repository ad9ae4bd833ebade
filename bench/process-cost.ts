/** What a process has cost so far, as Linux counts it. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

export interface ProcessCost {
  /** CPU time of all its threads, user and system, µs. Resolution: one clock tick (10 ms on most machines). */
  readonly cpuUs: number;
  /** Largest resident set since the start, or since `resetPeakRss`. */
  readonly peakRssBytes: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU of the whole process (proc(5), `stat` fields 14 and 15) and its peak resident set (`status`, VmHWM). */
export function readProcessCost(pid: number): ProcessCost {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command name may hold spaces and parentheses: fields count from behind its last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(status);
  return { cpuUs: (ticks * 1_000_000) / ticksPerSecond, peakRssBytes: Number(peak?.[1] ?? 0) * 1024 };
}

/** Time that the main thread of a process has had a CPU, µs (`task/<pid>/schedstat`); 0 where the kernel does not count it. */
export function readMainThreadUs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000;
  } catch {
    return 0;
  }
}

/** Sets the peak resident set back to the present one (proc(5), `clear_refs` 5). False where that is not permitted. */
export function resetPeakRss(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}
