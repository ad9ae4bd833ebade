/** Verifiers of ours and of PostgreSQL's for the same passwords: the oracle for SASLprep. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { makeVerifier, parseVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import { startTestPostgres } from '../support/postgres-server.ts';

const WORDS =
  'pencil pêcheur I\u00adX \u00aa \u2168 \u00ad \u200b\u200b \ufb01 e\u0301 \u1e9b\u0323 한글 ｆｕｌｌ';
const SPACED = [' ', 'a\u0007b', 'a\u00a0b', 'a\u3000b'];
/** Next to a numeral that normalisation would change. */
const FORBIDDEN = '\u0007é 🦊 \u0221 \ue000 \ufeff \u1680 \u0340 \u{e0001} \u0627\u0031';
const BIDIRECTIONAL = '\u0627\u0031\u0627 \u0627a\u0627 \u05d0\u05d1 a\u0627';
/** Every 257th code point: whether the numeral beside it was normalised shows how it was judged. */
const SAMPLES = Array.from({ length: 1100 }, (_, i) => String.fromCodePoint(0x80 + i * 257));

const PASSWORDS: readonly string[] = [
  ...WORDS.split(' '),
  ...SPACED,
  ...FORBIDDEN.split(' ').map((text) => `${text}\u2168`),
  ...BIDIRECTIONAL.split(' '),
  ...SAMPLES.filter((character) => character.isWellFormed()).map((character) => `x${character}\u2168`),
];

test('our verifiers are those of PostgreSQL', async () => {
  const server = await startTestPostgres({ settings: { scram_iterations: '2' } });
  const client = new Client({ connectionString: server.url() });
  try {
    await client.connect();
    await client.query('create role subject');
    for (const password of PASSWORDS) {
      await client.query(`alter role subject password ${client.escapeLiteral(password)}`);
      const { rows } = await client.query<{ text: string }>(
        "select rolpassword as text from pg_authid where rolname = 'subject'",
      );
      const theirs = parseVerifier(rows[0]?.text ?? '');
      assert.ok(theirs, JSON.stringify(password));
      const { iterations, salt } = theirs;
      assert.equal(
        await makeVerifier(password, { iterations, salt }),
        rows[0]?.text,
        JSON.stringify(password),
      );
    }
  } finally {
    await client.end();
    await server.stop();
  }
});
