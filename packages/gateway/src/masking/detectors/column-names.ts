/** What the name of a column says of its content. */
import type { ClassName } from '../rules.ts';

interface NameRule {
  readonly class: ClassName;
  /** Alternatives: words that must all be in the name. */
  readonly words: readonly (readonly string[])[];
  /** Names in which none of these may be: `email_verified`, `phone_type`. */
  readonly not?: ReadonlySet<string>;
  /** Only of types of text. */
  readonly isText?: boolean;
}

const alternatives = (text: string): readonly (readonly string[])[] =>
  text.split(', ').map((words) => words.split(' '));

/** What makes a name one of a property of the value, not of the value. */
const PROPERTY: ReadonlySet<string> = new Set(
  'verified valid type kind count hash status enabled flag is has at id changed expires expiry updated created sent opt consent preference template subject length'.split(
    ' ',
  ),
);

/** The first rule that takes a name wins. */
const RULES: readonly NameRule[] = [
  {
    class: 'ssn',
    words: alternatives(
      'ssn, social security, socialsecurity, itin, tin, tax id, taxpayer id, taxid, sin, nino',
    ),
  },
  {
    class: 'pan',
    words: alternatives(
      'pan, card number, cardnumber, card no, card num, cc number, cc num, ccnum, ccn, creditcard, credit card, debit card',
    ),
    not: PROPERTY,
  },
  {
    class: 'account_number',
    words: alternatives(
      'account number, account no, account num, accountnumber, acct number, acct no, acct num, acct, iban, bban, routing, routing number, aba, sort code',
    ),
    not: PROPERTY,
  },
  { class: 'email', words: alternatives('email, e mail, mail, emailaddress'), not: PROPERTY },
  {
    class: 'phone',
    words: alternatives('phone, telephone, tel, mobile, cell, cellphone, fax, msisdn, phonenumber, whatsapp'),
    not: PROPERTY,
  },
  {
    class: 'dob',
    words: alternatives(
      'dob, birth date, birthdate, birthday, date of birth, dateofbirth, born, birth, geburtsdatum',
    ),
    not: new Set(['place', 'country', 'city']),
  },
  {
    class: 'secret',
    words: alternatives(
      'password, passwd, pwd, passphrase, secret, token, api key, apikey, private key, access key, credential, credentials, pin, cvv, cvc, security answer, otp',
    ),
    not: new Set(['at', 'count', 'expires', 'expiry', 'type', 'id', 'changed', 'enabled', 'reset', 'policy']),
    isText: false,
  },
  {
    class: 'name',
    words: alternatives(
      'first name, last name, full name, given name, family name, middle name, maiden name, surname, firstname, lastname, fullname, forename, customer name, client name, holder, cardholder, account holder, contact name, legal name, patient name, employee name, beneficiary',
    ),
    not: PROPERTY,
    isText: true,
  },
  {
    class: 'address',
    words: alternatives(
      'address, addr, street, address line, line1, line2, zip, zipcode, postcode, postal code, postalcode, residence',
    ),
    not: new Set([...PROPERTY, 'ip', 'mac', 'web', 'email', 'url']),
    isText: true,
  },
  {
    class: 'ip',
    words: alternatives('ip, ipaddress, ip address, ipaddr, client ip, remote addr'),
    not: PROPERTY,
  },
  {
    class: 'free_text',
    words: alternatives(
      'note, notes, comment, comments, remark, remarks, memo, body, message, description, details, text, transcript, narrative, reason, feedback',
    ),
    not: PROPERTY,
    isText: true,
  },
];

/** The words of a name, lower case: `customerSsn`, `customer_ssn` and `CUSTOMER-SSN` are two. */
export function wordsOf(name: string): readonly string[] {
  const spaced = name.slice(0, 256).replaceAll(/([a-z\d])([A-Z])/g, '$1 $2');
  return spaced
    .toLowerCase()
    .split(/[^a-z\d]/)
    .filter((word) => word !== '');
}

const TEXT_TYPES = /^(?:character varying|varchar|character|char|bpchar|text|citext|name|json|jsonb|xml)\b/;

export const isTextType = (typeName: string): boolean => TEXT_TYPES.test(typeName.toLowerCase());

/** The class that the name speaks of; undefined if of none. */
export function classByName(name: string, typeName: string): ClassName | undefined {
  const words = new Set(wordsOf(name));
  const isText = isTextType(typeName);
  return RULES.find(
    (rule) =>
      (rule.isText !== true || isText) &&
      rule.words.some((needed) => needed.every((word) => words.has(word))) &&
      ![...words].some((word) => rule.not?.has(word) === true),
  )?.class;
}
