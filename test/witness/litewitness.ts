/**
 * litewitness of filippo.io/torchwood, a C2SP witness that no one here wrote: with its key in an ssh-agent and its logs in
 * SQLite, as its own tools put them there. It is not a Debian package:
 *
 *     go install filippo.io/torchwood/cmd/litewitness@v0.9.0     (Go 1.25 or later)
 */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { EMPTY_ROOT } from 'countersign-verify';

import type { ToolTest } from '../foreign/tools.ts';
import type { MemoryLog } from '../support/memory-log.ts';

function findLitewitness(): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), join(homedir(), 'go', 'bin')];
  return places.map((place) => join(place, 'litewitness')).find((path) => existsSync(path));
}

/** Skips also in CI: it comes from the Go module proxy, which not every machine can reach. */
export function needLitewitness(): ToolTest {
  if (findLitewitness() === undefined)
    return { skip: 'litewitness is missing: go install filippo.io/torchwood/cmd/litewitness@v0.9.0' };
  const hasAgent = spawnSync('ssh-agent', ['-h']).error === undefined;
  return { skip: hasAgent ? false : 'ssh-agent is missing: Debian package openssh-client' };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until what a process writes to stderr matches; gives the first group. */
async function output(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match !== null) resolve(match[1] ?? '');
    });
    child.on('exit', () => reject(new Error(`it stopped: ${text}`)));
  });
}

export class Litewitness {
  readonly url: string;
  readonly vkey: string;
  readonly #children: readonly ChildProcess[];
  readonly #directory: string;

  private constructor(url: string, vkey: string, children: readonly ChildProcess[], directory: string) {
    this.url = url;
    this.vkey = vkey;
    this.#children = children;
    this.#directory = directory;
  }

  static async start(name: string, logs: readonly MemoryLog[]): Promise<Litewitness> {
    const directory = mkdtempSync(join(tmpdir(), 'litewitness-'));
    const [key, socket, db] = ['key', 'agent', 'db'].map((file) => join(directory, file));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key!]);
    const fingerprint = execFileSync('ssh-keygen', ['-lf', key!], { encoding: 'utf8' }).split(' ')[1]!;
    const agent = spawn('ssh-agent', ['-D', '-a', socket!], { stdio: ['ignore', 'pipe', 'ignore'] });
    // It says its variables once the socket is there.
    await once(agent.stdout, 'data');
    const env = { ...process.env, SSH_AUTH_SOCK: socket! };
    execFileSync('ssh-add', ['-q', key!], { env });
    addLogs(db!, logs);
    const address = `127.0.0.1:${await freePort()}`;
    const witness = spawn(
      findLitewitness()!,
      ['-name', name, '-db', db!, '-ssh-agent', socket!, '-key', fingerprint, '-listen', address],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const vkey = await output(witness, /vkey=(\S+)/);
    const url = `http://${address}`;
    while (
      !(await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await new Promise(setImmediate);
    return new Litewitness(url, vkey, [witness, agent], directory);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What its `witnessctl add-log` and `add-key` do. */
function addLogs(file: string, logs: readonly MemoryLog[]): void {
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
    CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));`);
  for (const { origin, vkey } of logs) {
    db.prepare('INSERT INTO log VALUES (?, 0, ?)').run(origin, EMPTY_ROOT.toString('base64'));
    db.prepare('INSERT INTO key VALUES (?, ?)').run(origin, vkey);
  }
  db.close();
}
