/** pg_dump and pg_restore through the gateway: the dump is the same, and what is restored from it is the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { missing, run } from './programs.ts';
import { Stage } from './stage.ts';
import type { Endpoint } from './stage.ts';

/** Newer minor versions frame a plain dump with a random key of `\restrict`. */
const normal = (dump: string): string => dump.replaceAll(/^\\(un)?restrict .*$/gm, '\\$1restrict');

const dump = async (endpoint: Endpoint, ...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run('pg_dump', args, endpoint);
  assert.equal(code, 0, stderr);
  return normal(stdout);
};

describe('pg_dump and pg_restore', { skip: missing('psql', 'pg_dump', 'pg_restore') }, () => {
  let stage: Stage;
  let scratch: string;

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'countersign-dump-'));
    stage = await Stage.start({
      // pg_dump refuses a server newer than itself.
      major: 15,
      setup: [
        'SET ROLE owner',
        `CREATE TYPE mood AS ENUM ('sad', 'ok')`,
        'CREATE TABLE people (id int PRIMARY KEY, name text, mood mood, data bytea, doc jsonb)',
        `INSERT INTO people SELECT n, CASE n % 7 WHEN 0 THEN NULL ELSE E'n\\t' || n END, 'ok', decode(md5(n::text), 'hex'), jsonb_build_object('n', n) FROM generate_series(1, 5000) n`,
        'CREATE TABLE visits (visit bigserial PRIMARY KEY, person int REFERENCES people, at timestamptz)',
        `INSERT INTO visits (person, at) SELECT 1 + n % 5000, timestamptz '2026-01-01' + n * interval '1 min' FROM generate_series(1, 5000) n`,
        'CREATE INDEX ON visits (at)',
        'CREATE VIEW seen AS SELECT name, count(*) FROM people JOIN visits ON person = id GROUP BY 1',
        `CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN $1 * 2; END $$`,
        `SELECT lo_from_bytea(4711, decode(repeat('ab', 5000), 'hex'))`,
      ],
    });
  });

  it('dumps the same text, as COPY and as INSERT', async () => {
    for (const format of [[], ['--inserts', '--rows-per-insert=50']]) {
      const direct = await dump(stage.direct, ...format);
      assert.match(direct, /large object|lo_create/i);
      assert.equal(await dump(stage.gateway, ...format), direct);
    }
  });

  it('restores a custom dump', async () => {
    const expected = await dump(stage.direct);
    const file = join(scratch, 'shop.dump');
    await dump(stage.gateway, '-Fc', '-f', file);
    const restore = ['--clean', '--if-exists', '--exit-on-error', '-d', stage.gateway.database, file];
    const { code, stderr } = await run('pg_restore', restore, stage.gateway);
    assert.equal(code, 0, stderr);
    assert.equal(await dump(stage.direct), expected);
  });

  it('restores a plain dump with psql', async () => {
    const expected = await dump(stage.direct);
    const script = (await run('pg_dump', ['--clean', '--if-exists'], stage.gateway)).stdout;
    const ran = await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1'], stage.gateway, { input: script });
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(await dump(stage.direct), expected);
  });

  it('is on the record, statement by statement', async () => {
    const texts = await stage.finish();
    assert.ok(texts.some((text) => text.startsWith('COPY public.people')));
  });

  after(async () => {
    rmSync(scratch, { recursive: true, force: true });
    await stage.remove();
  });
});
