/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/** Reads the log on a thread of its own: a long log must not hold up commands. One question, one answer. */

import { parentPort, workerData } from 'node:worker_threads';
import { scanLog, UnprovenLogError } from './scan-log.ts';
import type { ScanOptions, ScanResult } from './scan-protocol.ts';

export type ScanAnswer =
  | { readonly result: ScanResult }
  | { readonly problem: string; readonly isUnproven: boolean };

async function answer(): Promise<ScanAnswer> {
  try {
    return { result: await scanLog(workerData as ScanOptions) };
  } catch (error) {
    return {
      problem: error instanceof Error ? error.message : String(error),
      isUnproven: error instanceof UnprovenLogError,
    };
  }
}

parentPort!.postMessage(await answer());
