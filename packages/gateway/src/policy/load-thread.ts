import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { CompiledPolicy } from './compile.ts';
import type { PolicyFile } from './policy-folder.ts';
import { PolicyError } from './policy-problem.ts';
import type { PolicyProblem } from './policy-problem.ts';
import { loadedPolicies, loadPolicies } from './policy-set.ts';
import type { LoadedPolicies } from './policy-set.ts';

/** What a worker has read. */
export interface ReadFolder {
  readonly files: readonly PolicyFile[];
  readonly policies: readonly CompiledPolicy[];
  readonly problems: readonly PolicyProblem[];
}

/** Two thousand policies take about two seconds. */
const DEADLINE_MS = 60_000;

/**
 * As `loadPolicies`, with the reading and checking on a thread of its own: it takes a millisecond for each policy, which others' commands should not
 * wait for. The set itself is then prepared here, in a tenth to a third of that.
 *
 * Rejects with {@link PolicyError}, also when the thread fails or takes longer than a minute.
 */
export async function loadPoliciesApart(directory: string | undefined): Promise<LoadedPolicies> {
  if (directory === undefined) return loadPolicies(directory);
  const file = import.meta.url.endsWith('.ts') ? './load-worker.ts' : './load-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: directory });
  try {
    const [read] = (await once(worker, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [
      ReadFolder,
    ];
    return loadedPolicies(read);
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    throw new PolicyError([
      {
        severity: 'error',
        file: directory,
        line: 0,
        column: 0,
        message: 'the policies could not be read through',
      },
    ]);
  } finally {
    await worker.terminate();
  }
}
