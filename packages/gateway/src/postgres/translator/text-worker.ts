/** The thread that reads long texts, one at a time. It knows nothing but the text and the settings that are allowed. */
/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { parentPort } from 'node:worker_threads';
import { makeSettingsPolicy } from '../inspect/settings.ts';
import { readStatement, type StatementReading } from './statement-analysis.ts';

export interface TextRequest {
  /** A copy of its own. */
  readonly text: Uint8Array;
  /** `SettingsPolicy.allowed` */
  readonly allowed: readonly string[];
}

export type TextAnswer = StatementReading;

parentPort?.on('message', ({ text, allowed }: TextRequest) => {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  parentPort?.postMessage(readStatement(bytes, makeSettingsPolicy(allowed)) satisfies TextAnswer);
});
