/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/**
 * The integrator in a thread of its own, so that it delays nobody. One `integrate` at a time; each request has one answer, and a
 * `cosign` may come in between.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { isCountersignError } from '../../errors.ts';
import { createFileLayer } from '../journal/file-layer.ts';
import type { IntegratorAnswer, IntegratorOptions, IntegratorRequest } from './integrator-protocol.ts';
import { Integrator } from './integrator.ts';
import type { CosignRequest } from './kept-cosignatures.ts';

const options = workerData as IntegratorOptions;
const port = parentPort!;
const integrator = new Integrator(options, createFileLayer(options.faults));

function failed(error: unknown): IntegratorAnswer {
  const code = (error as { code?: unknown }).code;
  const detail = isCountersignError(error) ? (error.detail ?? error.message) : String(error);
  return {
    kind: 'failed',
    code: typeof code === 'string' ? code : undefined,
    message: detail,
    isFatal: isCountersignError(error) && error.fatal,
  };
}

/** A cosignature that cannot be written is not a failure of the log. */
function cosign(request: CosignRequest): IntegratorAnswer {
  try {
    return integrator.cosign(request);
  } catch (error) {
    const { code } = error as { code?: unknown };
    return { kind: 'not-kept', message: typeof code === 'string' ? code : 'the checkpoint cannot be read' };
  }
}

async function answer(request: IntegratorRequest): Promise<void> {
  if (request.kind === 'close') {
    integrator.close();
    port.close();
    return;
  }
  if (request.kind === 'cosign') {
    port.postMessage(cosign(request));
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
