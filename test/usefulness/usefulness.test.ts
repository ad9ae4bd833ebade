/** What ordinary work sees of masking: the same answers as directly, but for regulated cells, and no refusal that need not be. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CASES } from './corpus/index.ts';
import { REFUSED } from './corpus/refused.ts';
import { Bank } from './play.ts';
import { faultsOf, Tally } from './tally.ts';

/** The limit: those that are to be answered. */
const LEAST_CASES = 200;

let bank: Bank | undefined;

before(async () => {
  bank = await Bank.start();
});

after(async () => {
  await bank?.release();
});

test('cases are many, each asks something of its own, and refused ones are told in the document', () => {
  assert.ok(CASES.filter(({ refused }) => refused === undefined).length >= LEAST_CASES);
  const asked = CASES.map(({ steps, who }) => JSON.stringify([steps, who]));
  assert.deepEqual(
    CASES.filter((_, index) => asked.indexOf(asked[index]!) !== index).map(({ id }) => id),
    [],
  );
  const text = readFileSync(join(import.meta.dirname, '../../docs/masking.md'), 'utf8');
  const section = text.slice(text.indexOf('## Usefulness'));
  for (const { refused } of REFUSED) assert.match(section, new RegExp(`\`${refused!.reason}\``, 'u'));
});

test('every case is answered as directly but for regulated cells, or refused on purpose', async (t) => {
  const tally = new Tally();
  const faults: string[] = [];
  for (const each of CASES) {
    const verdict = await bank!.play(each);
    tally.add(each, verdict);
    faults.push(...faultsOf(each, verdict).map((fault) => `${each.id}: ${fault}`));
  }
  for (const line of tally.table().split('\n')) t.diagnostic(line);
  assert.deepEqual(faults, []);
});

test('what differs is noticed', async () => {
  const verdict = await bank!.play({
    id: 'control',
    family: 'control',
    who: 'reader',
    steps: ['select id, name as number from bank.customers order by id limit 3'],
    masked: { number: 'ssn' },
  });
  assert.notDeepEqual(verdict.differences, []);
});

test('and all of it is on the record', async () => {
  const verdicts = await bank!.stop();
  assert.deepEqual(new Set(verdicts), new Set(['VERIFIED']));
});
