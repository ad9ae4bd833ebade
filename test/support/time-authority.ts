/** A time-stamping authority (RFC 3161): OpenSSL's `ts -reply` behind a loopback HTTP server, with certificates of its own. */

import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const KEY_KINDS = {
  rsa: ['-newkey', 'rsa:2048'],
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
} as const;

export interface AuthorityOptions {
  /** Default `ec`. */
  readonly kind?: keyof typeof KEY_KINDS;
  /** Extensions of the authority's certificate. Default: those of an authority. */
  readonly extensions?: string;
  /** A certificate between the root and the authority, with these extensions; true: of a certificate authority. Default none. */
  readonly intermediate?: boolean | string;
  /** Days of validity of the authority's certificate; negative: it ended so long ago. Default 2. */
  readonly days?: number;
}

/** What an answer is made of before it is sent. */
export type Tamper = (answer: Buffer, query: Buffer) => Buffer | Promise<Buffer>;

const AUTHORITY_EXTENSIONS =
  'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n';

const ISSUER_EXTENSIONS = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n';

export class TimeAuthority {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-tsa-'));
  /** PEM file of the root certificate. */
  readonly ca = join(this.directory, 'root.pem');
  /** How many requests it was sent. */
  requests = 0;
  /** Instead of the true answer: this HTTP status. */
  status = 200;
  /** Changes the answer on its way. */
  tamper: Tamper | undefined;
  #server: Server | undefined;

  constructor(options: AuthorityOptions = {}) {
    const { days = 2, extensions = AUTHORITY_EXTENSIONS, intermediate = false, kind = 'ec' } = options;
    const newKey = [...KEY_KINDS[kind], '-nodes'];
    const root = ['-keyout', this.#path('root.key'), '-out', this.ca, '-days', '3'];
    openssl('req', '-x509', ...newKey, ...root, '-subj', '/CN=test root');
    if (intermediate !== false) {
      this.#issue('between', 'root', newKey, intermediate === true ? ISSUER_EXTENSIONS : intermediate, 2);
      writeFileSync(this.#path('chain.pem'), readFileSync(this.#path('between.pem')));
    }
    this.#issue('tsa', intermediate === false ? 'root' : 'between', newKey, extensions, days);
    writeFileSync(this.#path('serial'), '01\n');
    writeFileSync(this.#path('tsa.cnf'), this.#configuration(intermediate !== false));
  }

  #path(name: string): string {
    return join(this.directory, name);
  }

  #issue(name: string, issuer: string, newKey: readonly string[], extensions: string, days: number): void {
    const [key, csr, pem, ext] = ['key', 'csr', 'pem', 'ext'].map((suffix) =>
      this.#path(`${name}.${suffix}`),
    );
    openssl('req', ...newKey, '-keyout', key!, '-out', csr!, '-subj', `/CN=test ${name}`);
    writeFileSync(ext!, extensions);
    const ca = ['-CA', this.#path(`${issuer}.pem`), '-CAkey', this.#path(`${issuer}.key`), '-CAcreateserial'];
    openssl('x509', '-req', '-in', csr!, '-out', pem!, ...ca, '-extfile', ext!, '-days', String(days));
  }

  #configuration(intermediate: boolean): string {
    return `[tsa]
default_tsa = here
[here]
serial = ${this.#path('serial')}
signer_cert = ${this.#path('tsa.pem')}
signer_key = ${this.#path('tsa.key')}
${intermediate ? `certs = ${this.#path('chain.pem')}` : ''}
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`;
  }

  /** The answer to a request in DER. */
  async reply(query: Buffer): Promise<Buffer> {
    const [ask, answer] = [this.#path(`${++this.requests}.tsq`), this.#path(`${this.requests}.tsr`)];
    writeFileSync(ask, query);
    await run('openssl', [
      'ts',
      '-reply',
      '-config',
      this.#path('tsa.cnf'),
      '-queryfile',
      ask,
      '-out',
      answer,
    ]);
    const bytes = readFileSync(answer);
    return this.tamper === undefined ? bytes : this.tamper(bytes, query);
  }

  /** Starts to listen; gives the URL. */
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => void this.#answer(Buffer.concat(chunks), response));
    });
    this.#server = server;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsa`;
  }

  async #answer(query: Buffer, response: ServerResponse): Promise<void> {
    if (this.status !== 200) {
      this.requests++;
      response.writeHead(this.status).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/timestamp-reply' }).end(await this.reply(query));
  }

  async remove(): Promise<void> {
    this.#server?.closeAllConnections();
    if (this.#server !== undefined) await new Promise((resolve) => this.#server!.close(resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function openssl(...options: readonly string[]): void {
  execFileSync('openssl', options, { stdio: 'ignore' });
}
