/**
 * The demo's folder: keys, passwords and configuration, made at the first start and kept. Every file is 0600. The secrets are for trying out only; `countersign serve` refuses them.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeVerifier } from '../../../packages/gateway/src/identity/scram-verifier.ts';

export interface DemoFolder {
  readonly directory: string;
  readonly configFile: string;
  /** What scripts read: addresses, connection strings, paths. */
  readonly demoFile: string;
  readonly gatewayLog: string;
  /** The public log that `countersign log verify` checks. */
  readonly logDirectory: string;
  readonly databaseDirectory: string;
  /** The custodian's private key. In earnest it lies on another machine. */
  readonly custodianKeyFile: string;
  /** Cleartext passwords by user. */
  readonly passwords: Passwords;
}

const USERS = ['postgres', 'countersign_gateway', 'report-agent', 'service-agent', 'operator'] as const;

type Passwords = Readonly<Record<(typeof USERS)[number], string>>;

/** Whose password the gateway must not know: it gets a verifier. */
const CLIENTS = ['report-agent', 'service-agent', 'operator'] as const;

export type DemoClient = (typeof CLIENTS)[number];

/** Whose password the gateway uses towards the database. It makes the roles that sessions run as. */
const GATEWAY_LOGIN = 'countersign_gateway';

const PRIVATE = { mode: 0o600 } as const;

function writeKeys(keys: string): void {
  const signing = generateKeyPairSync('ed25519');
  const custodian = generateKeyPairSync('x25519');
  const files = {
    'log-signing.pem': signing.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'custodian-public.pem': custodian.publicKey.export({ type: 'spki', format: 'pem' }),
    'custodian-private.pem': custodian.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
  for (const [name, pem] of Object.entries(files)) {
    writeFileSync(join(keys, name), pem, PRIVATE);
  }
}

/** What the keys of masking are derived from. A folder of an earlier version of the demo lacks it. */
function makeMaskingKey(keys: string): void {
  const file = join(keys, 'masking.key');
  if (!existsSync(file)) writeFileSync(file, randomBytes(48).toString('base64'), PRIVATE);
}

async function writePasswords(keys: string, passwords: Passwords): Promise<void> {
  for (const user of CLIENTS) {
    writeFileSync(join(keys, `${user}.verifier`), await makeVerifier(passwords[user]), PRIVATE);
  }
  writeFileSync(join(keys, `${GATEWAY_LOGIN}.password`), passwords[GATEWAY_LOGIN], PRIVATE);
}

/** Keys and passwords as they are; those that are missing are made. */
async function openKeys(keys: string): Promise<Passwords> {
  makeMaskingKey(keys);
  const file = join(keys, 'passwords.json');
  const isNew = !existsSync(file);
  const known = isNew ? {} : (JSON.parse(readFileSync(file, 'utf8')) as Partial<Passwords>);
  // A folder of an earlier version of the demo lacks users that came later.
  if (USERS.every((user) => known[user] !== undefined)) return known as Passwords;
  const made = Object.fromEntries(
    USERS.map((user) => [user, known[user] ?? randomBytes(18).toString('base64url')]),
  ) as Passwords;
  if (isNew) writeKeys(keys);
  await writePasswords(keys, made);
  // Last: its presence means that everything else is there.
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, PRIVATE);
  return made;
}

/** Opens the folder, and makes what is not there yet. */
export async function openDemoFolder(directory: string): Promise<DemoFolder> {
  const keys = join(directory, 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  // Search, not read, for others: started by root, the database runs as another user and keeps its data in here.
  chmodSync(directory, process.getuid?.() === 0 ? 0o711 : 0o700);
  const passwords = await openKeys(keys);
  return {
    directory,
    configFile: join(directory, 'countersign.yaml'),
    demoFile: join(directory, 'demo.json'),
    gatewayLog: join(directory, 'gateway.log'),
    logDirectory: join(directory, 'state', 'log'),
    databaseDirectory: join(directory, 'postgres'),
    custodianKeyFile: join(keys, 'custodian-private.pem'),
    passwords,
  };
}

/** What the example no longer has goes: a rule that was taken back must not stay in force. */
function copyPolicies(directory: string): void {
  const copy = join(directory, 'policies');
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(import.meta.dirname, '..', 'policies'), copy, { recursive: true });
}

/** The example's configuration with the real addresses in it. */
export function writeConfiguration(
  folder: DemoFolder,
  ports: { readonly gateway: number; readonly database: number },
): void {
  const example = readFileSync(join(import.meta.dirname, '..', 'countersign.yaml'), 'utf8');
  const replaced = [
    ['127.0.0.1:6432', `127.0.0.1:${ports.gateway}`],
    ['127.0.0.1:5432', `127.0.0.1:${ports.database}`],
  ].reduce((text, [from = '', to = '']) => {
    if (!text.includes(from)) {
      throw new Error(`examples/bank/countersign.yaml no longer has the address ${from}`);
    }
    return text.replace(from, to);
  }, example);
  writeFileSync(folder.configFile, replaced, PRIVATE);
  copyPolicies(folder.directory);
}
