import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import type { Leaf } from 'countersign-verify';

import { CountersignError } from '../errors.ts';
import { LiveGrant } from '../grants/live-grant.ts';
import { SystemClock } from '../grants/system-clock.ts';
import {
  derived,
  direct,
  lineageOf,
  maskingGrant,
  MemoryBudget,
  rulesOf,
  sourcesOf,
} from '../masking/judge-fixture.ts';
import type { Lineage, Probe } from '../masking/lineage.ts';
import type { ProbeAsk, ProbeBudget, ProbeClaim } from '../masking/probe-budget.ts';
import type { MaskingGrant, MaskingRules } from '../masking/rules.ts';
import { redactionText } from '../masking/transforms/transform-text.ts';
import { testKeys } from '../masking/transforms/keys-fixture.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { readState, RecordFixture } from '../record/record-fixture.ts';
import type { OpenedRecorder } from '../record/open-recorder.ts';
import { accessOf, PERMIT_ALL, policiesOf, scopeConfig, subjectOf } from './authorization-fixture.ts';
import { Authorizer } from './authorizer.ts';
import type { Command } from './command.ts';
import { Denied } from './denied.ts';
import { Session } from './session.ts';
import type { Touched } from './touched.ts';

let fixture: RecordFixture;
let recorder: OpenedRecorder;
let policies: PolicySet;
let budget: ProbeBudget;
let rules: MaskingRules;

beforeEach(async () => {
  fixture = new RecordFixture();
  recorder = await fixture.open();
  policies = policiesOf(PERMIT_ALL);
  budget = new MemoryBudget();
  rules = rulesOf();
});

afterEach(async () => {
  await recorder.close('test').catch(() => {});
  fixture.remove();
});

const KEYS = testKeys();
const DEMANDS = [accessOf('select bank.customers(*)')];
const CLASSIFICATION = Buffer.alloc(32, 3).toString('base64url');
const OTHER_VERSION = Buffer.alloc(32, 4).toString('base64url');

function openSession(masking: Partial<MaskingGrant> = {}): Session {
  const grant = new LiveGrant(
    {
      id: 'reports',
      principal: 'agent',
      target: 'bank',
      login: 'app',
      databases: [],
      expiresAtUs: 4_000_000_000_000_000n,
      scope: scopeConfig(['bank.*: select update insert']),
      masking: maskingGrant(masking),
    },
    new SystemClock(),
  );
  return Session.open({
    recorder,
    principal: { name: 'agent', owner: 'Team', kind: 'agent' },
    grant,
    protocol: 'postgres',
    protocolVersion: '3.0',
    channel: { binding: false, method: 'internal' },
    peer: '127.0.0.1 1',
    backend: { pid: 1, serverVersion: '18.1' },
    authorization: new Authorizer(() => policies).authorize(subjectOf(grant)),
    masking: {
      get rules() {
        return rules;
      },
      keys: KEYS,
      budget,
    },
    role: 'configured',
  });
}

/** @throws Denied */
function begin(session: Session, text: string, touched: Partial<Touched>, kind = 'select'): Command {
  const statement = session.commit(Buffer.from(text));
  return session.begin(
    { kind, effect: 'read', statement: statement.digest, txn: 'I' },
    [{ field: 'statement', commitment: statement }],
    { demands: DEMANDS, classification: CLASSIFICATION, text: () => text, ...touched },
  );
}

const end = (command: Command): unknown =>
  command.end({ status: 'ok', bytesUp: 1, bytesDown: 1, durationUs: 1 }, 'ride');

function deniedBy(session: Session, text: string, touched: Partial<Touched>): CountersignError {
  try {
    begin(session, text, touched);
  } catch (error) {
    if (error instanceof Denied) return error.error;
    throw error;
  }
  return assert.fail('it was admitted');
}

async function leavesOf(session: Session, type: string): Promise<readonly Leaf[]> {
  session.close('client', 1_000, 1_000);
  await recorder.close('test');
  const { findings } = await fixture.verify();
  assert.deepEqual(findings, []);
  return (await readState(fixture.directory)).filter((leaf) => leaf.type === type);
}

function probe(...constants: readonly string[]): Lineage {
  const probes: readonly Probe[] = [
    { sources: sourcesOf('ssn'), kind: 'equality', constants, parameters: [], arrays: [] },
  ];
  return lineageOf({ outputs: [direct()], probes, touched: sourcesOf('ssn') });
}

const TWENTY = new Map([['ssn', { values: 20, period: 'day' }]]) as MaskingGrant['budgets'];

test('a command carries its plan, and the context says by which rules and classes', async () => {
  const session = openSession();
  const command = begin(session, 'SELECT ssn FROM bank.customers', {
    lineage: lineageOf({ outputs: [direct('ssn')] }),
  });
  const [column] = command.mask.statements[0]!.result.columns as readonly { readonly kind: string }[];
  assert.equal(column?.kind, 'mask');
  end(command);
  const [intent] = await leavesOf(session, 'call.intent');
  const contexts = (await readState(fixture.directory)).filter((leaf) => leaf.type === 'context');
  const { jseq } = (intent?.['context'] ?? {}) as { readonly jseq: number };
  const cited = contexts.find((leaf) => leaf.jseq === jseq);
  assert.equal(cited?.['masking'], rules.version);
  assert.equal(cited['classification'], CLASSIFICATION);
  assert.equal(intent?.['unmasked'], undefined);
});

test('other rules count from the next command on, and are cited', async () => {
  const session = openSession();
  const lineage = lineageOf({ outputs: [derived('ssn')] });
  end(begin(session, 'SELECT upper(ssn) FROM bank.customers', { lineage }));
  rules = rulesOf(
    { version: OTHER_VERSION },
    { name: 'ssn', transform: { kind: 'redact' }, derived: 'refuse' },
  );
  assert.equal(
    deniedBy(session, 'SELECT upper(ssn) FROM bank.customers', { lineage }).code,
    'CS_MASK_DERIVED',
  );
  const contexts = await leavesOf(session, 'context');
  assert.deepEqual(
    contexts.map((leaf) => leaf['masking']),
    ['A'.repeat(43), 'A'.repeat(43), OTHER_VERSION],
  );
});

test('what the grant lets out is on record with every use', async () => {
  const session = openSession({ unmask: new Set(['ssn']) });
  end(
    begin(session, 'SELECT ssn, email FROM bank.customers', {
      lineage: lineageOf({ outputs: [direct('ssn'), direct('email')] }),
    }),
  );
  const [intent] = await leavesOf(session, 'call.intent');
  assert.deepEqual(intent?.['unmasked'], [{ class: 'ssn', object: 'bank.customers.ssn' }]);
});

test('a class that no policy permits to unmask stays masked; a reload counts from the next command on', () => {
  const forbid =
    '@id("no") forbid (principal, action == Action::"unmask", resource) when { resource.name == "ssn" };';
  policies = policiesOf(`${PERMIT_ALL} ${forbid}`);
  const session = openSession({ unmask: 'all' });
  const lineage = lineageOf({ outputs: [direct('ssn'), direct('email'), direct('?bank.f')] });
  const kinds = (): readonly string[] => {
    const command = begin(session, 'SELECT 1', { lineage });
    end(command);
    const { columns } = command.mask.statements[0]!.result;
    return (columns as readonly { readonly kind: string }[]).map(({ kind }) => kind);
  };
  assert.deepEqual(kinds(), ['mask', 'pass', 'mask']);
  assert.equal(session.letsOutEverything, false);
  policies = policiesOf(PERMIT_ALL);
  assert.deepEqual(kinds(), ['pass', 'pass', 'pass']);
  assert.equal(session.letsOutEverything, true);
});

test('an oracle is refused, in words that name what the caller wrote and nothing else', async () => {
  const session = openSession();
  const text = 'SELECT 1 FROM bank.customers WHERE tax_id > 5';
  const oracles = [{ reason: 'range' as const, sources: sourcesOf('ssn', 'ssn:bank.v.tax_id') }];
  const error = deniedBy(session, text, { lineage: lineageOf({ outputs: [direct()], oracles }) });
  assert.equal(error.code, 'CS_MASK_ORACLE');
  assert.equal(error.sqlState, '42501');
  const detail = error.told?.detail ?? '';
  assert.deepEqual(JSON.parse(detail.split('\n').at(-1) ?? ''), {
    refused: 'CS_MASK_ORACLE',
    grant: 'reports',
    target: 'bank',
    command: 'select',
    reasons: [{ reason: 'range', classes: ['ssn'], columns: ['tax_id'] }],
  });
  assert.doesNotMatch(detail, /customers\.ssn/);
  assert.match(error.told?.hint ?? '', /unmask: \[ssn\]/);
  const [denied] = await leavesOf(session, 'call.denied');
  const { reasons } = (denied?.['decision'] ?? {}) as { readonly reasons: readonly string[] };
  assert.deepEqual(reasons, ['CS_MASK_ORACLE', 'range', 'class:ssn']);
});

test('scope and policies come first: who may not read it is told of no class', () => {
  const session = openSession();
  const error = deniedBy(session, 'SELECT 1', {
    demands: [accessOf('select other.customers(ssn)')],
    lineage: lineageOf({ oracles: [{ reason: 'range', sources: sourcesOf('ssn') }] }),
  });
  assert.equal(error.code, 'CS_STATEMENT_DENIED');
  assert.doesNotMatch(error.told?.hint ?? '', /unmask/);
});

test('probes are on record with what is used of the budget, and refused beyond it', async () => {
  const session = openSession({ budgets: TWENTY });
  end(begin(session, 'SELECT 1', { lineage: probe('1', '2') }));
  end(begin(session, 'SELECT 1', { lineage: probe('2', '3') }));
  const many = Array.from({ length: 18 }, (_, index) => `many ${index}`);
  const error = deniedBy(session, 'SELECT 1', { lineage: probe(...many) });
  assert.equal(error.code, 'CS_MASK_BUDGET');
  assert.match(error.told?.detail ?? '', /18 more, of 20 in a day 3 were asked for/);
  const intents = await leavesOf(session, 'call.intent');
  assert.deepEqual(
    intents.map((leaf) => leaf['probes']),
    [
      [{ class: 'ssn', period: 'day', new: 2, used: 2, budget: 20 }],
      [{ class: 'ssn', period: 'day', new: 1, used: 3, budget: 20 }],
    ],
  );
});

/** Says at once of everything that is spent what `outcome` says. */
class SettledBudget implements ProbeBudget {
  readonly #inner = new MemoryBudget();
  outcome: Error | undefined;

  claim(asks: readonly ProbeAsk[]): ProbeClaim {
    const claim = this.#inner.claim(asks);
    const spend = (): ReturnType<ProbeClaim['spend']> => {
      claim.spend();
      const { outcome } = this;
      return {
        isDurable: outcome === undefined,
        onDurable: (callback) => void setImmediate(() => callback(outcome)),
      };
    };
    return { ...claim, spend };
  }
}

test('a command whose spending does not get to disk is refused, and its intent is voided', async () => {
  const failing = new SettledBudget();
  budget = failing;
  const session = openSession({ budgets: TWENTY });
  failing.outcome = new CountersignError('CS_RECORD_TIMEOUT');
  const refused = begin(session, 'SELECT 1', { lineage: probe('1') });
  await assert.rejects(refused.durable(), { code: 'CS_RECORD_TIMEOUT' });
  assert.equal(refused.isDurable, false);
  failing.outcome = undefined;
  const admitted = begin(session, 'SELECT 1', { lineage: probe('2') });
  await admitted.durable();
  end(admitted);
  const [voided] = await leavesOf(session, 'call.voided');
  assert.equal(voided?.['call'], refused.id);
  assert.equal(voided['reason'], 'CS_RECORD_TIMEOUT');
});

test('a redaction of ours in a constant or a parameter is refused, whatever is granted', () => {
  const session = openSession({ unmask: 'all', writeClasses: 'all' });
  const ours = redactionText('ssn', KEYS);
  const error = deniedBy(session, `UPDATE bank.customers SET ssn = '${ours}'`, {
    lineage: lineageOf({ constants: [ours] }),
  });
  assert.equal(error.code, 'CS_MASK_WRITE_BACK');
  assert.doesNotMatch(error.told?.hint ?? '', /unmask/);
  const parameter = deniedBy(session, 'UPDATE bank.customers SET ssn = $1', {
    lineage: lineageOf({}),
    parameter: () => ours,
    parameterCount: 1,
  });
  assert.equal(parameter.code, 'CS_MASK_WRITE_BACK');
  const lookalike = ours.slice(0, -2) + (ours.at(-2) === '0' ? '1' : '0') + ours.at(-1);
  end(begin(session, 'UPDATE', { lineage: lineageOf({ constants: [lookalike] }) }));
});

test('what is only prepared is judged by its form and counts nothing', () => {
  const session = openSession({ budgets: TWENTY });
  const prepared = begin(session, 'SELECT 1', { lineage: probe('1') }, 'prepare');
  assert.ok(budget instanceof MemoryBudget);
  assert.equal(budget.spent.size, 0);
  end(prepared);
});

test('where columns are classified and no lineage came, everything is redacted', () => {
  const session = openSession();
  const { statements } = begin(session, 'SELECT 1', {}).mask;
  assert.equal(statements[0]?.result.columns, 'unknown');
  assert.equal(statements[0].withholdMessages, true);
  assert.equal(begin(session, 'SELECT 1', {}, 'prepare').mask.isFree, true);
});

test('what was masked is on record, without what was null, and shortened where there is much of it', async () => {
  const session = openSession();
  const lineage = lineageOf({ outputs: [direct('ssn')] });
  const command = begin(session, 'SELECT ssn FROM bank.customers', { lineage });
  const one = { object: 'bank.customers.ssn', class: 'ssn', transform: 'redact' as const, count: 3 };
  const outcome = { status: 'ok' as const, bytesUp: 1, bytesDown: 1, durationUs: 1 };
  command.end({ ...outcome, masked: [one, { ...one, class: 'email', count: 0 }] }, 'ride');
  const wide = begin(session, 'SELECT ssn FROM bank.customers', { lineage });
  const many = Array.from({ length: 60 }, (_, index) => ({
    ...one,
    object: `Bank.customers.c${index} \u0007${'x'.repeat(index === 0 ? 300 : 0)}`,
    count: 2,
  }));
  wide.end({ ...outcome, masked: many }, 'ride');
  const [first, second] = await leavesOf(session, 'call.result');
  assert.deepEqual(first?.['masked'], [one]);
  assert.equal(first['masked_more'], undefined);
  const kept = second?.['masked'] as readonly { readonly object: string; readonly count: number }[];
  assert.ok(kept.length > 5 && kept.length <= 24);
  assert.equal(Number(second?.['masked_more']) + 2 * kept.length, 120);
});

test('without masking nothing is judged and nothing is written', async () => {
  const grant = new LiveGrant(
    {
      id: 'reports',
      principal: 'agent',
      target: 'bank',
      login: 'app',
      databases: [],
      expiresAtUs: 4_000_000_000_000_000n,
      scope: scopeConfig(['bank.*: select']),
    },
    new SystemClock(),
  );
  const session = Session.open({
    recorder,
    principal: { name: 'agent', owner: 'Team', kind: 'agent' },
    grant,
    protocol: 'postgres',
    protocolVersion: '3.0',
    channel: { binding: false, method: 'internal' },
    peer: '127.0.0.1 1',
    backend: { pid: 1, serverVersion: '18.1' },
    authorization: new Authorizer(() => policies).authorize(subjectOf(grant)),
  });
  assert.equal(session.masking, undefined);
  const statement = session.commit(Buffer.from('SELECT 1'));
  const command = session.begin(
    { kind: 'select', effect: 'read', statement: statement.digest, txn: 'I' },
    [{ field: 'statement', commitment: statement }],
    { demands: DEMANDS },
  );
  assert.equal(command.mask.isFree, true);
  end(command);
  for (const leaf of await leavesOf(session, 'context')) assert.equal(leaf['masking'], undefined);
});
