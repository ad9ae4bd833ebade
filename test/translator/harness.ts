/**
 * The real gateway, in this process, between real bytes and a real PostgreSQL. A test talks to it, closes it, and reads the
 * record as an examiner would.
 */
import { strict as assert } from 'node:assert';
import { after } from 'node:test';
import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import type { CountersignConfig } from '../../packages/gateway/src/config/config.ts';
import { createLogger } from '../../packages/gateway/src/observe/logger.ts';
import { startGateway } from '../../packages/gateway/src/gateway/gateway.ts';
import { GatewayFolder, type GatewaySettings } from '../support/gateway-process.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { RawSession, type RawEndpoint, type RawMessage } from '../support/raw-session.ts';
import { ownSessions, readLeaves, Vault, verifyRecord, type Leaf } from '../support/record-view.ts';

/** One command as the record tells it, texts opened with the custodian's key. */
export interface RecordedCall {
  readonly type: 'call.intent' | 'call.denied';
  readonly id: string;
  readonly session: string;
  readonly kind: string;
  readonly effect?: string;
  readonly statement?: string;
  readonly statementName?: string;
  readonly params?: readonly (string | null)[];
  readonly resumes?: string;
  readonly sqlstate?: string;
  readonly reasons: readonly string[];
  /** Fields of `call.result`; undefined: the log has none. */
  readonly result: Leaf | undefined;
}

export interface RecordReading {
  readonly verdict: string;
  readonly leaves: readonly Leaf[];
  /** Of clients: the gateway's own statements are in the leaves only. */
  readonly calls: readonly RecordedCall[];
  /** By session. */
  readonly digestKeys: ReadonlyMap<string, Buffer>;
}

export interface HarnessOptions extends Partial<GatewaySettings> {
  readonly change?: (config: CountersignConfig) => CountersignConfig;
}

/** Started and not finished: a test that failed before its end would keep the process of its file running. */
const unfinished = new Set<Harness>();

after(async () => {
  for (const harness of unfinished) {
    await harness.gateway.close();
    harness.folder.remove();
  }
});

/** A gateway with a state of its own, in front of `server`. */
export class Harness {
  readonly folder: GatewayFolder;
  readonly endpoint: RawEndpoint;
  readonly gateway: Awaited<ReturnType<typeof startGateway>>;

  private constructor(folder: GatewayFolder, gateway: Harness['gateway']) {
    this.folder = folder;
    this.gateway = gateway;
    this.endpoint = folder.endpoint(gateway.address.port);
    unfinished.add(this);
  }

  static async start(server: PostgresServer, options: HarnessOptions = {}): Promise<Harness> {
    const { change, ...settings } = options;
    const folder = await GatewayFolder.create({
      target: { port: server.port, database: 'postgres', user: server.user, password: server.password },
      ...settings,
    });
    const { config } = readConfig(folder.configFile);
    assert.ok(config, 'the test configuration is valid');
    const logger = silentLogger();
    const gateway = await startGateway(change?.(config) ?? config, { logger });
    return new Harness(folder, gateway);
  }

  connect(): Promise<RawSession> {
    return RawSession.connect(this.endpoint);
  }

  /** Ends the gateway and reads everything that it recorded. Removes the folder. */
  async finish(): Promise<RecordReading> {
    unfinished.delete(this);
    await this.gateway.close();
    try {
      const report = await verifyRecord(this.folder.stateDirectory);
      const leaves = readLeaves(this.folder.stateDirectory);
      const vault = new Vault(this.folder.stateDirectory, this.folder.custodianKey);
      const results = new Map(
        leaves.filter((leaf) => leaf.type === 'call.result').map((leaf) => [String(leaf['call']), leaf]),
      );
      const own = ownSessions(leaves);
      const calls = leaves
        .filter((leaf) => leaf.type === 'call.intent' || leaf.type === 'call.denied')
        .filter(({ session }) => session !== undefined && !own.has(session))
        .map((leaf) => readCall(leaf, vault, results));
      const digestKeys = new Map(
        leaves
          .filter((leaf) => leaf.type === 'session.opened')
          .filter((leaf) => typeof leaf['digest_key'] === 'string')
          .map((leaf) => [leaf.session!, vault.open(leaf, 'digest_key', String(leaf['digest_key']))]),
      );
      return { verdict: report.verdict, leaves, calls, digestKeys };
    } finally {
      this.folder.remove();
    }
  }
}

function readCall(leaf: Leaf, vault: Vault, results: ReadonlyMap<string, Leaf>): RecordedCall {
  const open = (field: string, digest: unknown): string | undefined =>
    typeof digest === 'string' ? vault.open(leaf, field, digest).toString('utf8') : undefined;
  const digests = leaf['params'] as readonly string[] | undefined;
  const decision = leaf['decision'] as { readonly reasons: readonly string[] };
  return {
    type: leaf.type as RecordedCall['type'],
    id: leaf.id!,
    session: leaf.session!,
    kind: String(leaf['kind']),
    reasons: decision.reasons,
    result: results.get(leaf.id!),
    ...optional('effect', leaf['effect'] as string | undefined),
    ...optional('statement', open('statement', leaf['statement'])),
    ...optional('statementName', open('statement_name', leaf['statement_name'])),
    ...optional('resumes', leaf['resumes'] as string | undefined),
    ...optional('sqlstate', leaf['sqlstate'] as string | undefined),
    ...optional(
      'params',
      digests?.map((digest, index) => parameterText(vault.open(leaf, `params.${index}`, digest))),
    ),
  };
}

function optional<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}

/** Undoes u32 OID ‖ u16 format ‖ i32 length ‖ bytes. */
function parameterText(committed: Buffer): string | null {
  const length = committed.readInt32BE(6);
  if (length === -1) return null;
  assert.equal(committed.length, 10 + length);
  return committed.toString('utf8', 10);
}

function silentLogger(): ReturnType<typeof createLogger> {
  return createLogger({ level: 'silent' });
}

/** The type bytes of an answer, for comparing its shape. */
export function shape(messages: readonly RawMessage[]): string {
  return messages.map(({ type }) => type).join('');
}

/** One throw-away server for a test file. */
export async function startServer(): Promise<PostgresServer> {
  return await startTestPostgres();
}

/** What is sent in one write, and the type of message that ends its answer (default ReadyForQuery; empty: wait for nothing). */
export type Step = Buffer | { readonly send: Buffer; readonly until: string; readonly times?: number };

/** Plays the steps in one session and gives every message of the answers as text: type, and body as latin1. */
export async function play(endpoint: RawEndpoint, steps: readonly Step[]): Promise<string[]> {
  const session = await RawSession.connect(endpoint);
  const answers: string[] = [];
  for (const step of steps) {
    const { send, until, times = 1 } = Buffer.isBuffer(step) ? { send: step, until: 'Z' } : step;
    session.send(send);
    for (let left = until === '' ? 0 : times; left > 0; left--) {
      const messages = await session.receiveUntil(until);
      for (const { type, body } of messages) {
        // The schema of temporary tables has the number of the session in its name.
        const text = body.toString('latin1').replaceAll(/pg_temp_\d+/g, 'pg_temp');
        answers.push(`${type} ${text.includes('\0C42601\0') ? syntaxError(text) : text}`);
      }
    }
  }
  session.end();
  return answers;
}

/** The gateway's parser is the server's, so its error has the same code, message and position; it does not tell where in the source it is. */
function syntaxError(fields: string): string {
  return fields.replaceAll(/\0[FLR][^\0]*(?=\0)/g, '');
}

/** Where the server itself is reached. */
export function directEndpoint(server: PostgresServer): RawEndpoint {
  const { host, port, user, password } = server;
  return { host, port, user, password, database: 'postgres' };
}
