/**
 * What a decision costs: remembered, by the scope alone, and by policies (Cedar); and what it costs to know what a statement would do
 * (`meanings.ts`). One subject, real policies, in this process; nothing is recorded.
 *
 *   npm run bench -- decisions [--json] [--distinct N]
 *
 * `--distinct`: how many different statements memory is measured over, default 100,000. With `node --expose-gc bench/decisions.ts` garbage is not counted.
 */

import { Scope } from '../packages/gateway/src/grants/scope.ts';
import type { Access } from '../packages/gateway/src/policy/access.ts';
import { makePolicySet } from '../packages/gateway/src/policy/policy-set.ts';
import { Authorizer } from '../packages/gateway/src/session/authorizer.ts';
import { recordedObjects } from '../packages/gateway/src/session/recorded-objects.ts';
import { measureMeanings } from './meanings.ts';
import { grantOf } from '../packages/gateway/src/session/authorization-fixture.ts';

const POLICIES = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("read") permit (principal, action == Action::"select", resource);
@id("write") permit (principal, action == Action::"update", resource) when { context.allColumns == false };
@id("never") forbid (principal, action == Action::"delete", resource);
`;

const SCOPE = {
  relations: [
    { on: [{ schema: 'bank' }], verbs: ['select'] as const, columns: '*' as const },
    {
      on: [{ schema: 'bank', name: 'accounts' }],
      verbs: ['update'] as const,
      columns: ['status', 'balance'],
    },
  ],
  functions: [],
  ddl: [],
  allow: [],
};

/** A read of two relations, and a write that reads. */
const makeDemands = (index: number): readonly Access[] => [
  relation('select', 'accounts', ['id', 'status', `column_${index}`]),
  relation('select', 'customers', ['id', 'segment']),
  relation('update', 'accounts', ['status']),
];

function relation(verb: 'select' | 'update', name: string, columns: readonly string[]): Access {
  return { kind: 'relation', verb, schema: 'bank', name, columns, class: 'data' };
}

/** Median over rounds, µs for one. */
function measure(count: number, work: (index: number) => void): number {
  for (let index = 0; index < Math.min(count, 2_000); index++) work(index);
  const rounds = Array.from({ length: 9 }, () => {
    const startedAt = process.hrtime.bigint();
    for (let index = 0; index < count; index++) work(index);
    return Number(process.hrtime.bigint() - startedAt) / 1_000 / count;
  });
  return rounds.toSorted((a, b) => a - b)[4] ?? Number.NaN;
}

const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`;

const { set } = makePolicySet([{ name: 'bench.cedar', path: 'bench.cedar', text: POLICIES }]);
const grant = grantOf(SCOPE, 'bench');
const authorization = new Authorizer(() => set).authorize({
  principal: { name: 'agent', kind: 'agent', groups: ['reporting'] },
  grant,
  database: 'bank',
});
// A working set of statements as an application has it, so that what is measured is no single cache line.
const known = Array.from({ length: 512 }, (_, index) => makeDemands(index));
for (const demands of known) {
  if (authorization.decide(demands).decision.effect !== 'permit') throw new Error('the benchmark is refused');
}
const fresh = Array.from({ length: 200_000 }, (_, index) => makeDemands(index));
const scope = new Scope(SCOPE);
let next = 0;
/** Whatever is measured is used, so that nothing is left out as useless. */
let used = 0;

const figures = {
  'decision, remembered': measure(200_000, (index) => {
    used += authorization.decide(known[index & 511]!).missing.length + 1;
  }),
  'objects of the leaf, remembered': measure(200_000, (index) => {
    used += recordedObjects({ demands: known[index & 511]! }).objects.length;
  }),
  'scope alone, three accesses': measure(20_000, (index) => void scope.missing(fresh[index]!)),
  'decision at first sight, three accesses': measure(400, () => void authorization.decide(fresh[next++]!)),
  'objects of the leaf at first sight': measure(
    2_000,
    (index) => void recordedObjects({ demands: [...known[index & 511]!] }),
  ),
};

if (used === 0) throw new Error('nothing was measured');
const at = process.argv.indexOf('--distinct');
const meanings = await measureMeanings(authorization, at === -1 ? 100_000 : Number(process.argv[at + 1]));

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ ...figures, meanings })}\n`);
else {
  const { distinct, firstSightUs, knownUs, statementBytes } = meanings;
  const all = {
    ...figures,
    [`known statement of ${statementBytes} bytes: meaning and decision`]: knownUs,
    [`new statement of ${statementBytes} bytes: meaning, median`]: firstSightUs.median,
    [`new statement of ${statementBytes} bytes: meaning, p99`]: firstSightUs.p99,
  };
  for (const [what, us] of Object.entries(all)) {
    process.stdout.write(`${what.padEnd(54)} ${us < 10 ? us.toFixed(3) : us.toFixed(1)} µs\n`);
  }
  process.stdout.write(
    `${distinct.statements} distinct statements: ${distinct.kept} kept in ${mib(distinct.cacheBytes)}, RSS ${mib(distinct.rssBefore)} before, ${mib(distinct.rssAfter)} after\n`,
  );
}
