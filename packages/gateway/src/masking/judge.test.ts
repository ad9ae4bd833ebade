import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  derived,
  direct,
  intoTemporary,
  lineageOf,
  maskingGrant,
  MemoryBudget,
  REDACT,
  rulesOf,
  sourcesOf,
} from './judge-fixture.ts';
import { MaskingJudge, type JudgedCommand, type Verdict } from './judge.ts';
import {
  FREE_LINEAGE,
  type Lineage,
  type Oracle,
  type OutputColumn,
  type Probe,
  type StatementLineage,
} from './lineage.ts';
import { MaskingSession } from './masking-session.ts';
import { FREE_PLAN, type ColumnAction, type MaskPlan } from './plan.ts';
import { NO_UNMASK, type MaskingGrant, type MaskingRules } from './rules.ts';

const PAN = { name: 'pan', transform: { kind: 'keep-last', count: 4 }, derived: 'refuse' } as const;
const RULES = rulesOf({}, PAN);
const finder = {
  find: (text: string) => (text.includes('[ssn:xr') ? { class: 'ssn' } : undefined),
};

interface Asked extends Partial<Omit<JudgedCommand, 'lineage'>> {
  readonly grant?: Partial<MaskingGrant>;
  readonly rules?: MaskingRules;
}

function judge(lineage: Lineage, { grant, rules = RULES, ...change }: Asked = {}): Verdict {
  const judged = new MaskingJudge({ rules, grant: maskingGrant(grant ?? {}), finder });
  return judged.judge({
    lineage,
    session: new MaskingSession(),
    budget: new MemoryBudget(),
    isExecuted: true,
    ...change,
  });
}

function planOf(verdict: Verdict): MaskPlan {
  assert.equal(verdict.kind, 'admitted', JSON.stringify(verdict));
  return verdict.kind === 'admitted' ? verdict.plan : FREE_PLAN;
}

function columnsOf(verdict: Verdict): readonly ColumnAction[] | 'unknown' {
  return planOf(verdict).statements[0]!.result.columns;
}

/** `CODE reason class,class`, sorted. */
function refusalsOf(verdict: Verdict): readonly string[] {
  if (verdict.kind === 'admitted') return [];
  return verdict.refusals
    .map(({ code, reason, classes }) => `${code.slice('CS_MASK_'.length)} ${reason} ${classes.join(',')}`)
    .toSorted();
}

const select = (...outputs: readonly OutputColumn[]): Lineage => lineageOf({ outputs });

const oracle = (reason: Oracle['reason'], ...sources: readonly string[]): Partial<StatementLineage> => ({
  oracles: [{ reason, sources: sourcesOf(...sources) }],
  touched: sourcesOf(...sources),
});

function probe(change: Partial<Probe>, ...sources: readonly string[]): Partial<StatementLineage> {
  const made: Probe = {
    sources: sourcesOf(...sources),
    kind: 'equality',
    constants: [],
    parameters: [],
    arrays: [],
    ...change,
  };
  return { outputs: [], probes: [made], touched: made.sources };
}

type Destination = StatementLineage['flows'][number]['to'];

const flow = (how: 'direct' | 'derived', to: Destination, ...from: readonly string[]): Lineage =>
  lineageOf({ flows: [{ sources: sourcesOf(...from), how, to }] });

const column = (className?: string): Destination => ({
  kind: 'column',
  object: 'bank.copies.c',
  class: className,
});

const parameter = (number: number): string | undefined => [undefined, '1', '1', '2'][number];
const parameterElements = (): readonly (string | null)[] => ['a', 'b', null, 'a'];

const masked = (
  className: string,
  transform: Extract<ColumnAction, { kind: 'mask' }>['transform'] = REDACT,
  object = `bank.customers.${className}`,
): ColumnAction => ({ kind: 'mask', transform, class: className, object });

const TWENTY = { ssn: { values: 20, period: 'day' } } as const;
const budgets = (of: Readonly<Record<string, { values: number; period: 'day' }>>): MaskingGrant['budgets'] =>
  new Map(Object.entries(of));

test('columns: a class has its transform, an expression is redacted, several classes under the first of them', () => {
  const verdict = judge(
    select(
      direct('pan'),
      derived('ssn'),
      direct(),
      direct('ssn', 'ssn:bank.v.tax'),
      derived('ssn', 'email'),
      direct('?bank.f'),
    ),
  );
  assert.deepEqual(columnsOf(verdict), [
    masked('pan', PAN.transform),
    masked('ssn'),
    { kind: 'pass' },
    masked('ssn', REDACT, 'bank.customers.ssn,bank.v.tax'),
    masked('email', REDACT, 'bank.customers.email,bank.customers.ssn'),
    masked('*', REDACT, 'bank.f'),
  ]);
  const plan = planOf(verdict);
  assert.equal(plan.isFree, false);
  assert.equal(plan.statements[0]!.withholdMessages, true);
  assert.deepEqual(plan.unmasked, []);
});

test('columns: what the grant lets out leaves as it is and is named; the rest of an expression keeps it in', () => {
  const verdict = judge(select(direct('ssn'), derived('ssn', 'email'), derived('ssn')), {
    grant: { unmask: new Set(['ssn']) },
  });
  assert.deepEqual(columnsOf(verdict), [{ kind: 'pass' }, masked('email'), { kind: 'pass' }]);
  assert.deepEqual(planOf(verdict).unmasked, [{ class: 'ssn', object: 'bank.customers.ssn' }]);
});

test('columns: unknown values leave only where everything does', () => {
  const lineage = select(direct('?bank.f'));
  assert.deepEqual(columnsOf(judge(lineage, { grant: { unmask: new Set(['ssn', '*']) } })), [
    masked('*', REDACT, 'bank.f'),
  ]);
  const all = judge(lineage, { grant: { unmask: 'all' } });
  assert.deepEqual(columnsOf(all), [{ kind: 'pass' }]);
  assert.equal(planOf(all).isFree, true);
  assert.deepEqual(planOf(all).unmasked, [{ class: '*', object: 'bank.f' }]);
});

test('columns: an expression over a class that allows none is refused, and the column itself is not', () => {
  assert.deepEqual(refusalsOf(judge(select(derived('pan', 'ssn')))), ['DERIVED derived pan']);
  assert.deepEqual(refusalsOf(judge(select(direct('pan')))), []);
  assert.deepEqual(refusalsOf(judge(select(derived('pan')), { grant: { unmask: new Set(['pan']) } })), []);
});

test('columns: text that no catalog classifies is looked at where detectors are on, and not where all may leave', () => {
  const rules = rulesOf({ detect: 'all' });
  const lineage = select(direct(), direct('ssn'));
  assert.deepEqual(columnsOf(judge(lineage, { rules })), [{ kind: 'detect' }, masked('ssn')]);
  assert.deepEqual(columnsOf(judge(lineage, { rules, grant: { unmask: 'all' } })), [
    { kind: 'pass' },
    { kind: 'pass' },
  ]);
  assert.equal(planOf(judge(select(direct()), { rules })).isFree, false);
});

test('columns: at most eight objects are named, and how many more there are', () => {
  const sources = Array.from({ length: 11 }, (_, index) => `ssn:bank.t.c${index + 10}`);
  const [first] = columnsOf(judge(select(derived(...sources))));
  assert.ok(typeof first === 'object' && first.kind === 'mask');
  assert.match(first.object, /^bank\.t\.c10,.*bank\.t\.c17,\+3$/);
});

test('a free lineage has the free plan, whatever else', () => {
  assert.equal(planOf(judge(FREE_LINEAGE)), FREE_PLAN);
});

test('a class that no rule knows is redacted', () => {
  assert.deepEqual(columnsOf(judge(select(direct('odd')))), [masked('odd')]);
  assert.deepEqual(columnsOf(judge(select(direct('*:bank.t.c')), { grant: { unmask: new Set(['ssn']) } })), [
    masked('*', REDACT, 'bank.t.c'),
  ]);
});

test('rows of which nothing is known are masked as a whole, unless nothing regulated was read', () => {
  const unknown = planOf(judge(lineageOf({ outputs: 'unknown', touched: sourcesOf('ssn') })));
  assert.deepEqual(unknown.statements[0]!.result, {
    columns: 'unknown',
    origins: [],
    otherwise: masked('ssn'),
    isFree: false,
  });
  assert.equal(planOf(judge(lineageOf({ outputs: 'unknown', touched: [] }))).isFree, true);
});

test('cursors and prepared statements are named, so that their rows can be told', () => {
  const [declare, fetch, execute] = planOf(
    judge(
      lineageOf(
        { declares: 'c', cursorOutputs: [direct('ssn')], touched: sourcesOf('ssn') },
        { outputs: { rowsOf: 'c' } },
        { outputs: { resultOf: 'p' } },
      ),
    ),
  ).statements;
  assert.equal(declare!.declares, 'c');
  assert.deepEqual(declare!.cursor?.columns, [masked('ssn')]);
  assert.deepEqual(declare!.result.columns, []);
  assert.equal(fetch!.rowsOf, 'c');
  assert.equal(fetch!.result.isFree, false);
  assert.equal(execute!.resultOf, 'p');
  const free = planOf(judge(lineageOf({ declares: 'c', cursorOutputs: [direct()] })));
  assert.equal(free.isFree, false, 'a cursor that nobody noted would be masked as unknown');
});

test('oracles are refused for what the grant keeps in, all of them at once', () => {
  const both = lineageOf(oracle('range', 'ssn', 'email'), oracle('order', 'ssn'));
  assert.deepEqual(refusalsOf(judge(both)), ['ORACLE order ssn', 'ORACLE range email,ssn']);
  assert.deepEqual(refusalsOf(judge(both, { grant: { unmask: new Set(['ssn']) } })), ['ORACLE range email']);
  assert.deepEqual(refusalsOf(judge(both, { grant: { unmask: new Set(['ssn', 'email']) } })), []);
  assert.deepEqual(refusalsOf(judge(lineageOf(oracle('opaque', '?bank.f')))), ['ORACLE opaque *']);
  assert.deepEqual(
    refusalsOf(judge(lineageOf(oracle('opaque', '?bank.f')), { grant: { unmask: 'all' } })),
    [],
  );
});

test('flows: to a column of the same class as it is, and nowhere else', () => {
  assert.deepEqual(refusalsOf(judge(flow('direct', column('ssn'), 'ssn'))), []);
  assert.deepEqual(refusalsOf(judge(flow('derived', column('ssn'), 'ssn'))), ['FLOW column ssn']);
  assert.deepEqual(refusalsOf(judge(flow('direct', column(), 'ssn'))), ['FLOW column ssn']);
  assert.deepEqual(refusalsOf(judge(flow('direct', column('email'), 'ssn'))), ['FLOW column ssn']);
  assert.deepEqual(refusalsOf(judge(flow('direct', column('ssn'), 'ssn', 'email'))), [
    'FLOW column email,ssn',
  ]);
  assert.deepEqual(refusalsOf(judge(flow('direct', column('*'), '?bank.f'))), ['FLOW column *']);
  const notify = flow('derived', { kind: 'sink', what: 'notification' }, 'ssn');
  assert.deepEqual(refusalsOf(judge(notify)), ['FLOW notification ssn']);
  assert.deepEqual(refusalsOf(judge(notify, { grant: { unmask: new Set(['ssn']) } })), []);
});

test('temporary relations: what went in comes out masked, in the same text and later', () => {
  const session = new MaskingSession();
  const text = lineageOf(
    { flows: [intoTemporary(['pan'], 't', 'number'), intoTemporary([], 't', 'note')] },
    { outputs: [direct('~t.number'), direct('~t.note'), derived('~t.*')] },
  );
  assert.deepEqual(refusalsOf(judge(text, { session })), ['DERIVED derived pan']);
  const later = select(direct('~t.number'), direct('~t.note'));
  assert.deepEqual(columnsOf(judge(later, { session })), [masked('pan', PAN.transform), { kind: 'pass' }]);
  // One that nobody saw being made.
  assert.deepEqual(columnsOf(judge(select(direct('~other.x')), { session })), [
    masked('*', REDACT, 'pg_temp.*'),
  ]);
});

test('temporary relations: what is free beside it makes no expression of a column', () => {
  const session = new MaskingSession();
  session.noteTemporary('t', '*', { sources: [], how: 'derived' });
  judge(lineageOf({ flows: [intoTemporary(['pan'], 't', 'x')] }), { session });
  assert.deepEqual(columnsOf(judge(select(direct('~t.x')), { session })), [masked('pan', PAN.transform)]);
});

test('temporary relations: what the grant let out when it went in is kept in when the grant does not any more', () => {
  const session = new MaskingSession();
  const filled = lineageOf({ flows: [intoTemporary(['ssn'], 't', 'x')] });
  judge(filled, { session, grant: { unmask: new Set(['ssn']) } });
  assert.deepEqual(columnsOf(judge(select(direct('~t.x')), { session })), [masked('ssn')]);
});

test('temporary relations: nothing is noted of what is only prepared', () => {
  const session = new MaskingSession();
  judge(lineageOf({ flows: [intoTemporary([], 't', 'x')] }), { session, isExecuted: false });
  assert.deepEqual(columnsOf(judge(select(direct('~t.x')), { session })), [masked('*', REDACT, 'pg_temp.*')]);
});

test('temporary relations: code that nobody sees may have put anything into any of them', () => {
  const session = new MaskingSession();
  judge(lineageOf({ flows: [intoTemporary([], 't', 'x')] }), { session });
  assert.deepEqual(columnsOf(judge(select(direct('~t.x')), { session })), [{ kind: 'pass' }]);
  judge(lineageOf({ flows: [intoTemporary(['?bank.f'], '*', '*')] }), { session });
  assert.deepEqual(columnsOf(judge(select(direct('~t.x')), { session })), [masked('*', REDACT, 'bank.f')]);
});

const made = (column: string, defines: 'column' | 'strict' | 'view', typeOid?: number): Lineage =>
  lineageOf({
    flows: [
      { sources: [], how: 'derived', to: { kind: 'temporary', relation: 't', column, defines, typeOid } },
    ],
  });

test('temporary relations: they take what cannot fail, and nothing where a definition looks at it', () => {
  const session = new MaskingSession();
  const into = (column: string, typeOid: number, from = ['ssn']): readonly string[] => {
    const to = { kind: 'temporary', relation: 't', column, typeOid } as const;
    return refusalsOf(
      judge(lineageOf({ flows: [{ sources: sourcesOf(...from), how: 'derived', to }] }), { session }),
    );
  };
  judge(made('v', 'column', 25), { session });
  judge(made('short', 'column'), { session });
  assert.deepEqual(into('v', 25), []);
  assert.deepEqual(into('v', 1043), []);
  assert.deepEqual(into('v', 23), ['ORACLE fallible ssn']);
  assert.deepEqual(into('short', 25), ['ORACLE fallible ssn']);
  assert.deepEqual(into('short', 25, []), []);
  assert.deepEqual(into('other', 25), ['ORACLE fallible ssn']);
  judge(made('*', 'strict'), { session });
  assert.deepEqual(into('v', 25), ['ORACLE fallible ssn']);
});

test('temporary relations: nothing is written through a view of what is regulated', () => {
  const session = new MaskingSession();
  const to = { kind: 'temporary', relation: 'w', column: ' behind', defines: 'view' } as const;
  judge(lineageOf({ flows: [{ sources: sourcesOf('ssn'), how: 'derived', to }] }), { session });
  assert.deepEqual(
    refusalsOf(
      judge(
        lineageOf({
          flows: [{ sources: [], how: 'direct', to: { kind: 'temporary', relation: 'w', column: 'id' } }],
        }),
        { session },
      ),
    ),
    ['ORACLE control ssn'],
  );
});

test('temporary relations: a judgement that rests on them is not kept', () => {
  const session = new MaskingSession();
  const judged = new MaskingJudge({ rules: RULES, grant: NO_UNMASK, finder });
  const command = { session, budget: new MemoryBudget(), isExecuted: true };
  const read = select(direct('~t.x'));
  session.noteTemporary('t', 'x', { sources: [], how: 'direct' });
  assert.deepEqual(columnsOf(judged.judge({ ...command, lineage: read })), [{ kind: 'pass' }]);
  judged.judge({ ...command, lineage: lineageOf({ flows: [intoTemporary(['ssn'], 't', 'x')] }) });
  assert.deepEqual(columnsOf(judged.judge({ ...command, lineage: read })), [masked('ssn')]);
});

test('probes: none without a budget, distinct values within it, the same value once', () => {
  const one = lineageOf(probe({ constants: ['1'] }, 'ssn'));
  assert.deepEqual(refusalsOf(judge(one)), ['BUDGET budget ssn']);
  const budget = new MemoryBudget();
  const grant = { budgets: budgets({ ssn: { values: 3, period: 'day' } }) };
  const ask = (...constants: readonly string[]): readonly string[] => {
    const verdict = judge(lineageOf(probe({ constants }, 'ssn')), { grant, budget });
    if (verdict.kind === 'admitted') verdict.claim?.spend();
    return refusalsOf(verdict);
  };
  assert.deepEqual(ask('1', '2', '1'), []);
  assert.deepEqual(ask('2'), []);
  assert.deepEqual(ask('3', '4'), ['BUDGET budget ssn']);
  assert.deepEqual(ask('3'), []);
  assert.deepEqual(ask('1', '2', '3'), []);
  assert.deepEqual(ask('4'), ['BUDGET budget ssn']);
  assert.deepEqual([...budget.spent.get('ssn')!].toSorted(), ['1', '2', '3']);
});

test('probes: a refusal for the budget says how much there is', () => {
  const grant = { budgets: budgets({ ssn: { values: 1, period: 'day' } }) };
  const verdict = judge(lineageOf(probe({ constants: ['1', '2'] }, 'ssn')), { grant });
  assert.ok(verdict.kind === 'refused');
  assert.deepEqual(verdict.refusals[0]!.budget, { values: 1, used: 0, asked: 2, period: 'day' });
});

test('probes: parameters count by value, each element of an array, unknown ones each time', () => {
  const grant = { budgets: budgets(TWENTY) };
  const counted = (change: Partial<Probe>, more: Partial<JudgedCommand>): readonly (readonly number[])[] => {
    const verdict = judge(lineageOf(probe(change, 'ssn')), { grant, ...more });
    assert.ok(verdict.kind === 'admitted', JSON.stringify(verdict));
    return (verdict.claim?.counts ?? []).map(({ fresh, used }) => [used, fresh]);
  };
  assert.deepEqual(counted({ parameters: [1, 2, 3] }, { parameter }), [[0, 2]]);
  assert.deepEqual(counted({ parameters: [1, 2] }, {}), [[0, 2]]);
  assert.deepEqual(counted({ parameters: [1], arrays: [1] }, { parameterElements }), [[0, 2]]);
  const uncounted = judge(lineageOf(probe({ parameters: [1], arrays: [1] }, 'ssn')), { grant, parameter });
  assert.deepEqual(refusalsOf(uncounted), ['BUDGET uncountable ssn']);
});

test('probes: what has neither constants nor parameters cannot be counted', () => {
  const grant = { budgets: budgets(TWENTY) };
  assert.deepEqual(refusalsOf(judge(lineageOf(probe({}, 'ssn')), { grant })), ['BUDGET uncountable ssn']);
});

test('probes: every class that stays in needs its own, none for what is let out', () => {
  const lineage = lineageOf(probe({ constants: ['1'] }, 'ssn', 'email'));
  assert.deepEqual(refusalsOf(judge(lineage, { grant: { budgets: budgets(TWENTY) } })), [
    'BUDGET budget email',
  ]);
  const verdict = judge(lineage, { grant: { budgets: budgets(TWENTY), unmask: new Set(['email']) } });
  assert.ok(verdict.kind === 'admitted');
  assert.deepEqual(
    verdict.claim?.counts.map((count) => count.class),
    ['ssn'],
  );
});

test('probes: nothing is counted of what is only prepared, and what has no budget is refused then already', () => {
  const lineage = lineageOf(probe({ parameters: [1] }, 'ssn'));
  const grant = { budgets: budgets(TWENTY) };
  const verdict = judge(lineage, { grant, isExecuted: false });
  assert.ok(verdict.kind === 'admitted' && verdict.claim === undefined);
  assert.deepEqual(refusalsOf(judge(lineage, { isExecuted: false })), ['BUDGET budget ssn']);
});

test('writes: to a column of a class, by grant only; whether masked values of it were delivered is told', () => {
  const session = new MaskingSession();
  const lineage = lineageOf({ writes: [{ object: 'bank.customers.ssn', class: 'ssn' }] });
  assert.deepEqual(refusalsOf(judge(lineage, { session })), ['WRITE_BACK write ssn']);
  session.noteDelivered('ssn', true);
  session.noteDelivered('email');
  assert.deepEqual(refusalsOf(judge(lineage, { session })), ['WRITE_BACK write ssn']);
  session.noteDelivered('ssn');
  assert.deepEqual(refusalsOf(judge(lineage, { session })), ['WRITE_BACK lossy ssn']);
  assert.deepEqual(refusalsOf(judge(lineage, { session, grant: { writeClasses: new Set(['ssn']) } })), []);
  assert.deepEqual(refusalsOf(judge(lineage, { session, grant: { unmask: new Set(['ssn']) } })), []);
  const copied = lineageOf({ copyIn: [undefined, { object: 'bank.customers.ssn', class: 'ssn' }] });
  assert.deepEqual(refusalsOf(judge(copied, { session })), ['WRITE_BACK lossy ssn']);
});

test('writes: an unknown value that was delivered masked may have been of any class', () => {
  const session = new MaskingSession();
  session.noteDelivered('*');
  const lineage = lineageOf({ writes: [{ object: 'bank.customers.ssn', class: 'ssn' }] });
  assert.deepEqual(refusalsOf(judge(lineage, { session })), ['WRITE_BACK lossy ssn']);
});

test('masked values that come back are refused whatever is granted: in constants, parameters, long texts', () => {
  const grant = { unmask: 'all', writeClasses: 'all' } as const;
  const ours = 'before [ssn:xr12345678] behind';
  const back = ['WRITE_BACK masked-value ssn'];
  assert.deepEqual(refusalsOf(judge(lineageOf({ constants: ['harmless text', ours] }), { grant })), back);
  assert.deepEqual(refusalsOf(judge(lineageOf({ constants: ['harmless text'] }), { grant })), []);
  const parameters = { parameter: () => ours, parameterCount: 1 };
  assert.deepEqual(refusalsOf(judge(lineageOf({}), { grant, ...parameters })), back);
  const many = lineageOf({ constants: '*' });
  assert.deepEqual(refusalsOf(judge(many, { grant, text: () => ours })), back);
  assert.deepEqual(refusalsOf(judge(many, { grant, text: () => 'harmless text' })), []);
  assert.deepEqual(refusalsOf(judge(many, { grant })), ['WRITE_BACK masked-value *']);
});

test('a statement that is prepared by SQL is judged by its form when it is prepared', () => {
  const inner = lineageOf({ outputs: [derived('pan')], ...oracle('range', 'ssn') }).statements[0]!;
  const lineage = lineageOf({ prepares: { name: 'p', inner } });
  assert.deepEqual(refusalsOf(judge(lineage)), ['DERIVED derived pan', 'ORACLE range ssn']);
  const filling = lineageOf({ flows: [intoTemporary([], 't', 'x')] }).statements[0]!;
  const session = new MaskingSession();
  judge(lineageOf({ prepares: { name: 'p', inner: filling } }), { session });
  assert.equal(session.carriedBy('t', 'x').sources.length, 1, 'it did not run, so the relation is not known');
});

test('what is the same is judged once', () => {
  const judged = new MaskingJudge({ rules: RULES, grant: NO_UNMASK, finder });
  const command = { session: new MaskingSession(), budget: new MemoryBudget(), isExecuted: true };
  const lineage = select(direct('ssn'));
  const verdict = judged.judge({ ...command, lineage });
  assert.equal(judged.judge({ ...command, lineage, session: new MaskingSession() }), verdict);
});
