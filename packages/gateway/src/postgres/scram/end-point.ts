import { hash, type X509Certificate } from 'node:crypto';

/**
 * tls-server-end-point channel binding data (RFC 5929 section 4.1): the hash of the server's certificate, by the hash of its
 * signature, with SHA-256 in place of MD5 and SHA-1. Undefined where the signature names no single hash (Ed25519) or hides
 * it in parameters (RSA-PSS): then -PLUS is not offered, as PostgreSQL below 16 does.
 */
export function tlsServerEndPoint(certificate: X509Certificate): Buffer | undefined {
  const match = /(md5|sha1|sha224|sha256|sha384|sha512)/i.exec(
    (certificate.signatureAlgorithm ?? '').replaceAll('-', ''),
  );
  const algorithm = match?.[1]?.toLowerCase();
  if (algorithm === undefined) return undefined;
  const used = algorithm === 'md5' || algorithm === 'sha1' ? 'sha256' : algorithm;
  return hash(used, certificate.raw, 'buffer');
}
