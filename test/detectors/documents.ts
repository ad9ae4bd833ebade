/**
 * Texts as they stand in notes, logs and JSON, with values whose places are known, and with numbers that look like them. Labels are by how the text was made, never
 * by what a detector says.
 */
import type { ClassName } from '../../packages/gateway/src/masking/rules.ts';
import type { Chance } from './chance.ts';
import * as values from './values.ts';

export interface Label {
  readonly class: ClassName;
  readonly start: number;
  readonly end: number;
}

export interface Document {
  readonly text: string;
  readonly labels: readonly Label[];
  /** What number that looks like a value it holds. */
  readonly negative?: string;
}

type Make = (chance: Chance) => string;

/** `{}` is the value. What has a checksum or a form stands alone too; what has none only beside its word. */
const POSITIVES: readonly { class: ClassName; make: Make; frames: readonly string[] }[] = [
  {
    class: 'pan',
    make: values.card,
    frames: [
      'paid with {} today',
      '{"pan":"{}","exp":"12/29"}',
      'card {} declined',
      '{}',
      'cc={}&cvv=',
      'The customer read {} to the agent.',
      '| {} | 24.50 |',
    ],
  },
  {
    class: 'ssn',
    make: values.ssn,
    frames: [
      'SSN {}',
      '{"ssn":"{}"}',
      'his number is {}, he said',
      'tax id: {}',
      '{}',
      'verified {} by phone',
    ],
  },
  {
    class: 'account_number',
    make: values.iban,
    frames: ['transfer to {} today', '{"iban":"{}"}', '{}', 'IBAN: {}.', 'konto={};'],
  },
  {
    class: 'account_number',
    make: values.routing,
    frames: [
      'routing number {}',
      'ABA {} and account',
      '{"routing_number":"{}"}',
      'wire via {} please',
      'ACH routing: {}',
    ],
  },
  {
    class: 'email',
    make: values.email,
    frames: [
      'write to {}.',
      '<{}>',
      '{"email":"{}"}',
      'mailto:{}?subject=x',
      '{}',
      'cc: {}; thanks',
      'user={}&x=1',
    ],
  },
  {
    class: 'phone',
    make: values.phone,
    frames: [
      'call {} after five',
      '{"phone":"{}"}',
      'tel: {}',
      '{}',
      'his number is {}.',
      'reached at {} twice',
    ],
  },
  {
    class: 'ip',
    make: values.ip,
    frames: [
      'login from {} failed',
      '{"client_ip":"{}"}',
      '{} - - [12/May/2024:10:00:00 +0000] "GET /"',
      'host {} is down',
    ],
  },
  {
    class: 'dob',
    make: values.birthDate,
    frames: ['DOB {}', '{"date_of_birth":"{}"}', 'born on {} in Ohio', 'Date of birth: {}', 'birthday {}'],
  },
  {
    class: 'secret',
    make: values.token,
    frames: ['export KEY={}', '{"value":"{}"}', 'use {} for now', '{}'],
  },
  {
    class: 'secret',
    make: (chance) => values.randomText(chance, chance.between(8, 20)),
    frames: [
      'password={}',
      '"password": "{}"',
      'postgres://app:{}@db.internal/bank',
      'pwd: {}',
      'DB_PASSWORD={}',
      "secret = '{}'",
    ],
  },
  {
    class: 'secret',
    make: (chance) => values.randomText(chance, 32, '0123456789abcdef'),
    frames: ['api_key: {}', 'Authorization: Bearer {}', '"access_token":"{}"', 'X-Auth-Token: {}'],
  },
];

const hex = '0123456789abcdef';
const uuid: Make = (chance) =>
  [8, 4, 4, 4, 12].map((length) => values.randomText(chance, length, hex)).join('-');

/** A number of so many digits that passes Luhn and begins like no card. */
function passingOrder(chance: Chance): string {
  const payload = chance.pick(['1', '7', '9', '8']) + chance.digits(14);
  return payload + values.luhnDigit(payload);
}

/** What ordinary systems write, hard to tell from a value. */
const NEGATIVES: readonly { name: string; make: Make; frames: readonly string[] }[] = [
  {
    name: 'order number that passes Luhn',
    make: passingOrder,
    frames: ['order {} shipped', '{"order_id":{}}', 'invoice {}', '{}'],
  },
  {
    name: 'order number of 16 digits',
    make: (chance) => chance.digits(16),
    frames: ['order {} shipped', 'tracking {}', '{"id":"{}"}'],
  },
  {
    name: 'number of 9 digits',
    make: (chance) => chance.digits(9),
    frames: ['ticket {} closed', '{"id":{}}', 'case {}'],
  },
  {
    name: 'number of 10 digits',
    make: (chance) => chance.digits(10),
    frames: ['{"ts":{}}', 'item {}', 'epoch {}'],
  },
  {
    name: 'timestamp',
    make: (chance) =>
      `2024-0${chance.between(1, 9)}-1${chance.between(0, 9)}T1${chance.between(0, 9)}:2${chance.between(0, 9)}:3${chance.between(0, 9)}.${chance.digits(6)}+00:00`,
    frames: ['at {} ok', '"created_at":"{}"'],
  },
  {
    name: 'time in ms or ns',
    make: (chance) => `17${chance.digits(11)}${chance.pick(['', chance.digits(6)])}`,
    frames: ['ts={}', '{"t":{}}'],
  },
  { name: 'UUID', make: uuid, frames: ['request {} done', '{"id":"{}"}', '{}'] },
  {
    name: 'git hash',
    make: (chance) => values.randomText(chance, 40, hex),
    frames: ['commit {}', 'at {} on main', 'sha {}'],
  },
  {
    name: 'build id',
    make: (chance) =>
      `${chance.between(2020, 2026)}.${chance.between(1, 12)}.${chance.digits(2)}-${chance.digits(6)}`,
    frames: ['build {}', 'image app:{}'],
  },
  {
    name: 'version of four parts',
    make: (chance) =>
      `${chance.between(1, 30)}.${chance.between(0, 20)}.${chance.between(0, 99)}.${chance.between(0, 99)}`,
    frames: ['version {}', 'v{}', 'Chrome/{}', 'firmware {}'],
  },
  {
    name: 'part number',
    make: (chance) =>
      `${chance.pick(['AB', 'KX', 'P'])}${chance.digits(3)}-${chance.digits(2)}-${chance.digits(4)}`,
    frames: ['part {} in stock', '"sku":"{}"'],
  },
  {
    name: 'long dashed number',
    make: (chance) => `${chance.digits(4)}-${chance.digits(3)}-${chance.digits(2)}-${chance.digits(4)}`,
    frames: ['docket {}', 'ref {}'],
  },
  {
    name: 'amounts',
    make: (chance) => `${chance.between(1, 9)},${chance.digits(3)},${chance.digits(3)}.${chance.digits(2)}`,
    frames: ['total {} USD', '{}'],
  },
  { name: 'ISBN', make: (chance) => `978${chance.digits(10)}`, frames: ['ISBN {}', '{}'] },
  {
    name: 'date',
    make: (chance) => `20${chance.between(10, 26)}-0${chance.between(1, 9)}-1${chance.between(0, 9)}`,
    frames: ['due {}', '"date":"{}"', 'from {} to'],
  },
  {
    name: 'package and version',
    make: (chance) => `left-pad@${chance.between(1, 9)}.${chance.between(0, 20)}.${chance.between(0, 9)}`,
    frames: ['npm i {}', '{}'],
  },
  { name: 'handle', make: (chance) => `@user${chance.between(1, 999)}`, frames: ['thanks {} for', '{}'] },
  {
    name: 'word behind key',
    make: (chance) =>
      chance.pick([
        'customer_account_reference',
        'idempotency',
        'internationalization',
        'primary_key_constraint_name',
      ]),
    frames: ['key: {}', 'token={}', '"key":"{}"'],
  },
  {
    name: 'password that is none',
    make: (chance) => chance.pick(['${DB_PASSWORD}', '********', 'null', 'required', '<secret>']),
    frames: ['password={}', '"password": "{}"', 'password: {}'],
  },
  {
    name: 'MAC address',
    make: (chance) => Array.from({ length: 6 }, () => values.randomText(chance, 2, hex)).join(':'),
    frames: ['eth0 {}', '"mac":"{}"'],
  },
  {
    name: 'coordinates',
    make: (chance) =>
      `${chance.between(10, 80)}.${chance.digits(6)}, -${chance.between(10, 99)}.${chance.digits(6)}`,
    frames: ['at {}', '[{}]'],
  },
  {
    name: 'table of years and numbers',
    make: (chance) =>
      [2019, 2020, 2021, 2022].map((year) => `${year} ${chance.digits(3)} ${chance.digits(4)}`).join(' '),
    frames: ['{}', 'years {}'],
  },
];

const WORDS =
  'the customer asked about balance on savings and was told that branch opens at nine then left a message for manager regarding loan application status report summary meeting'.split(
    ' ',
  );

export const prose = (chance: Chance, words: number): string =>
  Array.from({ length: words }, () => chance.pick(WORDS)).join(' ');

function inFrame(frame: string, value: string, name: ClassName | undefined, chance: Chance): Document {
  const lead = chance.next() < 0.6 ? `${prose(chance, chance.between(8, 12))}. ` : '';
  const tail = chance.next() < 0.6 ? `\n${prose(chance, chance.between(3, 9))}.` : '';
  const at = frame.indexOf('{}');
  const start = lead.length + at;
  const text = `${lead}${frame.slice(0, at)}${value}${frame.slice(at + 2)}${tail}`;
  return { text, labels: name === undefined ? [] : [{ class: name, start, end: start + value.length }] };
}

/** `each` texts of every kind of value, and of every kind of number that is none. */
export function documents(chance: Chance, each: number): readonly Document[] {
  const made: Document[] = [];
  for (let index = 0; index < each; index++) {
    for (const { class: name, make, frames } of POSITIVES)
      made.push(inFrame(chance.pick(frames), make(chance), name, chance));
    for (const { name, make, frames } of NEGATIVES) {
      const { text } = inFrame(chance.pick(frames), make(chance), undefined, chance);
      made.push({ text, labels: [], negative: name });
    }
  }
  return made;
}
