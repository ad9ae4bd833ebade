/** Statements that must pass, with masking and without, so that it does not hold by refusing everything. */
import { errorFields } from '../../support/raw-session.ts';
import { ANYBODY, type Door } from './door.ts';
import { cellsOf } from './game.ts';
import { playAttempt } from './play.ts';

export interface Control {
  readonly text: string;
  readonly rows: number;
  /** The first row, in columns that nothing is done to; undefined: whatever it is. */
  readonly first: readonly (string | undefined)[];
}

export const CONTROLS: readonly Control[] = [
  {
    text: 'select id, region, ssn from bank.customers order by id',
    rows: 12,
    first: ['1', 'north', undefined],
  },
  { text: 'select * from bank.branches order by id', rows: 3, first: ['1', 'Bern'] },
  {
    text: 'select region, count(*) from bank.customers group by region order by 1',
    rows: 3,
    first: ['north', '6'],
  },
  { text: 'select count(ssn), count(*) from bank.customers', rows: 1, first: ['12', '12'] },
  {
    text: "select c.id, a.kind, upper(c.name) from bank.customers c join bank.accounts a on a.customer = c.id where c.region = 'west' order by c.id",
    rows: 2,
    first: ['11', 'savings', undefined],
  },
  { text: 'select id from bank.customers where ssn is null', rows: 0, first: [] },
  {
    text: 'with w as (select id, email as e from bank.customers) select id, e from w where id = 3',
    rows: 1,
    first: ['3', undefined],
  },
  { text: 'select y, id from bank.v_nested_again order by id limit 2', rows: 2, first: [undefined, '1'] },
  {
    text: 'select region, avg(balance) from bank.customers group by region having count(*) >= 5',
    rows: 1,
    first: ['north', undefined],
  },
  {
    text: 'select number, card, mail, born, iban, salary, id from bank.accounts where id = 2',
    rows: 1,
    first: [undefined, undefined, undefined, undefined, undefined, undefined, '2'],
  },
];

/** What is wrong with the answers; empty: nothing. */
export async function tryControl(door: Door, { text, rows, first }: Control): Promise<readonly string[]> {
  const { session } = await door.connect(ANYBODY, 'a');
  try {
    const nothing = {
      fill: (same: string) => same,
      oidOf: () => Promise.resolve(0),
      outside: () => Promise.resolve(),
      grant: () => Promise.resolve(),
    };
    const answers = await playAttempt(session, { id: 'control', how: '', steps: [text] }, nothing);
    return answers.flatMap(({ way, messages }) => {
      const wrong = messages
        .filter(({ type }) => type === 'E')
        .map((message) => `${text} (${way}): ${errorFields(message).get('M')}`);
      if (way.startsWith('copy') || wrong.length > 0) return wrong;
      const data = messages.filter(({ type }) => type === 'D').map(({ body }) => cellsOf(body));
      if (data.length !== rows) wrong.push(`${text} (${way}): ${data.length} rows`);
      if (way === 'binary') return wrong;
      for (const [index, expected] of first.entries()) {
        const cell = data[0]?.[index]?.toString();
        if (expected !== undefined && cell !== expected)
          wrong.push(`${text} (${way}): ${cell} is not ${expected}`);
      }
      return wrong;
    });
  } finally {
    await door.end(session);
  }
}
