/** `countersign witness` as the process that it is, made with `witness init`, in a temporary folder. */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseVerifierKey } from 'countersign-verify';
import type { NoteVerifier } from 'countersign-verify';
import { StoppableProcess, untilListening, type StartedProcess } from './stoppable-process.ts';

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

export class WitnessProcess extends StoppableProcess {
  readonly port: number;
  readonly url: string;
  readonly healthUrl: string;

  private constructor(started: StartedProcess<Listening>) {
    super(started);
    const { witness, health } = started.listening;
    this.url = `http://${witness}`;
    this.port = Number(witness.split(':').at(-1));
    this.healthUrl = `http://${health}`;
  }

  /** Resolves when logs can submit. Throws with its own log when it stops before. */
  static async start(folder: WitnessFolder): Promise<WitnessProcess> {
    const child = spawn(process.execPath, [MAIN, 'witness', 'run', folder.home, '--json'], {
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = await untilListening(child, 'the witness', (output) =>
      output.includes('\n') ? (JSON.parse(output) as { readonly listening: Listening }).listening : undefined,
    );
    return new WitnessProcess(started);
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.healthUrl}/metrics`)).text();
  }
}
