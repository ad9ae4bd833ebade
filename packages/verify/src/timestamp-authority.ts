/** Whether the certificate that signed a time stamp leads to a trusted one (RFC 5280, as far as time stamps need it). */

import { X509Certificate } from 'node:crypto';
import { DerReader, enterDer, TAG } from './der.ts';
import { FormatError } from './errors.ts';
import { certificateParts, type TimestampToken } from './timestamp-token.ts';

const OID_EXTENDED_KEY_USAGE = '2.5.29.37';
const OID_TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const MAX_CHAIN = 8;
/** Extensions of certificates that this check, or `X509Certificate`, takes into account, or that restrict nothing. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  '2.5.29.14',
  '2.5.29.15',
  '2.5.29.19',
  '2.5.29.32',
  '2.5.29.35',
  OID_EXTENDED_KEY_USAGE,
]);

/** The certificates of a PEM text. Throws `FormatError` when there is none or one cannot be read. */
export function parseCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new FormatError('there is no certificate in PEM');
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new FormatError('a certificate cannot be read', { cause: error });
    }
  });
}

/**
 * Why the token's signer is not a time-stamping authority under `trusted` at the token's time; undefined when it is.
 * Checked: extended key usage (critical, time stamping alone), every signature up to a trusted certificate, that issuers
 * may issue, validity of each at the time of the token. Not checked: revocation, policies and name constraints (a
 * critical name constraint is refused, as every critical extension that is not understood).
 */
export function authorityFlaw(
  token: Pick<TimestampToken, 'signer' | 'others' | 'timeUs'>,
  trusted: readonly X509Certificate[],
): string | undefined {
  if (!isForTimestamping(token.signer)) return 'the certificate is not one for time stamping alone';
  const walk: ChainWalk = {
    trusted,
    candidates: [...trusted, ...token.others],
    atMs: Math.floor(token.timeUs / 1000),
    tried: new Set(),
  };
  return chainFlaw(token.signer, walk, 0);
}

interface ChainWalk {
  readonly trusted: readonly X509Certificate[];
  /** Who may have issued something: the trusted ones first. */
  readonly candidates: readonly X509Certificate[];
  readonly atMs: number;
  /** Each is tried once, so that certificates that all issued each other cost no more than others. */
  readonly tried: Set<X509Certificate>;
}

function isForTimestamping(certificate: X509Certificate): boolean {
  const usage = certificateParts(certificate).extensions.get(OID_EXTENDED_KEY_USAGE);
  if (usage === undefined || !usage.isCritical) return false;
  const purposes = enterDer(usage.value, TAG.sequence).rest();
  const [only, ...more] = purposes;
  return only !== undefined && more.length === 0 && new DerReader(only.bytes).takeOid() === OID_TIME_STAMPING;
}

function certificateFlaw(certificate: X509Certificate, atMs: number): string | undefined {
  if (atMs < certificate.validFromDate.getTime() || atMs > certificate.validToDate.getTime())
    return 'a certificate was not valid at the time of the time stamp';
  for (const [oid, { isCritical }] of certificateParts(certificate).extensions) {
    if (isCritical && !UNDERSTOOD.has(oid))
      return 'a certificate has a critical extension that is not understood';
  }
  return undefined;
}

/** Follows every issuer that fits; the last reason that a path failed for is told. */
function chainFlaw(certificate: X509Certificate, walk: ChainWalk, depth: number): string | undefined {
  const flaw = certificateFlaw(certificate, walk.atMs);
  if (flaw !== undefined) return flaw;
  if (walk.trusted.some((anchor) => anchor.raw.equals(certificate.raw))) return undefined;
  if (depth >= MAX_CHAIN) return 'the chain of certificates is too long';
  let reason = 'no trusted certificate leads to that of the authority';
  for (const issuer of walk.candidates) {
    if (walk.tried.has(issuer) || !mayIssue(issuer, certificate)) continue;
    walk.tried.add(issuer);
    const further = chainFlaw(issuer, walk, depth + 1);
    if (further === undefined) return undefined;
    reason = further;
  }
  return reason;
}

function mayIssue(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The authority as people know it: the common name of the certificate, else its whole subject. */
export function authorityName(certificate: X509Certificate): string {
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  return common ?? certificate.subject.replaceAll('\n', ', ');
}
