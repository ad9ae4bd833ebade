/** The words that detectors look for, by what they say. */

/** What a word says of the number or text beside it. */
export const CONTEXTS = ['card', 'ssn', 'routing', 'phone', 'birth', 'version'] as const;
export type Context = (typeof CONTEXTS)[number];

/**
 * Where a secret may be. `plain`: whatever is given to the word is one. `random`: only what looks random is. `scheme`: of an Authorization header. `shape`: the
 * beginning of a token of a known issuer. `begin`, `end`: the frame of a key. `url`: a connection string.
 */
export const SECRET_MARKS = ['plain', 'random', 'scheme', 'shape', 'begin', 'end', 'url'] as const;
export type SecretMark = (typeof SECRET_MARKS)[number];

export type Meaning = Context | SecretMark;

const list = (text: string): readonly string[] => text.split(', ');

/** Lower case; a space stands for `-`, `_`, `.` and itself. */
export const WORDS: Readonly<Record<Exclude<Meaning, 'shape'>, readonly string[]>> = {
  card: list(
    'card, cards, creditcard, debitcard, cardnumber, pan, cc, ccn, visa, mastercard, amex, american express, maestro, discover, diners, jcb, unionpay, kartennummer, kreditkarte, tarjeta',
  ),
  ssn: list(
    'ssn, ssns, ss#, social, socialsecurity, social security, soc sec, itin, tin, taxpayer, tax id, taxid, taxpayerid',
  ),
  routing: list('routing, routingnumber, aba, rtn, transit, ach, fedwire, wire, micr'),
  phone: list(
    'phone, phones, phonenumber, telephone, tel, mobile, cell, cellphone, cellular, fax, call, called, callback, sms, text, whatsapp, dial, contact, handy, telefon, teléfono, voicemail, pager, hotline, msisdn, reach',
  ),
  birth: list(
    'dob, d.o.b, birth, birthday, birthdate, born, born on, dateofbirth, date of birth, bday, geboren, geburtsdatum, geb, nacimiento, nacido, naissance',
  ),
  version: list('version, versions, ver, v, rv, release, build, firmware, revision, kernel, oid'),
  plain: list(
    'password, passwords, passwd, passphrase, pwd, pass, passcode, secret, client secret, clientsecret, secret key, secretkey, accountkey, sharedaccesskey, pgpassword, userpassword, dbpassword, passwort, kennwort, contraseña, contrasena, mot de passe, credential, credentials',
  ),
  random: list(
    'token, tokens, api key, apikey, access key, accesskey, private key, privatekey, auth, authorization, access token, accesstoken, refresh token, refreshtoken, session, sessionid, session id, cookie, signature, sig, encryption key, signing key, key, bearertoken, authtoken, auth token, webhook, hmac, otp, sid',
  ),
  scheme: ['bearer', 'basic'],
  begin: ['-----begin '],
  end: ['-----end '],
  url: ['://'],
};

/** Texts, exactly so, with which a token of a known issuer begins; `token-shapes.ts` knows how it goes on. */
export const TOKEN_PREFIXES = [
  'AKIA',
  'ASIA',
  'ABIA',
  'ACCA',
  'AGPA',
  'AIDA',
  'AROA',
  'ghp_',
  'gho_',
  'ghu_',
  'ghs_',
  'ghr_',
  'github_pat_',
  'glpat-',
  'xoxb-',
  'xoxp-',
  'xoxa-',
  'xoxr-',
  'xoxs-',
  'xoxe-',
  'xapp-',
  'sk_live_',
  'sk_test_',
  'rk_live_',
  'rk_test_',
  'whsec_',
  'sk-',
  'AIza',
  'npm_',
  'pypi-',
  'SG.',
  'shpat_',
  'shpss_',
  'hf_',
  'dop_v',
  'AGE-SECRET-KEY-',
  'eyJ',
  'GOCSPX-',
  'hvs.',
  'hooks.slack.com/services/',
  'lin_api_',
  'sq0csp-',
  'EAAA',
  'key-',
  'ya29.',
] as const;
