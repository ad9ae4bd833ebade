/** `countersign witness` as the process that it is, made with `witness init`, in a temporary folder. */

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseVerifierKey } from 'countersign-verify';
import type { NoteVerifier } from 'countersign-verify';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');
const COMPILE_CACHE = join(tmpdir(), `countersign-compile-cache-${process.getuid?.() ?? 0}`);

/** A log as `witness.yaml` names it. */
export interface LogEntry {
  readonly origin: string;
  readonly keys: readonly string[];
  readonly path?: string;
}

export interface WitnessSettings {
  readonly name?: string;
  readonly logs?: readonly LogEntry[];
  /** Lines put under `listen`, with their indentation of two. */
  readonly listen?: string;
  /** Sections put at the end of the file. */
  readonly more?: string;
}

/** A folder with everything `countersign witness run` needs. */
export class WitnessFolder {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-witness-'));
  readonly name: string;
  readonly #settings: WitnessSettings;
  readonly #home: string;

  constructor(settings: WitnessSettings = {}) {
    this.name = settings.name ?? 'witness.example/w1';
    this.#settings = settings;
    this.#home = join(this.directory, 'witness');
    this.command('init', '--name', this.name, '--listen', '127.0.0.1:0');
    this.setLogs(settings.logs ?? []);
  }

  /** The verifier key as text. */
  get vkey(): string {
    return readFileSync(join(this.#home, 'witness.vkey'), 'utf8').trim();
  }

  get verifier(): NoteVerifier {
    return parseVerifierKey(this.vkey);
  }

  get home(): string {
    return this.#home;
  }

  get state(): string {
    return join(this.#home, 'state');
  }

  setLogs(logs: readonly LogEntry[]): void {
    const lines = [
      'version: 1',
      'state: state',
      'listen:',
      '  address: 127.0.0.1:0',
      this.#settings.listen ?? '',
      'health:',
      '  address: 127.0.0.1:0',
      'keys:',
      `  - {name: ${this.name}, key: file:keys/witness.key}`,
      // JSON is YAML.
      `logs: ${JSON.stringify(logs)}`,
      this.#settings.more ?? '',
    ];
    writeFileSync(join(this.#home, 'witness.yaml'), `${lines.filter((line) => line !== '').join('\n')}\n`);
  }

  /** Runs `countersign witness <command> <folder> …`; throws when it fails. */
  command(command: string, ...options: readonly string[]): string {
    return execFileSync(process.execPath, [MAIN, 'witness', command, this.#home, ...options], {
      encoding: 'utf8',
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  start(): Promise<WitnessProcess> {
    return WitnessProcess.start(this);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

interface Listening {
  readonly witness: string;
  readonly health: string;
}

export class WitnessProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
  readonly healthUrl: string;
  readonly #exited: Promise<unknown>;
  readonly #log: () => string;

  private constructor(
    child: ChildProcess,
    listening: Listening,
    exited: Promise<unknown>,
    log: () => string,
  ) {
    this.child = child;
    this.url = `http://${listening.witness}`;
    this.port = Number(listening.witness.split(':').at(-1));
    this.healthUrl = `http://${listening.health}`;
    this.#exited = exited;
    this.#log = log;
  }

  /** Resolves when logs can submit. Throws with its own log when it stops before. */
  static async start(folder: WitnessFolder): Promise<WitnessProcess> {
    const child = spawn(process.execPath, [MAIN, 'witness', 'run', folder.home, '--json'], {
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const exited = once(child, 'exit');
    const listening = await new Promise<Listening>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('\n'))
          resolve((JSON.parse(output) as { readonly listening: Listening }).listening);
      });
      exited.then(
        () => reject(new Error(`the witness stopped before it listened:\n${log}`)),
        (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
      );
    });
    return new WitnessProcess(child, listening, exited, () => log);
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

  async metrics(): Promise<string> {
    return (await fetch(`${this.healthUrl}/metrics`)).text();
  }
}
