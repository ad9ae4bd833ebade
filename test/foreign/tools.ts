/** Verifiers that no one here wrote. A missing tool skips its test, but fails it where `CI=true`. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GO = '/usr/bin/go';
const GO_PATH = '/usr/share/gocode';
const SUMDB = `${GO_PATH}/src/golang.org/x/mod/sumdb/note`;

export interface ToolTest {
  /** Why the test cannot run; false when it can. */
  readonly skip: string | false;
}

/** Throws in CI, where every tool must be there. */
export function needTool(isThere: boolean, name: string): ToolTest {
  if (isThere) return { skip: false };
  if (process.env['CI'] === 'true') throw new Error(`${name} is missing, and CI needs it`);
  return { skip: `${name} is not installed` };
}

/** Debian packages `golang-go` and `golang-golang-x-mod-dev`. */
export function needGo(): ToolTest {
  return needTool(existsSync(GO) && existsSync(SUMDB), 'Go with golang.org/x/mod/sumdb');
}

export function needOpenssl(): ToolTest {
  return needTool(spawnSync('openssl', ['version']).status === 0, 'openssl');
}

const built = new Map<string, string>();

/** Builds `<program>/main.go` once per process. Debian's Go and its packages only: no module proxy, no network. */
function buildGo(program: 'go' | 'go-witness'): string {
  const present = built.get(program);
  if (present !== undefined) return present;
  const directory = mkdtempSync(join(tmpdir(), 'countersign-go-'));
  const binary = join(directory, program);
  execFileSync(GO, ['build', '-o', binary, join(import.meta.dirname, program, 'main.go')], {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: directory,
      GO111MODULE: 'off',
      GOPATH: GO_PATH,
      GOCACHE: join(tmpdir(), 'countersign-go-cache'),
      GOTOOLCHAIN: 'local',
    },
  });
  built.set(program, binary);
  return binary;
}

export interface ForeignAnswer {
  readonly isAccepted: boolean;
  readonly output: string;
}

/** What Go's note and tlog packages say of a log. */
export function verifyWithGo(directory: string, vkey: string, earlierFile?: string): ForeignAnswer {
  const args = [directory, vkey, ...(earlierFile === undefined ? [] : [earlierFile])];
  const run = spawnSync(buildGo('go'), args, { encoding: 'utf8' });
  return { isAccepted: run.status === 0, output: `${run.stdout}${run.stderr}` };
}

/** `go-witness/main.go`: a log and a check of cosignatures of Go's own. Does not block: what it talks to may run here. */
export function runGoWitness(...args: readonly string[]): Promise<ForeignAnswer> {
  const child = spawn(buildGo('go-witness'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ isAccepted: status === 0, output }));
  });
}
