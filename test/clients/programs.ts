/** PostgreSQL's own client programs, from Debian's packages. */
import { execFile, spawnSync } from 'node:child_process';
import type { Endpoint } from './stage.ts';

export type Program = 'psql' | 'pgbench' | 'pg_dump' | 'pg_restore';

/** False or why a test that needs the programs is skipped. In CI a missing program is a failure. */
export function missing(...programs: readonly Program[]): string | false {
  const absent = programs.filter((name) => spawnSync(name, ['--version']).error !== undefined);
  if (absent.length === 0) {
    return false;
  }
  const message = `not installed: ${absent.join(', ')} (Debian: postgresql-client, postgresql-15)`;
  if (process.env['CI'] === 'true') {
    throw new Error(message);
  }
  return message;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** libpq's variables for an endpoint, and nothing else of ours that could change what a program does. */
export function libpqEnvironment(endpoint: Endpoint): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    PGHOST: endpoint.host,
    PGPORT: String(endpoint.port),
    PGUSER: endpoint.user,
    PGPASSWORD: endpoint.password,
    PGDATABASE: endpoint.database,
  };
}

export interface RunOptions {
  readonly input?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs it to its end; a code other than 0 is for the caller to judge. */
export function run(
  program: Program,
  args: readonly string[],
  endpoint: Endpoint,
  { input = '', environment = {} }: RunOptions = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...libpqEnvironment(endpoint), ...environment };
    const options = { env, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') {
        reject(error);
        return;
      }
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    // psql may end before it has read everything.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
