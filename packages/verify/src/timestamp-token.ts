/**
 * Time-stamp tokens (RFC 3161): a CMS SignedData (RFC 5652) over a TSTInfo, signed by one signer whose certificate is in
 * the token. Read strictly; every field that says what was stamped, when and by whom is under the signature.
 */

import { constants, createHash, getHashes, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { contextTag, DerReader, enterDer, generalizedTimeUs, oidOf, TAG, type DerValue } from './der.ts';
import { FormatError } from './errors.ts';

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  rsaPss: '1.2.840.113549.1.1.10',
  ed25519: '1.3.101.112',
} as const;

/** Digests that a token may use. SHA-1 only names the signer's certificate (RFC 3161); nothing rests on it. */
const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Signature algorithms; where the digest is left open it is that of the signer's info. */
const SIGNATURES: Readonly<Record<string, string | undefined>> = {
  '1.2.840.113549.1.1.1': undefined,
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};

/** A token and what it carries are some kilobytes. */
export const MAX_TIMESTAMP_BYTES = 256 * 1024;
const MAX_CERTIFICATES = 16;

export interface TimestampToken {
  /** `sha256`, `sha384` or `sha512`. */
  readonly imprintAlgorithm: string;
  readonly imprint: Buffer;
  /** µs since the epoch, by the authority's clock. */
  readonly timeUs: number;
  /** Magnitude without leading zeroes, when the request had one. */
  readonly nonce?: Buffer;
  /** Object identifier of the authority's policy. */
  readonly policy: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** The certificate that signed, and the others in the token. */
  readonly signer: X509Certificate;
  readonly others: readonly X509Certificate[];
}

/** Status of an answer that grants no token (RFC 3161 section 2.4.2); 0 and 1 grant one. */
export interface TimestampResponse {
  readonly status: number;
  /** DER of the token; absent when the status is not 0 or 1. */
  readonly token?: Buffer;
}

/** Splits a TimeStampResp. Throws `FormatError`. */
export function parseTimestampResponse(bytes: Uint8Array): TimestampResponse {
  if (bytes.length > MAX_TIMESTAMP_BYTES) throw new FormatError('the time-stamp answer is too long');
  const reader = enterDer(bytes, TAG.sequence);
  const status = reader.enter(TAG.sequence).takeSmallInteger();
  const isGranted = status === 0 || status === 1;
  if (reader.isAtEnd !== !isGranted)
    throw new FormatError('the status of a time-stamp answer does not fit what it holds');
  if (!isGranted) return { status };
  const token = reader.take(TAG.sequence).bytes;
  reader.end();
  return { status, token };
}

function digestName(oid: string): string {
  const name = DIGESTS[oid];
  if (name === undefined) throw new FormatError('a digest algorithm of the token is not accepted');
  return name;
}

/** Object identifier of an AlgorithmIdentifier, and its parameters. */
function algorithm(reader: DerReader): { readonly oid: string; readonly parameters: DerValue | undefined } {
  const inside = reader.enter(TAG.sequence);
  const oid = inside.takeOid();
  const parameters = inside.isAtEnd ? undefined : inside.next();
  inside.end();
  return { oid, parameters };
}

function digestAlgorithm(reader: DerReader): string {
  const { oid, parameters } = algorithm(reader);
  if (parameters !== undefined && (parameters.tag !== TAG.null || parameters.content.length > 0))
    throw new FormatError('a digest algorithm has parameters');
  return digestName(oid);
}

type Info = Omit<TimestampToken, 'signer' | 'others'>;

/** TSTInfo (RFC 3161 section 2.4.2). */
function parseInfo(bytes: Uint8Array): Info {
  const reader = enterDer(bytes, TAG.sequence);
  if (reader.takeSmallInteger() !== 1) throw new FormatError('the time-stamp version is not 1');
  const policy = reader.takeOid();
  const imprintReader = reader.enter(TAG.sequence);
  const imprintAlgorithm = digestAlgorithm(imprintReader);
  const imprint = imprintReader.take(TAG.octetString).content;
  imprintReader.end();
  const serial = reader.takeInteger().toString('hex');
  const timeUs = generalizedTimeUs(reader.take(TAG.generalizedTime));
  reader.takeIf(TAG.sequence);
  reader.takeIf(TAG.boolean);
  const nonce = reader.nextTag === TAG.integer ? reader.takeInteger() : undefined;
  reader.takeIf(contextTag(0));
  const extensions = reader.takeIf(contextTag(1));
  if (extensions !== undefined) refuseCritical(extensions);
  reader.end();
  return { imprintAlgorithm, imprint, timeUs, policy, serial, ...(nonce !== undefined && { nonce }) };
}

/** What an extension that must be understood says is not known here. */
function refuseCritical(extensions: DerValue): void {
  for (const { content } of new DerReader(extensions.content).rest()) {
    const inside = new DerReader(content);
    inside.takeOid();
    if (inside.takeIf(TAG.boolean) !== undefined)
      throw new FormatError('a time stamp has a critical extension');
  }
}

interface SignedData {
  readonly info: Buffer;
  readonly certificates: readonly X509Certificate[];
  readonly signerInfo: DerReader;
}

function parseSignedData(token: Uint8Array): SignedData {
  const content = enterDer(token, TAG.sequence);
  if (content.takeOid() !== OID.signedData) throw new FormatError('the token is not signed data');
  const explicit = content.enter(contextTag(0));
  content.end();
  const reader = explicit.enter(TAG.sequence);
  explicit.end();
  reader.takeSmallInteger();
  reader.take(TAG.set);
  const encapsulated = reader.enter(TAG.sequence);
  if (encapsulated.takeOid() !== OID.tstInfo) throw new FormatError('the token does not hold a time stamp');
  const octets = encapsulated.enter(contextTag(0));
  encapsulated.end();
  const info = octets.take(TAG.octetString).content;
  octets.end();
  const certificates = reader.takeIf(contextTag(0));
  reader.takeIf(contextTag(1));
  const signers = reader.enter(TAG.set);
  reader.end();
  const signerInfo = signers.enter(TAG.sequence);
  if (!signers.isAtEnd) throw new FormatError('the token has more than one signer');
  return { info, certificates: parseCertificates(certificates), signerInfo };
}

function parseCertificates(set: DerValue | undefined): X509Certificate[] {
  const values = set === undefined ? [] : new DerReader(set.content).rest();
  if (values.length > MAX_CERTIFICATES) throw new FormatError('the token holds too many certificates');
  return values.map(({ bytes, tag }) => {
    if (tag !== TAG.sequence) throw new FormatError('the token holds something other than certificates');
    try {
      return new X509Certificate(bytes);
    } catch (error) {
      throw new FormatError('a certificate in the token cannot be read', { cause: error });
    }
  });
}

/** Issuer and serial number, as DER, and the extensions by object identifier. */
export interface CertificateParts {
  readonly issuer: Buffer;
  readonly serial: Buffer;
  readonly extensions: ReadonlyMap<string, { readonly isCritical: boolean; readonly value: Buffer }>;
}

/** The parts of a certificate (RFC 5280 section 4.1) that `X509Certificate` does not tell byte for byte. */
export function certificateParts(certificate: X509Certificate): CertificateParts {
  const tbs = enterDer(certificate.raw, TAG.sequence).enter(TAG.sequence);
  tbs.takeIf(contextTag(0));
  const serial = tbs.take(TAG.integer).content;
  tbs.take(TAG.sequence);
  const issuer = tbs.take(TAG.sequence).bytes;
  const extensions = new Map<string, { readonly isCritical: boolean; readonly value: Buffer }>();
  for (const { content, tag } of tbs.rest()) {
    if (tag !== contextTag(3)) continue;
    for (const extension of enterDer(content, TAG.sequence).rest()) {
      const inside = new DerReader(extension.content);
      const oid = inside.takeOid();
      const critical = inside.takeIf(TAG.boolean);
      const value = inside.take(TAG.octetString).content;
      inside.end();
      if (extensions.has(oid)) throw new FormatError('a certificate has an extension twice');
      extensions.set(oid, { isCritical: critical?.content[0] === 0xff, value });
    }
  }
  return { issuer, serial, extensions };
}

/** The certificate that a SignerIdentifier by issuer and serial number means. */
function findSigner(identifier: DerValue, certificates: readonly X509Certificate[]): X509Certificate {
  if (identifier.tag !== TAG.sequence)
    throw new FormatError('the signer is not named by issuer and serial number');
  const inside = new DerReader(identifier.content);
  const issuer = inside.take(TAG.sequence).bytes;
  const serial = inside.take(TAG.integer).content;
  inside.end();
  const signer = certificates.find((certificate) => {
    const parts = certificateParts(certificate);
    return parts.issuer.equals(issuer) && parts.serial.equals(serial);
  });
  if (signer === undefined) throw new FormatError("the signer's certificate is not in the token");
  return signer;
}

/** Attribute values by object identifier; each attribute once, each with one value. */
function parseAttributes(set: DerValue): Map<string, DerValue> {
  const attributes = new Map<string, DerValue>();
  for (const { content } of new DerReader(set.content).rest()) {
    const inside = new DerReader(content);
    const oid = inside.takeOid();
    const values = inside.enter(TAG.set);
    inside.end();
    const value = values.next();
    if (attributes.has(oid) || !values.isAtEnd)
      throw new FormatError('a signed attribute is there twice or has several values');
    attributes.set(oid, value);
  }
  return attributes;
}

/** ESSCertID or ESSCertIDv2 (RFC 5035): the first names the certificate that the signature is to be checked with. */
function assertSigningCertificate(attributes: ReadonlyMap<string, DerValue>, signer: X509Certificate): void {
  const v2 = attributes.get(OID.signingCertificateV2);
  const v1 = attributes.get(OID.signingCertificate);
  const value = v2 ?? v1;
  if (value === undefined) throw new FormatError('the signed attributes do not name the certificate');
  const first = enterDer(value.bytes, TAG.sequence).enter(TAG.sequence).enter(TAG.sequence);
  let name = v2 === undefined ? 'sha1' : 'sha256';
  if (v2 !== undefined && first.nextTag === TAG.sequence) name = digestAlgorithm(first);
  const expected = first.take(TAG.octetString).content;
  if (!createHash(name).update(signer.raw).digest().equals(expected))
    throw new FormatError('the signed attributes name another certificate');
}

interface SignatureScheme {
  readonly digest: string | null;
  readonly padding?: number;
}

function signatureScheme(oid: string, parameters: DerValue | undefined, digest: string): SignatureScheme {
  if (oid === OID.ed25519) return { digest: null };
  if (oid === OID.rsaPss) return { digest: pssDigest(parameters), padding: constants.RSA_PKCS1_PSS_PADDING };
  if (!Object.hasOwn(SIGNATURES, oid))
    throw new FormatError('the signature algorithm of the token is not accepted');
  return { digest: SIGNATURES[oid] ?? digest };
}

/** RSASSA-PSS-params (RFC 4055): the digest must be given, since the default is SHA-1. */
function pssDigest(parameters: DerValue | undefined): string {
  if (parameters?.tag !== TAG.sequence) throw new FormatError('RSA-PSS without parameters');
  return digestAlgorithm(new DerReader(parameters.content).enter(contextTag(0)));
}

function isSignatureValid(
  data: Uint8Array,
  key: KeyObject,
  { digest, padding }: SignatureScheme,
  signature: Uint8Array,
): boolean {
  if (digest !== null && !getHashes().includes(digest)) return false;
  try {
    return verify(digest, data, padding === undefined ? key : { key, padding }, signature);
  } catch {
    // A key of another kind than the algorithm.
    return false;
  }
}

/**
 * Reads a token and checks its signature with the certificate that it carries and names. Whether that certificate is to
 * be trusted is `isTrustedAuthority`'s to say. Throws `FormatError`.
 */
export function parseTimestampToken(token: Uint8Array): TimestampToken {
  if (token.length > MAX_TIMESTAMP_BYTES) throw new FormatError('the time-stamp token is too long');
  const { certificates, info, signerInfo } = parseSignedData(token);
  signerInfo.takeSmallInteger();
  const signer = findSigner(signerInfo.next(), certificates);
  const digest = digestAlgorithm(signerInfo);
  const signedAttributes = signerInfo.take(contextTag(0));
  const { oid, parameters } = algorithm(signerInfo);
  const signature = signerInfo.take(TAG.octetString).content;
  signerInfo.takeIf(contextTag(1));
  signerInfo.end();

  const attributes = parseAttributes(signedAttributes);
  const contentType = attributes.get(OID.contentType);
  if (contentType === undefined || oidOf(contentType) !== OID.tstInfo)
    throw new FormatError('the signed attributes are of another content');
  const messageDigest = attributes.get(OID.messageDigest);
  const expected = createHash(digest).update(info).digest();
  if (messageDigest?.tag !== TAG.octetString || !messageDigest.content.equals(expected))
    throw new FormatError('the time stamp is not what was signed');
  assertSigningCertificate(attributes, signer);
  // What is signed is the SET OF, not the context tag that stands for it in the token (RFC 5652 section 5.4).
  const signed = Buffer.from(signedAttributes.bytes);
  signed[0] = TAG.set;
  const scheme = signatureScheme(oid, parameters, digest);
  if (!isSignatureValid(signed, signer.publicKey, scheme, signature))
    throw new FormatError('the signature of the time stamp does not fit');
  const others = certificates.filter((certificate) => certificate !== signer);
  return { ...parseInfo(info), signer, others };
}

/** Whether the token is of exactly these bytes. */
export function isTimestampOf(token: TimestampToken, data: Uint8Array): boolean {
  return createHash(token.imprintAlgorithm).update(data).digest().equals(token.imprint);
}
