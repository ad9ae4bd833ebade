import type { LoginConfig, PostgresTargetConfig, Secrets } from '../../config/config.ts';

/** What the gateway proves itself with to one target, read anew for each dial so that a rotation needs no reload. */
export interface Credentials {
  /** As text; a file's trailing newline is not part of it. */
  readonly password?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Throws `CS_SECRET_UNAVAILABLE`. */
export async function loadCredentials(
  target: PostgresTargetConfig,
  login: LoginConfig,
  secrets: Secrets,
): Promise<Credentials> {
  const { ca, cert, key } = target.tls;
  const [passwordBytes, caBytes, certBytes, keyBytes] = await Promise.all(
    [login.password, ca, cert, key].map(async (ref) => (ref === undefined ? undefined : secrets.read(ref))),
  );
  return {
    ...(passwordBytes === undefined
      ? {}
      : { password: passwordBytes.toString('utf8').replace(/\r?\n$/, '') }),
    ...(caBytes === undefined ? {} : { ca: caBytes }),
    ...(certBytes === undefined ? {} : { cert: certBytes }),
    ...(keyBytes === undefined ? {} : { key: keyBytes }),
  };
}
