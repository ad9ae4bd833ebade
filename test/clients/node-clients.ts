/** Runs one piece of client code directly and through the gateway; what it saw must be the same. */
import assert from 'node:assert/strict';
import type { Endpoint, Stage } from './stage.ts';

/** What client code reports: any value that `deepEqual` can compare. */
export type Story = (endpoint: Endpoint) => Promise<unknown>;

/** An error as a client sees it, with every field that PostgreSQL may send except where in its source it arose. */
export function seen(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  const { code, detail, hint, position, severity, constraint, table, column, where } = error as Error &
    Record<string, unknown>;
  return {
    message: error.message,
    code,
    detail,
    hint,
    position,
    severity,
    constraint,
    table,
    column,
    where,
  };
}

/** Resolves with what was thrown; a promise that does not reject is a failure. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return seen(error);
  }
  return assert.fail('this was expected to fail');
}

export async function same(stage: Stage, story: Story): Promise<void> {
  const expected = await story(stage.direct);
  assert.deepEqual(await story(stage.gateway), expected);
}

export const ITEMS_SETUP = [
  'SET ROLE owner',
  'CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price numeric, data bytea, at timestamptz)',
  `INSERT INTO items SELECT n, 'item ' || n, n * 1.5, decode(md5(n::text), 'hex'), timestamptz '2026-01-01' + n * interval '1 h' FROM generate_series(1, 500) n`,
  'CREATE TABLE notes (id int, note text)',
] as const;
