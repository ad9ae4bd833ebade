/** A real rsyslogd on loopback, over TLS or plain TCP, that writes what it receives to a file. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseSyslog, type SyslogRecord } from './receivers.ts';

const PROGRAM = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd', '/usr/bin/rsyslogd'].find((path) =>
  existsSync(path),
);

export interface RsyslogTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A port that was free a moment ago: rsyslogd does not tell which one it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class Rsyslog {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-rsyslog-'));
  readonly port: number;
  readonly #output = join(this.directory, 'received.log');
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(tls?: RsyslogTls): Promise<Rsyslog> {
    if (PROGRAM === undefined) throw new Error('rsyslogd is missing; install rsyslog and rsyslog-gnutls');
    const rsyslog = new Rsyslog(await freePort());
    rsyslog.#configure(tls);
    await rsyslog.restart();
    return rsyslog;
  }

  #configure(tls: RsyslogTls | undefined): void {
    const [files, driver] =
      tls === undefined
        ? ['', '']
        : [
            ` defaultNetstreamDriverCAFile="${tls.ca}" defaultNetstreamDriverCertFile="${tls.cert}" defaultNetstreamDriverKeyFile="${tls.key}"`,
            ' streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"',
          ];
    // A direct queue: what was read is written before more is read.
    const text = `global(workDirectory="${this.directory}" maxMessageSize="256k"${files})
main_queue(queue.type="direct")
module(load="imtcp"${driver})
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="keep" queue.type="direct") { action(type="omfile" file="${this.#output}" template="raw" asyncWriting="off" flushOnTXEnd="on") }
input(type="imtcp" port="${this.port}" address="127.0.0.1" ruleset="keep")
`;
    writeFileSync(join(this.directory, 'rsyslog.conf'), text);
  }

  /** Starts it (again) and waits until it accepts connections. */
  async restart(): Promise<void> {
    const options = ['-n', '-f', join(this.directory, 'rsyslog.conf'), '-i', join(this.directory, 'pid')];
    const child = spawn(PROGRAM!, options, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    this.#child = child;
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null) throw new Error(`rsyslogd stopped:\n${log}`);
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
  }

  get received(): readonly SyslogRecord[] {
    if (!existsSync(this.#output)) return [];
    return readFileSync(this.#output, 'utf8').split('\n').slice(0, -1).map(parseSyslog);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(join(this.directory, 'pid'), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
