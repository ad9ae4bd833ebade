/**
 * What masking adds to a statement that was seen before: lineage and judgement are looked up, not made. One session, real catalog, rules and policies, in this
 * process; nothing is recorded.
 */

import { defaultRules } from '../packages/gateway/src/config/masking-section.ts';
import type { MaskingGrant } from '../packages/gateway/src/masking/rules.ts';
import { testKeys } from '../packages/gateway/src/masking/transforms/keys-fixture.ts';
import { makePolicySet } from '../packages/gateway/src/policy/policy-set.ts';
import { MeaningCache } from '../packages/gateway/src/postgres/analysis/meaning-cache.ts';
import { readStatement } from '../packages/gateway/src/postgres/analysis/read-statement.ts';
import type { StatementReading } from '../packages/gateway/src/postgres/analysis/reading.ts';
import type { Catalog } from '../packages/gateway/src/postgres/catalog/catalog.ts';
import { indexClassification } from '../packages/gateway/src/postgres/classify/classification.ts';
import { classifyCatalog } from '../packages/gateway/src/postgres/classify/classify-catalog.ts';
import type { SessionNames } from '../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { Authorizer } from '../packages/gateway/src/session/authorizer.ts';
import { recordedMasking } from '../packages/gateway/src/session/recorded-masking.ts';
import { SessionMasking } from '../packages/gateway/src/session/session-masking.ts';
import { catalogWith } from '../test/support/catalog.ts';
import { grantOf } from '../packages/gateway/src/session/authorization-fixture.ts';

const SCHEMA = `create schema bank;
create table bank.accounts (id int primary key, customer_id int, status text, balance numeric, opened_at timestamptz);
create table bank.customers (id int primary key, name text, ssn text, email text, segment text);
comment on column bank.customers.name is 'countersign:class=name';
comment on column bank.customers.ssn is 'countersign:class=ssn';
comment on column bank.customers.email is 'countersign:class=email';`;

const NAMES: SessionNames = { searchPath: ['bank'], temporary: new Set() };
const WORKING_SET = 512;
const PER_ROUND = 100_000;
const ROUNDS = 9;
const FIRST_SIGHTS = 1_000;

const parameter = (): string => 'open';

/** No two alike, 200 bytes each, as `npm run bench -- decisions` has them. */
const KINDS: Readonly<Record<string, (index: number) => string>> = {
  'touches nothing regulated': (index) =>
    `select a.id, a.status, a.balance, c.segment from bank.accounts a join bank.customers c on c.id = a.customer_id where a.status = 'open' and a.balance > 100.00 and a.id <> ${index} order by a.id limit 25`,
  'two columns masked': (index) =>
    `select a.id, a.status, c.ssn, c.email from bank.accounts a join bank.customers c on c.id = a.customer_id where a.status = 'open' and a.balance > 100.00 and a.id <> ${index} order by a.id limit 25`,
  'two masked, one unmasked, a parameter': (index) =>
    `select a.id, a.status, c.ssn, c.email, c.name from bank.accounts a join bank.customers c on c.id = a.customer_id where a.status = $1 and a.balance > 100.00 and a.id <> ${index} order by a.id limit 25`,
};

const SCOPE = {
  relations: [{ on: [{ schema: 'bank' }], verbs: ['select'] as const, columns: '*' as const }],
  functions: [],
  ddl: [],
  allow: [],
};
const GRANT: MaskingGrant = { unmask: new Set(['name']), writeClasses: new Set(), budgets: new Map() };

export async function statementLines(): Promise<readonly string[]> {
  const catalog = await catalogWith(SCHEMA);
  await initParser();
  const lines = [
    '| statement of 200 bytes | known, without masking | with | added | new, without masking | with | added |',
    '|---|---:|---:|---:|---:|---:|---:|',
  ];
  for (const [what, text] of Object.entries(KINDS)) {
    const { known, knownMasked, fresh, freshMasked } = measureKind(catalog, text);
    const cells = [known, knownMasked, knownMasked - known, fresh, freshMasked, freshMasked - fresh];
    lines.push(`| ${[what, ...cells.map((us) => `${us.toFixed(us < 10 ? 2 : 0)} µs`)].join(' | ')} |`);
  }
  return lines;
}

interface Figures {
  readonly known: number;
  readonly knownMasked: number;
  readonly fresh: number;
  readonly freshMasked: number;
}

function measureKind(catalog: Catalog, textOf: (index: number) => string): Figures {
  const rules = defaultRules();
  const { data } = classifyCatalog(catalog.data, {
    bindings: [],
    origins: ['comments'],
    rules,
  });
  const classification = indexClassification(data);
  const masking = { rules, classification };
  const { digest } = classification;
  const authorization = authorize();
  const session = new SessionMasking(
    {
      rules,
      keys: testKeys(),
      budget: { claim: () => ({ counts: [], exceeds: false, spend: () => undefined }) },
    },
    GRANT,
    authorization,
  );
  const cache = new MeaningCache();
  const texts = Array.from({ length: WORKING_SET }, (_, index) => Buffer.from(textOf(index).padEnd(200)));
  for (const text of texts) {
    cache.add(text, NAMES, catalog.epoch, readStatement(text, catalog, NAMES));
    cache.add(text, NAMES, catalog.epoch, readStatement(text, catalog, NAMES, masking), digest);
  }
  const find = (index: number, of?: string): StatementReading =>
    cache.find(texts[index & (WORKING_SET - 1)]!, NAMES, catalog.epoch, of) ?? missing();
  const plain = (index: number): void => {
    const { meaning } = find(index);
    if (authorization.decide(meaning.demands).decision.effect !== 'permit') missing();
  };
  const masked = (index: number): void => {
    const { meaning, lineage } = find(index, digest);
    if (authorization.decide(meaning.demands).decision.effect !== 'permit') missing();
    const touched = {
      demands: meaning.demands,
      lineage,
      classification: digest,
      parameter,
      parameterCount: 1,
    };
    const verdict = session.verdictOf('select', lineage === undefined ? missing() : { ...touched, lineage });
    if (verdict?.kind !== 'admitted') missing();
    else recordedMasking(verdict.plan, verdict.claim);
  };
  return {
    ...alternately(plain, masked),
    fresh: firstSight((text) => void readStatement(text, catalog, NAMES), textOf, 1_000_000),
    freshMasked: firstSight((text) => void readStatement(text, catalog, NAMES, masking), textOf, 2_000_000),
  };
}

function missing(): never {
  throw new Error('the benchmark does not find, or does not permit, what it measures');
}

function authorize(): ReturnType<Authorizer['authorize']> {
  const text = `@id("all") permit (principal, action, resource);`;
  const { set } = makePolicySet([{ name: 'bench.cedar', path: 'bench.cedar', text }]);
  const grant = grantOf(SCOPE, 'bench');
  const principal = { name: 'agent', kind: 'agent', groups: [] } as const;
  return new Authorizer(() => set).authorize({ principal, grant, database: 'bank' });
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Median of the means of rounds that take turns, µs. */
function alternately(
  plain: (index: number) => void,
  masked: (index: number) => void,
): Pick<Figures, 'known' | 'knownMasked'> {
  const means: { readonly plain: number; readonly masked: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) means.push({ plain: meanOf(plain), masked: meanOf(masked) });
  return {
    known: middle(means.map((mean) => mean.plain)),
    knownMasked: middle(means.map((mean) => mean.masked)),
  };
}

function meanOf(work: (index: number) => void): number {
  const startedAt = process.hrtime.bigint();
  for (let index = 0; index < PER_ROUND; index++) work(index);
  return Number(process.hrtime.bigint() - startedAt) / 1_000 / PER_ROUND;
}

/** Median of single readings, µs. */
function firstSight(work: (text: Buffer) => void, textOf: (index: number) => string, from: number): number {
  const took = Array.from({ length: FIRST_SIGHTS }, (_, index) => {
    const text = Buffer.from(textOf(from + index).padEnd(200));
    const startedAt = process.hrtime.bigint();
    work(text);
    return Number(process.hrtime.bigint() - startedAt) / 1_000;
  });
  const settled = took.slice(FIRST_SIGHTS >> 2);
  return middle(settled);
}
