import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { ColumnAction, ResultPlan } from '../../masking/plan.ts';
import type { CatalogRelation } from '../catalog/catalog.ts';
import type { ColumnDescription } from '../wire/backend/row-description.ts';
import { agreesWithServer, type OriginBasis } from './origin-check.ts';
import { REDACT_UNKNOWN } from './redact-unknown.ts';

const CUSTOMERS = 16_500;
const basis = (letsOut = false): OriginBasis => ({
  catalog: {
    relationByOid: (oid: number) =>
      oid === CUSTOMERS
        ? ({
            schema: 'public',
            name: 'customers',
            columns: [
              { name: 'id', number: 1 },
              { name: 'ssn', number: 2 },
            ],
          } as unknown as CatalogRelation)
        : undefined,
  } as unknown as NonNullable<OriginBasis['catalog']>,
  classification: {
    classOf: (_schema: string, _relation: string, column: string) => (column === 'ssn' ? 'ssn' : undefined),
  } as unknown as NonNullable<OriginBasis['classification']>,
  letsOut: () => letsOut,
});

const described = (tableOid: number, columnNumber: number): ColumnDescription => ({
  name: 'x',
  tableOid,
  columnNumber,
  typeOid: 25,
  typeSize: -1,
  typeModifier: -1,
  format: 0,
});

const PASS: ColumnAction = { kind: 'pass' };
const KEEP: ColumnAction = {
  kind: 'mask',
  transform: { kind: 'keep-last', count: 4 },
  class: 'pan',
  object: 'public.customers.pan',
};

const agrees = (
  action: ColumnAction,
  origin: string | undefined,
  column: ColumnDescription,
  letsOut = false,
): boolean => {
  const plan: ResultPlan = {
    columns: [action],
    origins: [origin],
    otherwise: REDACT_UNKNOWN,
    isFree: action === PASS,
  };
  return agreesWithServer(plan, [column], basis(letsOut));
};

const ID = described(CUSTOMERS, 1);
const SSN = described(CUSTOMERS, 2);
const EXPRESSION = described(0, 0);

test('a column that the server calls another than the plan does', () => {
  assert.equal(agrees(PASS, 'public.customers.id', ID), true);
  assert.equal(agrees(PASS, 'public.customers.id', SSN), false, 'shifted by one');
  assert.equal(agrees(KEEP, 'public.customers.pan', SSN), false, 'the transform of another class');
  assert.equal(agrees(REDACT_UNKNOWN, 'public.customers.id', SSN), true, 'nothing is left of it anyway');
});

test('a regulated column where the plan knows of none', () => {
  assert.equal(agrees(PASS, undefined, SSN), false);
  assert.equal(agrees(PASS, undefined, SSN, true), true, 'the grant lets it out');
  assert.equal(agrees(PASS, undefined, ID), true);
  assert.equal(agrees(KEEP, undefined, SSN), true);
});

test('what the server says nothing of', () => {
  assert.equal(agrees(PASS, 'public.customers.id', EXPRESSION), true);
  assert.equal(agrees(PASS, undefined, EXPRESSION), true);
  assert.equal(agrees(PASS, 'public.customers.id', described(CUSTOMERS, -1)), true, 'a system column');
});

test('a relation or column that the catalog does not have', () => {
  assert.equal(agrees(PASS, 'public.customers.id', described(99_999, 1)), false);
  assert.equal(agrees(PASS, 'pg_temp.mine.id', described(99_999, 1)), true);
  assert.equal(agrees(PASS, 'public.customers.id', described(CUSTOMERS, 9)), false);
});

test('another number of columns, and none known', () => {
  const plan: ResultPlan = { columns: [PASS], origins: [], otherwise: REDACT_UNKNOWN, isFree: true };
  assert.equal(agreesWithServer(plan, [ID, ID], basis()), false);
  const unknown: ResultPlan = { ...plan, columns: 'unknown' };
  assert.equal(agreesWithServer(unknown, [ID, EXPRESSION], basis()), true);
  assert.equal(agreesWithServer(unknown, [ID, SSN], basis()), false);
  assert.equal(agreesWithServer({ ...unknown, isFree: false }, [ID], basis()), false);
});
