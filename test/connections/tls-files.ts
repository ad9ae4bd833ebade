import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A throw-away certificate authority, made with OpenSSL's command line. */
export class TlsFiles {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-tls-'));
  readonly ca = join(this.directory, 'ca.pem');
  readonly #caKey = join(this.directory, 'ca.key');

  constructor() {
    const files = ['-keyout', this.#caKey, '-out', this.ca];
    openssl('req', '-x509', ...NEW_KEY, ...files, '-days', '2', '-subj', '/CN=test authority');
  }

  /** `digest` signs it (default sha256); `names` as OpenSSL writes a subjectAltName (default `DNS:localhost`). */
  issue(name: string, options: { readonly digest?: string; readonly names?: string } = {}): CertificateFiles {
    const { digest = 'sha256', names = 'DNS:localhost' } = options;
    const path = (suffix: string): string => join(this.directory, `${name}.${suffix}`);
    openssl('req', ...NEW_KEY, '-keyout', path('key'), '-out', path('csr'), '-subj', `/CN=${name}`);
    writeFileSync(path('ext'), `subjectAltName=${names}\n`);
    const authority = ['-CA', this.ca, '-CAkey', this.#caKey, '-CAcreateserial', '-extfile', path('ext')];
    openssl(
      'x509',
      '-req',
      `-${digest}`,
      '-days',
      '2',
      '-in',
      path('csr'),
      '-out',
      path('pem'),
      ...authority,
    );
    return { cert: path('pem'), key: path('key') };
  }

  read(path: string): string {
    return readFileSync(path, 'utf8');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...options: readonly string[]): void {
  execFileSync('openssl', options, { stdio: 'ignore' });
}
