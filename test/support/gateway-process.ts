/**
 * The real gateway as a process of its own, in front of one PostgreSQL target, for tests that kill it and benchmarks
 * that weigh it. State, keys and configuration live in a temporary folder that outlives each process, not `remove()`.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import type { RawEndpoint } from './raw-session.ts';
import { StoppableProcess, untilListening, type StartedProcess } from './stoppable-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'packages/gateway/src/cli/main.ts');

/** What deploy/ starts the product with (docs/performance.md). */
const NODE_FLAGS = ['--max-semi-space-size=2', '--single-threaded-gc', '--liftoff-only'];

export const PRINCIPAL = 'tester';
export const TARGET = 'bank';

/** A scope that covers whatever there is, and a policy that permits it, for tests that are about something else. In YAML. */
export const EVERYTHING =
  "{ relations: [{ on: ['*.*'], verbs: [all] }], functions: ['*.*'], ddl: ['*'], allow: [all] }";

/** Makes the folder of policies. */
export function writePermitAll(directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'all.cedar'), '@id("all")\npermit (principal, action, resource);\n');
}

export interface GatewayTarget {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface GatewaySettings {
  readonly target: GatewayTarget;
  /** Keys of the `record` section, as written in YAML. */
  readonly record?: Readonly<Record<string, string>>;
  /** Where journal, log and vault go. Default: `state` in the folder. */
  readonly stateDirectory?: string;
  /** Of the grant, as written in YAML on one line. Default: `EVERYTHING`. */
  readonly scope?: string;
  /** Masks columns. In YAML, on one line each. Absent: nothing is masked. */
  readonly masking?: {
    /** Of the section `masking`: its classes. */
    readonly rules: string;
    /** Of the target: which columns are regulated. */
    readonly columns: string;
  };
}

/** A folder with everything `countersign serve` needs. */
export class GatewayFolder {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly configFile: string;
  /** PEM of the custodian's private key, which the gateway never sees. */
  readonly custodianKey: string;
  readonly password = 'correct horse battery staple';

  private constructor(directory: string, stateDirectory: string, custodianKey: string) {
    this.directory = directory;
    this.stateDirectory = stateDirectory;
    this.configFile = join(directory, 'countersign.yaml');
    this.custodianKey = custodianKey;
  }

  static async create(settings: GatewaySettings): Promise<GatewayFolder> {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-gateway-'));
    const signing = generateKeyPairSync('ed25519');
    const custodian = generateKeyPairSync('x25519');
    const custodianKey = custodian.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const folder = new GatewayFolder(
      directory,
      settings.stateDirectory ?? join(directory, 'state'),
      custodianKey,
    );
    const secret = (name: string, text: string): void =>
      writeFileSync(join(directory, name), text, { mode: 0o600 });
    secret('signing.pem', signing.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    secret('custodian.pem', custodian.publicKey.export({ type: 'spki', format: 'pem' }).toString());
    secret('tester.verifier', await makeVerifier(folder.password));
    secret('target.password', settings.target.password);
    if (settings.masking !== undefined) secret('masking.key', randomBytes(48).toString('base64'));
    writePermitAll(join(directory, 'policies'));
    mkdirSync(folder.stateDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(folder.configFile, folder.#yaml(settings), { mode: 0o600 });
    return folder;
  }

  #yaml(settings: GatewaySettings): string {
    const { target, masking } = settings;
    const record = Object.entries({ minFree: '1MiB', ...settings.record });
    return `version: 1
node: test-node
state: ${this.stateDirectory}
log:
  origin: test.example/countersign
  signingKey: file:signing.pem
vault:
  custodianKey: file:custodian.pem
  retentionClass: standard
policies: policies
${masking === undefined ? '' : `masking:\n  key: file:masking.key\n  classes: ${masking.rules}`}
record:
${record.map(([key, value]) => `  ${key}: ${value}`).join('\n')}
listen:
  postgres:
    address: 127.0.0.1:0
  health:
    address: 127.0.0.1:0
targets:
  ${TARGET}:
    protocol: postgres
    hosts: ['127.0.0.1:${target.port}']
    database: ${target.database}
    logins:
      app:
        user: ${target.user}
        password: file:target.password
${masking === undefined ? '' : `    classes: ${masking.columns}`}
principals:
  - name: ${PRINCIPAL}
    owner: Test Team <tests@example.com>
    kind: service
    credential: file:tester.verifier
grants:
  - id: tests
    principal: ${PRINCIPAL}
    target: ${TARGET}
    login: app
    expires: 2090-01-01
    scope: ${settings.scope ?? EVERYTHING}
`;
  }

  endpoint(port: number): RawEndpoint {
    return { host: '127.0.0.1', port, database: TARGET, user: PRINCIPAL, password: this.password };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface StartOptions {
  /** Program instead of `countersign serve`, for the deliberately different builds of tests and benchmarks. */
  readonly program?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** More arguments behind `serve -c <file>`. */
  readonly arguments?: readonly string[];
  /** Flags for Node itself, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

interface Listening {
  readonly postgres: number;
  readonly health: number;
}

/** Where compiled modules are kept between starts: a gateway that starts two hundred times should not parse as often. */
const COMPILE_CACHE = join(tmpdir(), `countersign-compile-cache-${process.getuid?.() ?? 0}`);

/** The bare process, which may not listen yet, or ever. Its log comes on `stderr`, which must be read. */
export function spawnGateway(folder: GatewayFolder, options: StartOptions = {}): ChildProcess {
  const program = options.program ?? MAIN;
  return spawn(
    process.execPath,
    [
      ...NODE_FLAGS,
      ...(options.nodeFlags ?? []),
      program,
      'serve',
      '-c',
      folder.configFile,
      ...(options.arguments ?? []),
    ],
    {
      cwd: folder.directory,
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.environment },
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  );
}

export class GatewayProcess extends StoppableProcess {
  readonly pid: number;
  readonly port: number;
  readonly healthPort: number;

  private constructor(started: StartedProcess<Listening>) {
    super(started);
    this.pid = started.child.pid ?? 0;
    this.port = started.listening.postgres;
    this.healthPort = started.listening.health;
  }

  /** Resolves when the gateway takes connections. Throws with its own log when it stops before. */
  static async start(folder: GatewayFolder, options: StartOptions = {}): Promise<GatewayProcess> {
    const started = await untilListening(spawnGateway(folder, options), 'the gateway', (_, log) => {
      const { postgres, health } = portsIn(log);
      return postgres === undefined || health === undefined ? undefined : { postgres, health };
    });
    return new GatewayProcess(started);
  }

  /** The health listener's answer: `ready`, `live` or `metrics`. */
  async get(path: 'live' | 'ready' | 'metrics'): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.healthPort}/${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** One figure of `/metrics`, summed over its labels; 0 when there is none. */
  async metric(name: string): Promise<number> {
    const { body } = await this.get('metrics');
    let sum = 0;
    for (const line of body.split('\n')) {
      if (line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        sum += Number(line.slice(line.lastIndexOf(' ')));
    }
    return sum;
  }
}

interface LogLine {
  readonly event?: string;
  readonly port?: number;
}

/** The ports it says it listens on, from its own log lines. */
function portsIn(log: string): { postgres?: number; health?: number } {
  const found: { postgres?: number; health?: number } = {};
  for (const text of log.split('\n')) {
    if (!text.startsWith('{') || !text.endsWith('}')) continue;
    const line = JSON.parse(text) as LogLine;
    if (line.event === 'listening' && line.port !== undefined) found.postgres = line.port;
    if (line.event === 'health listening' && line.port !== undefined) found.health = line.port;
  }
  return found;
}
