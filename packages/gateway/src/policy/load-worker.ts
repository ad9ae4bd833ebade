/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { parentPort, workerData } from 'node:worker_threads';

import { compilePolicies } from './compile.ts';
import type { ReadFolder } from './load-thread.ts';
import { readPolicyFolder } from './policy-folder.ts';

function readFolder(directory: string): ReadFolder {
  const { files, problems } = readPolicyFolder(directory);
  const compiled = compilePolicies(files);
  return { files, policies: compiled.policies, problems: [...problems, ...compiled.problems] };
}

/** Answers once and ends. Started by `load-thread.ts`. */
parentPort?.postMessage(readFolder(workerData as string) satisfies ReadFolder);
