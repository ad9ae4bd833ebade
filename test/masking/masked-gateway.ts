/**
 * The real gateway with masking in front of a real PostgreSQL, and the server itself beside it: what a client gets through the gateway is held, byte by byte,
 * against what the server says directly with its values masked one by one.
 */
import { strict as assert } from 'node:assert';
import type { CountersignConfig } from '../../packages/gateway/src/config/config.ts';
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import { deriveMaskingKeys } from '../../packages/gateway/src/masking/derive-keys.ts';
import type { ColumnAction } from '../../packages/gateway/src/masking/plan.ts';
import type { MaskingGrant, MaskingRules } from '../../packages/gateway/src/masking/rules.ts';
import { maskValue } from '../../packages/gateway/src/postgres/mask/values/mask-value.ts';
import { directEndpoint, Harness } from '../translator/harness.ts';
import {
  frame,
  query,
  RawSession,
  sqlStateOf,
  type RawEndpoint,
  type RawMessage,
} from '../support/raw-session.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const SECRET = 'a secret of thirty-two bytes or more, for tests';
const KEY_VARIABLE = 'COUNTERSIGN_TEST_MASKING_KEY';
process.env[KEY_VARIABLE] = SECRET;

export const KEYS = deriveMaskingKeys(Buffer.from(SECRET));

export const SETUP = `
create table customers (
  id int primary key, ssn text not null unique, mail text, born date, account varchar(20), note text, tags text[]
);
insert into customers
select n, lpad((n * 7919)::text, 9, '0'), 'user' || n || '@example.com', date '1970-03-01' + n, lpad((n * 104729)::text, 12, '4'),
  'note ' || n, array['t' || n, null]
from generate_series(1, 500) n;
update customers set mail = null where id % 7 = 0;
update customers set mail = E'tab\\there "quoted", back\\\\slash' || E'\\nline@example.com' where id = 3;
create table payments (id int primary key, customer int, ssn text, constraint ssn_known unique (ssn) deferrable initially deferred);
create table wide (id int, ssn text, body text);
insert into wide select 1, '123456789', repeat('x', 200000);
insert into wide select 2, '123456789', repeat('x', 2000000);
analyze;
`;

/** Runs a text on the server itself. */
export async function run(server: PostgresServer, text: string): Promise<RawMessage[]> {
  const session = await RawSession.connect(directEndpoint(server));
  session.send(query(text));
  const messages = await session.receiveUntil('Z');
  session.end();
  const failed = messages.find(({ type }) => type === 'E');
  assert.equal(failed === undefined ? undefined : sqlStateOf(failed), undefined, text);
  return messages;
}

/** What is regulated in `SETUP`. */
const CLASSES: readonly (readonly [relation: string, column: string, name: string])[] = [
  ['customers', 'ssn', 'ssn'],
  ['customers', 'mail', 'email'],
  ['customers', 'born', 'dob'],
  ['customers', 'account', 'account_number'],
  ['payments', 'ssn', 'ssn'],
  ['wide', 'ssn', 'ssn'],
  ['told', 'ssn', 'ssn'],
  ['copied', 'ssn', 'ssn'],
];

export interface MaskedOptions {
  readonly grant?: Partial<MaskingGrant>;
  readonly rules?: Partial<MaskingRules>;
}

export async function startMasked(server: PostgresServer, options: MaskedOptions = {}): Promise<Harness> {
  return await Harness.start(server, { change: (config) => withMasking(config, options) });
}

export function withMasking(config: CountersignConfig, { grant, rules }: MaskedOptions): CountersignConfig {
  const classes = CLASSES.map(([relation, column, name]) => ({
    schema: 'public',
    relation,
    column,
    class: name,
    written: `public.${relation}`,
  }));
  const unmask = new Set<string>();
  // Most tests are about what comes out, not about who may write.
  const masking = { unmask, writeClasses: 'all' as const, budgets: new Map(), ...grant };
  return {
    ...config,
    masking: { key: { kind: 'env', name: KEY_VARIABLE }, rules: { ...defaultRules(), ...rules } },
    targets: config.targets.map((target) => ({ ...target, classes })),
    grants: config.grants.map((each) => ({ ...each, masking })),
  };
}

const action = (
  name: string,
  transform: Extract<ColumnAction, { kind: 'mask' }>['transform'],
): MaskAction => ({
  kind: 'mask',
  transform,
  class: name,
  object: '',
});

type MaskAction = Extract<ColumnAction, { kind: 'mask' }>;

/** What the default rules do to the columns of `customers`. */
export const ACTIONS = {
  ssn: action('ssn', { kind: 'redact' }),
  mail: action('email', { kind: 'email-domain' }),
  born: action('dob', { kind: 'year' }),
  account: action('account_number', { kind: 'keep-last', count: 4 }),
} as const;

export interface Column {
  readonly action?: MaskAction | undefined;
  readonly typeOid: number;
  readonly format?: number;
}

export const TYPE = { text: 25, int4: 23, date: 1082, varchar: 1043, texts: 1009 } as const;

export const masked = (value: Buffer, { action: how, typeOid, format = 0 }: Column): Buffer | null =>
  how === undefined
    ? value
    : maskValue(value, { typeOid, format }, how, { keys: KEYS, scope: 'tests', catalog: undefined });

/** A DataRow of the server as it leaves the gateway. */
export function maskedRow({ type, body }: RawMessage, columns: readonly Column[]): RawMessage {
  assert.equal(type, 'D');
  const parts: Buffer[] = [body.subarray(0, 2)];
  let at = 2;
  for (const column of columns) {
    const length = body.readInt32BE(at);
    const value = length < 0 ? null : masked(body.subarray(at + 4, at + 4 + length), column);
    const word = Buffer.alloc(4);
    word.writeInt32BE(value === null ? -1 : value.length);
    parts.push(word, value ?? Buffer.alloc(0));
    at += 4 + Math.max(0, length);
  }
  assert.equal(at, body.length);
  return { type, body: Buffer.concat(parts) };
}

export const bytesOf = ({ type, body }: RawMessage): string => frame(type, body).toString('latin1');

/** The same in one session through the gateway and in one of the server's own; gives what both said. */
export async function both(
  harness: Harness,
  direct: RawEndpoint,
  steps: readonly Buffer[],
): Promise<{ readonly through: RawMessage[]; readonly direct: RawMessage[] }> {
  const answers: RawMessage[][] = [];
  for (const endpoint of [harness.endpoint, direct]) {
    const session = await RawSession.connect(endpoint);
    const messages: RawMessage[] = [];
    for (const step of steps) {
      session.send(step);
      messages.push(...(await session.receiveUntil('Z')));
    }
    session.end();
    answers.push(messages);
  }
  return { through: answers[0]!, direct: answers[1]! };
}

/** Every message is the server's, but for rows, which are masked. */
export function assertMasked(
  { through, direct }: { readonly through: readonly RawMessage[]; readonly direct: readonly RawMessage[] },
  columns: readonly Column[],
): void {
  const expected = direct.map((message) => (message.type === 'D' ? maskedRow(message, columns) : message));
  assertSame(through, expected);
  const rows = direct.filter(({ type }) => type === 'D');
  assert.ok(rows.length > 0, 'rows were compared');
  const isMasked = columns.some((column) => column.action !== undefined);
  if (isMasked) assert.notDeepEqual(through.map(bytesOf), direct.map(bytesOf));
}

const told = (message: RawMessage | undefined): string =>
  message === undefined ? 'nothing' : bytesOf(message).slice(0, 1000);

/** Tells the first message that differs: a diff of all of them would be no help. */
export function assertSame(actual: readonly RawMessage[], expected: readonly RawMessage[]): void {
  const at = expected.findIndex((message, index) => {
    const other = actual[index];
    return other === undefined || bytesOf(other) !== bytesOf(message);
  });
  if (at >= 0) assert.equal(told(actual[at]), told(expected[at]), `message ${at}`);
  assert.equal(actual.length, expected.length);
}
