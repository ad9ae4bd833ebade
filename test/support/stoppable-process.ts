/** A program of ours as a process of its own, once it listens: its log, and the two ways to end it. */

import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';

export interface StartedProcess<Listening> {
  readonly child: ChildProcess;
  readonly listening: Listening;
  readonly exited: Promise<unknown>;
  readonly log: () => string;
}

/**
 * Waits until `find` knows from the output where the process listens. Rejects with the process's log when it ends before.
 * @param name of the program, for the message.
 * @param find is asked after each piece of output, with everything so far.
 */
export async function untilListening<Listening>(
  child: ChildProcess,
  name: string,
  find: (stdout: string, stderr: string) => Listening | undefined,
): Promise<StartedProcess<Listening>> {
  let output = '';
  let log = '';
  const exited = once(child, 'exit');
  const listening = await new Promise<Listening>((resolve, reject) => {
    const look = (): void => {
      const found = find(output, log);
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      look();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      look();
    });
    exited.then(
      () => reject(new Error(`${name} stopped before it listened:\n${log}`)),
      (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
    );
  });
  return { child, listening, exited, log: () => log };
}

export class StoppableProcess {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #log: () => string;

  constructor({ child, exited, log }: Omit<StartedProcess<unknown>, 'listening'>) {
    this.child = child;
    this.#exited = exited;
    this.#log = log;
  }

  /** Everything it wrote to stderr. */
  get log(): string {
    return this.#log();
  }

  /** SIGKILL: no clean-up of any kind. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM and the end of everything; gives the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.#exited;
    return this.child.exitCode;
  }
}
