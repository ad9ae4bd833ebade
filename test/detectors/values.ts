/** Values as they are given out, made by chance: what detectors must find. */
import type { Chance } from './chance.ts';

export function luhnDigit(payload: string): string {
  let sum = 0;
  for (let index = 0; index < payload.length; index++) {
    const digit = Number(payload[payload.length - 1 - index]);
    const doubled = index % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

const CARDS: readonly (readonly [string, number])[] = [
  ['4', 16],
  ['4', 16],
  ['51', 16],
  ['55', 16],
  ['2221', 16],
  ['34', 15],
  ['37', 15],
  ['6011', 16],
  ['65', 16],
  ['36', 14],
  ['3530', 16],
  ['62', 16],
];

const grouped = (digits: string, sizes: readonly number[], joint: string): string => {
  let at = 0;
  return sizes.map((size) => digits.slice(at, (at += size))).join(joint);
};

export function card(chance: Chance): string {
  const [prefix, length] = chance.pick(CARDS);
  const payload = prefix + chance.digits(length - 1 - prefix.length);
  const digits = payload + luhnDigit(payload);
  const joint = chance.pick(['', '', ' ', '-']);
  if (joint === '') return digits;
  const sizes = length === 15 ? [4, 6, 5] : length === 14 ? [4, 6, 4] : [4, 4, 4, 4];
  return grouped(digits, sizes, joint);
}

export function ssn(chance: Chance): string {
  const area = chance.pick([chance.between(1, 665), chance.between(667, 899)]);
  const joint = chance.pick(['-', '-', '-', ' ']);
  const parts = [
    String(area).padStart(3, '0'),
    String(chance.between(1, 99)).padStart(2, '0'),
    String(chance.between(1, 9999)).padStart(4, '0'),
  ];
  return parts.join(joint);
}

const IBAN_FORMS: readonly (readonly [string, string])[] = [
  ['DE', 'dddddddddddddddddd'],
  ['GB', 'aaaadddddddddddddd'],
  ['FR', 'ddddddddddcccccccccccdd'],
  ['NL', 'aaaadddddddddd'],
  ['ES', 'dddddddddddddddddddd'],
  ['CH', 'dddddcccccccccccc'],
  ['NO', 'ddddddddddd'],
];
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export function iban(chance: Chance): string {
  const [country, form] = chance.pick(IBAN_FORMS);
  const body = Array.from(form)
    .map((kind) =>
      kind === 'd' || (kind === 'c' && chance.next() < 0.5)
        ? chance.digits(1)
        : chance.pick(Array.from(LETTERS)),
    )
    .join('');
  const number = BigInt(Array.from(`${body}${country}00`, (each) => Number.parseInt(each, 36)).join(''));
  const all = `${country}${String(98n - (number % 97n)).padStart(2, '0')}${body}`;
  return chance.next() < 0.5 ? all : (all.match(/.{1,4}/g) ?? []).join(' ');
}

export function routing(chance: Chance): string {
  const body = chance.pick(['02', '12', '26', '31', '06', '10', '61']) + chance.digits(6);
  const weights = [3, 7, 1, 3, 7, 1, 3, 7];
  const sum = weights.reduce((total, weight, index) => total + weight * Number(body[index]), 0);
  return body + String((10 - (sum % 10)) % 10);
}

const NAMES = ['jane', 'omar', 'li.wei', 'a_smith', 'maria+bank', 'k-owens', 'info', 'x9', 'o.b.1'];
const HOSTS = ['example', 'mail.bank', 'first-national', 'q2', 'corp.intra'];
const ENDS = ['com', 'org', 'co.uk', 'de', 'io', 'museum', 'com.br'];

export const email = (chance: Chance): string =>
  `${chance.pick(NAMES)}${chance.between(1, 99)}@${chance.pick(HOSTS)}.${chance.pick(ENDS)}`;

const AREAS = ['212', '415', '312', '646', '202', '713', '404', '305', '206', '617'];

export function phone(chance: Chance): string {
  const [area, exchange, line] = [
    chance.pick(AREAS),
    `${chance.between(2, 9)}${chance.digits(2)}`,
    chance.digits(4),
  ];
  return chance.pick([
    `(${area}) ${exchange}-${line}`,
    `${area}-${exchange}-${line}`,
    `${area}.${exchange}.${line}`,
    `+1 ${area} ${exchange} ${line}`,
    `+1${area}${exchange}${line}`,
    `1-${area}-${exchange}-${line}`,
    `+49 30 ${chance.between(2, 9)}${chance.digits(6)}`,
    `+44 20 7${chance.digits(3)} ${chance.digits(4)}`,
    `+33 6 ${chance.between(10, 99)} ${chance.between(10, 99)} ${chance.between(10, 99)} ${chance.between(10, 99)}`,
  ]);
}

export const ip = (chance: Chance): string =>
  chance.next() < 0.7
    ? `${chance.pick([10, 172, 192, 203, 8, 51])}.${chance.between(0, 255)}.${chance.between(0, 255)}.${chance.between(1, 254)}`
    : `2001:db8:${chance.between(1, 9999).toString(16)}::${chance.between(1, 65_535).toString(16)}`;

const MONTHS = [
  'January',
  'Feb',
  'March',
  'Apr',
  'May',
  'June',
  'July',
  'Aug',
  'September',
  'Oct',
  'Nov',
  'December',
];
const two = (value: number): string => String(value).padStart(2, '0');

export function birthDate(chance: Chance): string {
  const [year, month, day] = [chance.between(1930, 2012), chance.between(1, 12), chance.between(1, 28)];
  return chance.pick([
    `${year}-${two(month)}-${two(day)}`,
    `${two(month)}/${two(day)}/${year}`,
    `${day}.${month}.${year}`,
    `${MONTHS[month - 1]} ${day}, ${year}`,
    `${day} ${MONTHS[month - 1]} ${year}`,
    `${month}/${day}/${two(year % 100)}`,
  ]);
}

const BASE64 = `${LETTERS}${LETTERS.toLowerCase()}0123456789`;
export const randomText = (chance: Chance, length: number, alphabet = BASE64): string =>
  Array.from({ length }, () => alphabet[chance.between(0, alphabet.length - 1)]).join('');

/** A token that says by itself what it is. */
export const token = (chance: Chance): string =>
  chance.pick([
    () => `AKIA${randomText(chance, 16, `${LETTERS}0123456789`)}`,
    () => `ghp_${randomText(chance, 36)}`,
    () => `xoxb-${chance.digits(11)}-${chance.digits(11)}-${randomText(chance, 24)}`,
    () => `eyJ${randomText(chance, 33)}.eyJ${randomText(chance, 60)}.${randomText(chance, 43)}`,
    () => `sk_live_${randomText(chance, 24)}`,
    () =>
      `-----BEGIN PRIVATE KEY-----\n${randomText(chance, 64)}\n${randomText(chance, 40)}\n-----END PRIVATE KEY-----`,
  ])();
