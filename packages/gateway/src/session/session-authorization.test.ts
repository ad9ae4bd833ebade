import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';

import type { Leaf } from 'countersign-verify';

import { isCountersignError } from '../errors.ts';
import type { LiveGrant } from '../grants/live-grant.ts';
import { errorFields } from '../observe/logger.ts';
import type { Access } from '../policy/access.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { readState, RecordFixture } from '../record/record-fixture.ts';
import type { OpenedRecorder } from '../record/open-recorder.ts';
import {
  accessOf,
  grantOf,
  PERMIT_ALL,
  policiesOf,
  scopeConfig,
  subjectOf,
} from './authorization-fixture.ts';
import { Authorizer } from './authorizer.ts';
import { Denied } from './denied.ts';
import { Session } from './session.ts';
import type { Touched } from './touched.ts';

let fixture: RecordFixture;
let recorder: OpenedRecorder;
let policies: PolicySet;

beforeEach(async () => {
  fixture = new RecordFixture();
  recorder = await fixture.open();
  policies = policiesOf(PERMIT_ALL);
});

afterEach(async () => {
  await recorder.close('test').catch(() => {});
  fixture.remove();
});

const SCOPE = scopeConfig(['bank.accounts: select(id,status)', 'bank.wide_*: select']);

function openSession(grant: LiveGrant = grantOf(SCOPE)): Session {
  const subject = subjectOf(grant);
  return Session.open({
    recorder,
    principal: { name: 'agent', owner: 'Team', kind: 'agent' },
    grant,
    protocol: 'postgres',
    protocolVersion: '3.0',
    channel: { binding: false, method: 'internal' },
    peer: '127.0.0.1 1',
    backend: { pid: 1, serverVersion: '18.1' },
    authorization: new Authorizer(() => policies).authorize(subject),
    role: 'configured',
  });
}

/** Undefined: it was admitted. */
function begin(session: Session, text: string, touched: Touched | undefined): Denied | undefined {
  const statement = session.commit(Buffer.from(text));
  try {
    session
      .begin(
        { kind: 'select', effect: 'read', statement: statement.digest, txn: 'I' },
        [{ field: 'statement', commitment: statement }],
        touched,
      )
      .end({ status: 'ok', bytesUp: 1, bytesDown: 1, durationUs: 1 }, 'ride');
    return undefined;
  } catch (error) {
    if (error instanceof Denied) return error;
    throw error;
  }
}

async function leavesOf(session: Session): Promise<readonly Leaf[]> {
  session.close('client', 1_000, 1_000);
  await recorder.close('test');
  const { findings } = await fixture.verify();
  assert.deepEqual(findings, []);
  return readState(fixture.directory);
}

const of = (leaves: readonly Leaf[], type: string): readonly Leaf[] =>
  leaves.filter((leaf) => leaf.type === type);

function decisionOf(leaf: Leaf | undefined): { readonly policies?: unknown; readonly reasons?: unknown } {
  return (leaf?.['decision'] ?? {}) as object;
}

function contextOf(leaf: Leaf | undefined): number {
  return ((leaf?.['context'] ?? { jseq: -1 }) as { readonly jseq: number }).jseq;
}

const DEMANDS: readonly Access[] = [accessOf('select bank.accounts(id,status)')];
const TEXT = 'SELECT id, status FROM bank.accounts';

test('an intent says what is touched, who permitted it, and cites what it was judged by', async () => {
  const session = openSession();
  const reaches = [accessOf('select bank.base(id)', { via: 'bank.accounts' })];
  assert.equal(
    begin(session, TEXT, { demands: DEMANDS, reaches, fingerprint: '00112233aabbccdd', catalog: 'epoch-1' }),
    undefined,
  );
  const leaves = await leavesOf(session);
  const [intent] = of(leaves, 'call.intent');
  assert.deepEqual(intent?.['objects'], [
    'select bank.accounts(id,status)',
    'select bank.base(id) via bank.accounts',
  ]);
  assert.equal(intent['fingerprint'], '00112233aabbccdd');
  assert.deepEqual(intent['decision'], { effect: 'permit', policies: ['reports', 'all'], reasons: [] });
  const context = of(leaves, 'context').at(-1);
  assert.equal(context?.['analysis'], 'catalog');
  assert.equal(context['policy'], policies.digest);
  assert.equal(context['scope'], session.grant.scope.digest);
  assert.equal(context['catalog'], 'epoch-1');
  assert.equal(context['role'], 'configured');
  assert.equal(contextOf(intent), context.jseq);
});

test('a command of which nobody said what it touches is refused', async () => {
  const session = openSession();
  assert.equal(begin(session, TEXT, undefined)?.error.code, 'CS_STATEMENT_DENIED');
  const [denied] = of(await leavesOf(session), 'call.denied');
  assert.deepEqual(denied?.['decision'], {
    effect: 'forbid',
    policies: ['reports'],
    reasons: ['CS_STATEMENT_DENIED', 'no-demands'],
  });
});

test('what is not covered is refused; the record has no name of it, the client its own', async () => {
  const session = openSession();
  const denied = begin(session, 'SELECT ssn FROM bank.accounts', {
    demands: [accessOf('select bank.accounts(ssn)')],
    fingerprint: '00112233aabbccdd',
  });
  assert.equal(denied?.error.code, 'CS_STATEMENT_DENIED');
  assert.equal(denied.error.sqlState, '42501');
  assert.match(denied.error.told?.detail ?? '', /column ssn of bank\.accounts/);
  // What prints or logs it has nothing of that.
  for (const shown of [
    inspect(denied, { depth: 9, showHidden: true }),
    JSON.stringify(errorFields(denied.error)),
  ]) {
    assert.doesNotMatch(shown, /ssn|accounts/);
  }
  const leaves = await leavesOf(session);
  const [leaf] = of(leaves, 'call.denied');
  assert.deepEqual(leaf?.['decision'], {
    effect: 'forbid',
    policies: ['reports'],
    reasons: ['CS_STATEMENT_DENIED', 'scope'],
  });
  assert.doesNotMatch(JSON.stringify(leaves), /ssn|accounts/);
});

test('what is not there is refused in the same words, although nothing is demanded of it', async () => {
  const session = openSession();
  const there = begin(session, 'SELECT 1 FROM bank.cards', { demands: [accessOf('select bank.cards()')] });
  const gone = begin(session, 'SELECT 1 FROM bank.catsd', {
    demands: [],
    unknownNames: [{ kind: 'relation', written: 'bank.catsd' }],
  });
  assert.equal(gone?.error.code, there?.error.code);
  assert.equal(gone?.error.told?.detail?.replaceAll('catsd', 'cards'), there?.error.told?.detail);
  assert.equal(gone?.error.told?.hint?.replaceAll('catsd', 'cards'), there?.error.told?.hint);
  const [, leaf] = of(await leavesOf(session), 'call.denied');
  assert.deepEqual(decisionOf(leaf).reasons, ['CS_STATEMENT_DENIED', 'unknown-name']);
});

test('other policies count from the next command on, and the calls cite a context that names them', async () => {
  const session = openSession();
  const first = policies.digest;
  assert.equal(begin(session, TEXT, { demands: DEMANDS, catalog: 'epoch-1' }), undefined);
  policies = policiesOf(
    `${PERMIT_ALL} @id("stop") forbid (principal, action == Action::"select", resource);`,
  );
  const second = policies.digest;
  assert.equal(
    begin(session, TEXT, { demands: DEMANDS, catalog: 'epoch-1' })?.error.code,
    'CS_STATEMENT_DENIED',
  );
  policies = policiesOf('');
  const third = policies.digest;
  assert.equal(begin(session, 'BEGIN', { demands: [] })?.error.code, 'CS_CONNECT_DENIED');
  const leaves = await leavesOf(session);
  const digests = new Map(of(leaves, 'context').map((leaf) => [leaf.jseq, leaf['policy']]));
  const cited = (leaf: Leaf | undefined): unknown => digests.get(contextOf(leaf));
  const denials = of(leaves, 'call.denied');
  assert.equal(cited(of(leaves, 'call.intent')[0]), first);
  assert.deepEqual(denials.map(cited), [second, third]);
  assert.deepEqual(decisionOf(denials[0]).policies, ['reports', 'stop']);
});

test('another catalog gets another context, the same one none', async () => {
  const session = openSession();
  for (const catalog of ['e1', 'e1', 'e2', 'e2', 'e1']) {
    assert.equal(begin(session, TEXT, { demands: DEMANDS, catalog }), undefined);
  }
  // What touches no catalog stays with the last one.
  assert.equal(begin(session, 'BEGIN', { demands: [] }), undefined);
  const epochs = of(await leavesOf(session), 'context').map((leaf) => leaf['catalog']);
  assert.deepEqual(epochs, [undefined, 'e1', 'e2', 'e1']);
});

test('no session without a policy that permits it', () => {
  policies = policiesOf('@id("read") permit (principal, action == Action::"select", resource);');
  assert.throws(
    () => openSession(),
    (error) => error instanceof Denied && isCountersignError(error.error, 'CS_CONNECT_DENIED'),
  );
});

test('objects that a leaf has no room for are sealed in full', async () => {
  const grant = grantOf(scopeConfig(['*.*: select']));
  const session = openSession(grant);
  const demands = Array.from({ length: 40 }, (_, index) => accessOf(`select bank.t${index}(id)`));
  assert.equal(begin(session, TEXT, { demands }), undefined);
  const [intent] = of(await leavesOf(session), 'call.intent');
  assert.equal(intent?.['objects_more'], 16);
  assert.ok(Array.isArray(intent['objects']) && intent['objects'].length === 24);
  assert.match(JSON.stringify(intent['objects_all']), /^"[A-Za-z0-9_-]{43}"$/);
});
