/** International bank account numbers (ISO 13616): country, its length, and the checksum modulo 97. */
import { NOTHING, isDigit, isLetter, isWordCode } from './characters.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';

/** Length by country, of the registry of SWIFT, and of the countries that use the form without being in it. */
const LENGTHS =
  'AD24 AE23 AL28 AO25 AT20 AZ28 BA20 BE16 BF28 BG22 BH22 BI27 BJ28 BR29 BY28 CF27 CG27 CH21 CI28 CM27 CR22 CV25 CY28 CZ24 DE22 DJ27 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GA27 GB22 GE22 GI23 GL18 GQ27 GR27 GT28 GW25 HN28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KM27 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MA28 MC27 MD24 ME22 MG27 MK19 ML28 MN20 MR27 MT31 MU30 MZ25 NE28 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SN28 SO23 ST25 SV28 TD27 TG28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30';

const LETTERS = 26;
const lengths = new Uint8Array(LETTERS * LETTERS);
for (const entry of LENGTHS.split(' ')) {
  lengths[countryIndex(entry.charCodeAt(0), entry.charCodeAt(1))] = Number(entry.slice(2));
}

function countryIndex(first: number, second: number): number {
  return ((first | 0x20) - 0x61) * LETTERS + (second | 0x20) - 0x61;
}

const SPACE = 0x20;
const DASH = 0x2d;

/** One that has its two check digits at `digitsAt`, right behind the two letters of its country. */
export function findIban(scan: Scan, digitsAt: number): void {
  const { codes } = scan;
  const start = digitsAt - 2;
  const first = codes[start] ?? NOTHING;
  const second = codes[start + 1] ?? NOTHING;
  if (start < 0 || !isLetter(first) || !isLetter(second) || first >= 0x80 || second >= 0x80) return;
  if (isWordCode(codes[start - 1] ?? NOTHING) || !isDigit(codes[digitsAt + 1] ?? NOTHING)) return;
  const length = lengths[countryIndex(first, second)] ?? 0;
  if (length === 0) return;
  const end = endOfAccount(scan, start, length);
  if (end !== -1 && checksum(codes, start, end) === 1)
    report(scan, 'iban', { start, end }, SURENESS.certain, 'IBAN: length of its country, checksum is right');
}

/** Behind the last of so many letters and digits, with at most one space or dash between any two; -1 if there are not as many, or more. */
function endOfAccount(scan: Scan, start: number, length: number): number {
  const { codes } = scan;
  let at = start;
  let count = 0;
  while (count < length) {
    let code = codes[at] ?? NOTHING;
    if (count > 0 && (code === SPACE || code === DASH)) {
      at += 1;
      code = codes[at] ?? NOTHING;
    }
    if (!isWordCode(code) || code >= 0x80) break;
    count += 1;
    at += 1;
  }
  scan.steps += at - start;
  return count === length && !isWordCode(codes[at] ?? NOTHING) ? at : -1;
}

/** The first four go behind the rest, letters count as 10 to 35, the remainder of 97. */
function checksum(codes: Uint8Array, start: number, end: number): number {
  let remainder = 0;
  let head = 0;
  let count = 0;
  for (let at = start; at < end; at++) {
    const code = codes[at] ?? 0;
    if (!isWordCode(code)) continue;
    const isNumber = isDigit(code);
    const value = isNumber ? code - 0x30 : (code | 0x20) - 0x57;
    if (count < 4) head = head * (isNumber ? 10 : 100) + value;
    else remainder = (remainder * (isNumber ? 10 : 100) + value) % 97;
    count += 1;
  }
  // The head is two letters and two digits: six digits.
  return (remainder * 1_000_000 + head) % 97;
}
