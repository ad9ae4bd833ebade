/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/** The integrator in a thread of its own, so that it delays nobody. One request at a time; each has one answer. */

import { parentPort, workerData } from 'node:worker_threads';
import { isCountersignError } from '../../errors.ts';
import { createFileLayer } from '../journal/file-layer.ts';
import type { IntegratorAnswer, IntegratorOptions, IntegratorRequest } from './integrator-protocol.ts';
import { Integrator } from './integrator.ts';

const options = workerData as IntegratorOptions;
const port = parentPort!;
const integrator = new Integrator(options, createFileLayer(options.faults));

function failed(error: unknown): IntegratorAnswer {
  const code = (error as { code?: unknown }).code;
  const detail = isCountersignError(error) ? `${error.message}: ${error.detail ?? ''}` : String(error);
  return {
    kind: 'failed',
    code: typeof code === 'string' ? code : undefined,
    message: detail,
    isFatal: isCountersignError(error) && error.fatal,
  };
}

async function answer(request: IntegratorRequest): Promise<void> {
  if (request.kind === 'close') {
    integrator.close();
    port.close();
    return;
  }
  try {
    port.postMessage(await integrator.integrate(request));
  } catch (error) {
    port.postMessage(failed(error));
  }
}

port.on('message', (request: IntegratorRequest) => void answer(request));
try {
  port.postMessage({ kind: 'ready', ...(await integrator.load()) } satisfies IntegratorAnswer);
} catch (error) {
  port.postMessage(failed(error));
}
