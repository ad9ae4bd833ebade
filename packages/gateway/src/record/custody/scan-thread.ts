import { Worker } from 'node:worker_threads';
import { CountersignError } from '../../errors.ts';
import type { ScanOptions, ScanResult } from './scan-protocol.ts';
import type { ScanAnswer } from './scan-worker.ts';

/** Reads the log on a thread of its own. Throws `CS_RECORD_CORRUPT` when it is not what its key signed, `CS_LOG_UNREADABLE`. */
export async function scanInThread(options: ScanOptions): Promise<ScanResult> {
  const file = import.meta.url.endsWith('.ts') ? './scan-worker.ts' : './scan-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: options });
  try {
    const answer = await new Promise<ScanAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread that reads the log ended')));
    });
    if ('result' in answer) return answer.result;
    throw new CountersignError(answer.isUnproven ? 'CS_RECORD_CORRUPT' : 'CS_LOG_UNREADABLE', {
      detail: answer.problem,
    });
  } finally {
    await worker.terminate();
  }
}
