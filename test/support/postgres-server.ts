/** The demo's PostgreSQL launcher, with a choice of the server's major version for the tests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../../examples/bank/postgres-server.ts';
import type { PostgresServer, PostgresServerOptions } from '../../examples/bank/postgres-server.ts';

export { startPostgres } from '../../examples/bank/postgres-server.ts';
export type { PostgresServer, PostgresServerOptions } from '../../examples/bank/postgres-server.ts';

export const POSTGRES_MAJORS = [13, 14, 15, 16, 17, 18] as const;

export type PostgresMajor = (typeof POSTGRES_MAJORS)[number];

export interface TestServerOptions extends PostgresServerOptions {
  /** Default 18. The others come from `test/servers/package.json`; `npm test` installs them. */
  readonly major?: PostgresMajor;
}

/** The `native` folder of that major, or undefined when it is not installed. */
export function binariesOf(major: PostgresMajor): string | undefined {
  const name = `postgres-${major}-${process.arch}`;
  const native = join(import.meta.dirname, '..', 'servers', 'node_modules', name, 'native');
  return existsSync(native) ? native : undefined;
}

/** A throw-away server. Commits do not wait for the disk unless `settings` says otherwise: tests crash us, not it. */
export async function startTestPostgres(options: TestServerOptions = {}): Promise<PostgresServer> {
  const { major = 18, ...rest } = options;
  const settings = { fsync: 'off', shared_buffers: '32MB', ...rest.settings };
  if (major === 18) {
    return await startPostgres({ ...rest, settings });
  }
  const binaries = binariesOf(major);
  if (binaries === undefined) {
    throw new Error(`PostgreSQL ${major} is not installed; run: node scripts/test.mjs --setup`);
  }
  return await startPostgres({ ...rest, binaries, settings });
}
