/** The command line as a person or script uses it: a process of its own, its exit code and what it printed. */

import assert from 'node:assert/strict';
import { execFile, type ExecFileOptions } from 'node:child_process';
import { join } from 'node:path';

/** `countersign` itself. */
export const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

/** Much longer than any command takes: one that hangs fails its test, not the run. */
const TIMEOUT_MS = 120_000;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs any program to its end. Killed, or not started: code 1 with what there is. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const all = { maxBuffer: 1 << 28, timeout: TIMEOUT_MS, ...options, encoding: 'utf8' } as const;
    execFile(program, args, all, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs `countersign` to its end. */
export function runCountersign(args: readonly string[], options: ExecFileOptions = {}): Promise<Finished> {
  return runProgram(process.execPath, [MAIN, ...args], options);
}

/** What it prints, of a call that must go well. */
export async function mustSucceed(
  args: readonly string[],
  run: (...args: readonly string[]) => Promise<Finished>,
): Promise<string> {
  const { code, stderr, stdout } = await run(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}
