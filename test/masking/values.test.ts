/** Values of every type from real servers, in both formats: read, masked, and sent back as parameters of their type. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, types } from 'pg';
import type { ColumnAction } from '../../packages/gateway/src/masking/plan.ts';
import type { Transform } from '../../packages/gateway/src/masking/rules.ts';
import { findMasked } from '../../packages/gateway/src/masking/transforms/find-masked.ts';
import { testKeys } from '../../packages/gateway/src/masking/transforms/keys-fixture.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import type { ValueContext } from '../../packages/gateway/src/postgres/mask/value.ts';
import { maskValue } from '../../packages/gateway/src/postgres/mask/values/mask-value.ts';
import {
  parameterElements,
  parameterText,
} from '../../packages/gateway/src/postgres/mask/values/parameter-text.ts';
import { shapeOf } from '../../packages/gateway/src/postgres/mask/values/shape.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres, type PostgresMajor, type PostgresServer } from '../support/postgres-server.ts';
import { SAMPLE_OBJECTS, SAMPLES } from './sample-values.ts';
import { TypedSession } from './typed-session.ts';

const KEYS = testKeys();
const MAJORS: readonly PostgresMajor[] = [15, 18];
const TEXT = 0;
const BINARY = 1;

const TRANSFORMS: readonly Transform[] = [
  { kind: 'redact' },
  { kind: 'null' },
  { kind: 'keep-last', count: 4 },
  { kind: 'email-domain' },
  { kind: 'year' },
  { kind: 'bucket', size: 'month' },
  { kind: 'bucket', size: 1_000 },
  { kind: 'token' },
  { kind: 'fpe' },
  { kind: 'detect' },
];

/** Types that have no binary input, or no input at all: only null may come back. */
const UNREADABLE =
  /cannot accept a value|no binary input|input of anonymous composite types|could not identify/;
/** Elements and fields of a domain: what is sent is right for the type that the domain is of. */
const DOMAIN_CHECK = /violates check constraint "us_ssn_check"/;

interface Sample {
  readonly query: string;
  readonly typeOid: number;
  readonly text: Buffer;
  readonly binary: Buffer;
}

function maskAction(transform: Transform): Exclude<ColumnAction, { kind: 'pass' }> {
  return { kind: 'mask', transform, class: 'ssn', object: 'public.t.c' };
}

for (const major of MAJORS) {
  describe(`values of PostgreSQL ${major}`, () => {
    let server: PostgresServer;
    let session: TypedSession;
    let catalog: Catalog;
    let context: ValueContext;
    const samples: Sample[] = [];

    before(async () => {
      server = await startTestPostgres({ major });
      const client = new Client({ ...server, host: '127.0.0.1', database: 'postgres' });
      await client.connect();
      await client.query(SAMPLE_OBJECTS);
      await client.end();
      catalog = await loadTestCatalog(server);
      context = { keys: KEYS, scope: 'grant-1', catalog };
      session = await TypedSession.connect({ ...server, host: '127.0.0.1', database: 'postgres' });
      await session.query('SELECT setseed(0.5)', TEXT);
      for (const query of SAMPLES) {
        await session.query(`CREATE TEMP TABLE sample AS ${query}`, TEXT).catch(() => {});
        const source = await session.query('SELECT v FROM sample', TEXT).then(
          () => 'SELECT v FROM sample',
          () => query,
        );
        const text = await session.query(source, TEXT);
        const binary = await session.query(source, BINARY);
        for (const [index, [value]] of text.rows.entries()) {
          samples.push({ query, typeOid: text.typeOids[0]!, text: value!, binary: binary.rows[index]![0]! });
        }
        await session.query('DROP TABLE IF EXISTS sample', TEXT);
      }
    });

    after(async () => {
      session?.end();
      await server?.stop();
    });

    it('are read from binary as the text that the server writes', () => {
      const unread = new Set<string>();
      for (const { query, typeOid, text, binary } of samples) {
        const read = parameterText(binary, typeOid, BINARY, catalog);
        if (read === undefined) unread.add(catalog.typeByOid(typeOid)?.name ?? String(typeOid));
        else assert.equal(read, text.toString(), query);
        assert.equal(parameterText(text, typeOid, TEXT, catalog), text.toString());
      }
      const expected = ['_box', 'box', 'circle', 'jsonpath', 'money', 'point', 'regclass', 'tsvector'];
      assert.deepEqual([...unread].filter((name) => name !== 'hstore').sort(), expected);
    });

    it('of arrays are read by element', () => {
      for (const { query, typeOid, text, binary } of samples) {
        if (shapeOf(typeOid, catalog).kind !== 'array') continue;
        const elements = parameterElements(text, typeOid, TEXT, catalog);
        assert.notEqual(elements, undefined, query);
        const read = parameterElements(binary, typeOid, BINARY, catalog);
        if (read !== undefined) assert.deepEqual(read, elements, query);
      }
    });

    it('keep their bytes where nothing is found in them', () => {
      const nothing = {
        find: () => [],
        findInBytes: () => [],
        transformOf: () => ({ kind: 'redact' }) as const,
      };
      for (const { query, typeOid, text, binary } of samples) {
        const detecting = { ...context, detection: nothing };
        assert.equal(maskValue(text, { typeOid, format: TEXT }, { kind: 'detect' }, detecting), text, query);
        assert.equal(
          maskValue(binary, { typeOid, format: BINARY }, { kind: 'detect' }, detecting),
          binary,
          query,
        );
      }
    });

    for (const transform of TRANSFORMS) {
      it(`are accepted back after ${JSON.stringify(transform)}, and say the same in both formats`, async () => {
        for (const { query, typeOid, text, binary } of samples) {
          const action = maskAction(transform);
          const maskedText = maskValue(text, { typeOid, format: TEXT }, action, context);
          const maskedBinary = maskValue(binary, { typeOid, format: BINARY }, action, context);
          assert.notDeepEqual(
            maskedText,
            text.length > 4 && transform.kind !== 'bucket' && transform.kind !== 'year' ? text : undefined,
            query,
          );
          const about = `${query}: ${maskedText?.toString()} ${maskedBinary?.toString('latin1')}`;
          const fromText = await accepted(session, typeOid, TEXT, maskedText, about);
          const fromBinary = await accepted(session, typeOid, BINARY, maskedBinary, about);
          // A record says in binary only what its fields are.
          if (!/record|ROW\(1, 'x'/.test(query)) assert.equal(fromBinary, fromText, about);
          assertParsed(typeOid, maskedText, maskedBinary, about);
        }
      });
    }

    it('are told by their type alone when they are redacted', () => {
      const redactions = new Map<string, string>();
      for (const { typeOid, text, binary } of samples) {
        for (const [format, value] of [text, binary].entries()) {
          const key = `${typeOid}.${format}`;
          const masked = maskValue(value, { typeOid, format }, maskAction({ kind: 'redact' }), context);
          const written = masked?.toString('hex') ?? 'null';
          assert.equal(redactions.get(key) ?? written, written);
          redactions.set(key, written);
          if (masked !== null) assert.equal(findMasked(masked, KEYS)?.kind, 'redaction');
        }
      }
    });

    it('of types that multiply are not taken apart', () => {
      const shapes = [0, 1, 2, 3, 4].map((level) => {
        const { oid } = catalog.type('public', `large_${level}`)!;
        const masked = maskValue(
          Buffer.from('()'),
          { typeOid: oid, format: TEXT },
          maskAction({ kind: 'redact' }),
          context,
        );
        return `${shapeOf(oid, catalog).kind} ${masked === null ? 'null' : 'redacted'}`;
      });
      const whole = 'composite redacted';
      // The last is one of ten values that are not taken apart.
      assert.deepEqual(shapes, [whole, whole, whole, 'record null', 'composite null']);
    });

    it('have the shapes that the catalog of the server tells', () => {
      let arrays = 0;
      for (const type of catalog.data.types) {
        if (type.arrayOf === undefined || type.schema !== 'pg_catalog') continue;
        if (catalog.typeByOid(type.arrayOf)?.kind === 'composite' || type.arrayOf < 16) continue;
        const shape = shapeOf(type.oid, catalog);
        const without = shapeOf(type.oid, undefined);
        if (shape.kind !== 'array') continue;
        arrays += 1;
        assert.equal(shape.elementOid, type.arrayOf, type.name);
        if (without.kind === 'array') assert.deepEqual(without, shape, type.name);
        assert.deepEqual(shape.element, shapeOf(type.arrayOf, catalog), type.name);
      }
      assert.ok(arrays > 60, String(arrays));
    });
  });
}

/** As node-postgres reads rows, in either format. */
function assertParsed(typeOid: number, text: Buffer | null, binary: Buffer | null, about: string): void {
  const parseText = types.getTypeParser(typeOid, 'text') as (text: string) => unknown;
  const parseBinary = types.getTypeParser(typeOid, 'binary') as (bytes: Buffer) => unknown;
  if (text !== null) assert.doesNotThrow(() => parseText(text.toString()), about);
  if (binary !== null) assert.doesNotThrow(() => parseBinary(binary), about);
}

/** What the server reads a value as, in its own text; `null` of null. */
async function accepted(
  session: TypedSession,
  typeOid: number,
  format: number,
  value: Buffer | null,
  about: string,
): Promise<string | null> {
  if (value === null) return null;
  try {
    // `record` and `unknown` are types of results only.
    const answer = await session.query('SELECT $1', TEXT, [{ value, typeOid, format }]);
    return answer.rows[0]![0]!.toString();
  } catch (error) {
    const { message } = error as Error;
    assert.ok(UNREADABLE.test(message) || DOMAIN_CHECK.test(message), `${message} ${about}`);
    return null;
  }
}
