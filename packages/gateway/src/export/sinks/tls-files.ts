import type { SecretRef, Secrets } from '../../config/config.ts';

/** TLS of an outgoing connection, as configuration refers to it. */
export interface OutgoingTls {
  readonly ca?: SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
  /** Name to expect in the certificate, when not the host. */
  readonly serverName?: string;
}

/** What `tls.connect` and `https.request` take. Files are read anew at each call: a renewed certificate counts at once. */
export async function readTls(
  tls: OutgoingTls,
  secrets: Secrets,
): Promise<{
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
}> {
  const { ca, cert, key, serverName } = tls;
  return {
    ...(ca === undefined ? {} : { ca: await secrets.read(ca) }),
    ...(cert === undefined ? {} : { cert: await secrets.read(cert) }),
    ...(key === undefined ? {} : { key: await secrets.read(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
