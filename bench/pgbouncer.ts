/** PgBouncer as a peer: session pooling, everything else as it comes. */

import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from './pgbench.ts';

export interface RunningProxy {
  readonly pid: number;
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** A port that was free a moment ago, for a program that cannot listen on port 0. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until something accepts connections there; throws when `gaveUp` says so or after ten seconds of trying. */
export async function waitForPort(port: number, gaveUp: () => string | undefined): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const reason = gaveUp();
    if (reason !== undefined) throw new Error(reason);
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (accepted) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

function configuration(target: Endpoint, port: number, directory: string): string {
  return `[databases]
* = host=${target.host} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(directory, 'users.txt')}
pool_mode = session
max_client_conn = 200
default_pool_size = 100
ignore_startup_parameters = extra_float_digits
`;
}

/** PgBouncer refuses to run as root: it then gets the uid of `nobody`. */
export async function startPgbouncer(target: Endpoint): Promise<RunningProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-pgbouncer-'));
  const port = await freePort();
  const ini = join(directory, 'pgbouncer.ini');
  const users = join(directory, 'users.txt');
  writeFileSync(ini, configuration(target, port, directory));
  writeFileSync(users, `"${target.user}" "${target.password}"\n`, { mode: 0o600 });
  const identity: { uid?: number; gid?: number } = {};
  if (process.getuid?.() === 0) {
    identity.uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
    identity.gid = Number(execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }));
    for (const path of [directory, ini, users]) chownSync(path, identity.uid, identity.gid);
    chmodSync(directory, 0o700);
  }
  const child = spawn('/usr/sbin/pgbouncer', ['--quiet', ini], {
    ...identity,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const exited = once(child, 'exit');
  await waitForPort(port, () => (child.exitCode === null ? undefined : `pgbouncer stopped: ${complaint}`));
  if (child.pid === undefined) throw new Error('pgbouncer has no pid');
  return {
    pid: child.pid,
    endpoint: { ...target, host: '127.0.0.1', port },
    async stop() {
      child.kill('SIGKILL');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
