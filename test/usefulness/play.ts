/** Plays the cases against a real server, directly and through the real gateway, in two copies of one database. */
import { Client } from 'pg';
import type { CountersignConfig } from '../../packages/gateway/src/config/config.ts';
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type { MaskingGrant } from '../../packages/gateway/src/masking/rules.ts';
import { startTestPostgres, type PostgresMajor, type PostgresServer } from '../support/postgres-server.ts';
import type { RawEndpoint } from '../support/raw-session.ts';
import { Harness } from '../translator/harness.ts';
import { BANK_SQL, BUDGETS, CLASSES, ROUTINES, VIEW_CLASSES } from './bank.ts';
import type { Case, Protocol, Who } from './case.ts';
import { Comparer, SECRET, told } from './compare.ts';
import { Speaker, type Answer } from './speaker.ts';

const KEY_VARIABLE = 'COUNTERSIGN_TEST_MASKING_KEY';
const LOGIN = { user: 'app', password: 'not-a-secret-in-a-test' };
const PROTOCOLS: readonly Protocol[] = ['simple', 'extended', 'binary'];

export interface Verdict {
  readonly id: string;
  /** Through the gateway only. `reason` is the first of the refusal. */
  readonly refused?: { readonly reason: string; readonly told: string };
  readonly differences: readonly string[];
  readonly cells: number;
  readonly maskedCells: number;
}

export class Bank {
  readonly #server: PostgresServer;
  readonly #comparer: Comparer;
  readonly #gateways = new Map<Who, Harness>();
  /** By port. */
  readonly #speakers = new Map<number, Speaker>();
  #isReleased = false;

  private constructor(server: PostgresServer, comparer: Comparer) {
    this.#server = server;
    this.#comparer = comparer;
  }

  static async start(major: PostgresMajor = 18): Promise<Bank> {
    const server = await startTestPostgres({ major, settings: { timezone: 'UTC', autovacuum: 'off' } });
    try {
      const admin = new Client({ connectionString: server.url() });
      await admin.connect();
      await admin.query(`create role app login password '${LOGIN.password}'`);
      await admin.query('create database direct owner app');
      const owner = new Client({ ...LOGIN, host: '127.0.0.1', port: server.port, database: 'direct' });
      await owner.connect();
      await owner.query(BANK_SQL);
      const classified = new Map<string, string>();
      const { rows } = await owner.query<{ relation: string; name: string; at: string; last: string }>(
        `select c.relnamespace::regnamespace || '.' || c.relname as relation, a.attname as name, c.oid || '.' || a.attnum as at,
           (select max(oid) from pg_class) as last
         from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace::regnamespace::text in ('bank', 'reports')`,
      );
      for (const { relation, name, at } of rows) {
        const written = { ...CLASSES, ...VIEW_CLASSES }[relation]?.[name];
        if (written !== undefined) classified.set(at, written);
      }
      await owner.end();
      await admin.query('create database masked template direct owner app');
      await admin.end();
      return new Bank(server, new Comparer(classified, Number(rows[0]?.last)));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async play(each: Case): Promise<Verdict> {
    const verdicts: Verdict[] = [];
    const protocols = protocolsOf(each);
    for (const protocol of protocols) verdicts.push(await this.#playBy(each, protocol));
    const refused = verdicts.find((verdict) => verdict.refused !== undefined)?.refused;
    return {
      id: each.id,
      ...(refused === undefined ? {} : { refused }),
      differences: verdicts.flatMap(({ differences }, index) =>
        differences.map((difference) => `${protocols[index]}: ${difference}`),
      ),
      cells: verdicts.reduce((sum, { cells }) => sum + cells, 0),
      maskedCells: verdicts.reduce((sum, { maskedCells }) => sum + maskedCells, 0),
    };
  }

  async #playBy(each: Case, protocol: Protocol): Promise<Verdict> {
    // What is refused changes nothing, so it must not change the other copy either.
    const { endpoint } = await this.#gatewayOf(each.who);
    const through = await this.#sayAll(endpoint, each, protocol, false);
    const refusal = through.find(isRefusal)?.error;
    const direct = await this.#sayAll(this.#direct(), each, protocol, refusal !== undefined);
    if (refusal !== undefined) {
      const failed = direct.find(({ error }) => error !== undefined);
      return {
        id: each.id,
        refused: { reason: reasonOf(refusal), told: `${refusal.message} ${refusal.detail}` },
        differences: failed === undefined ? [] : [`refused, and fails directly: ${told(failed)}`],
        cells: 0,
        maskedCells: 0,
      };
    }
    const parts = direct.map((answer, index) => this.#comparer.compare(each, answer, through[index]!));
    const failed = direct.find(({ error }) => error !== undefined);
    return {
      id: each.id,
      differences: [
        ...parts.flatMap(({ differences }) => differences),
        ...(failed === undefined ? [] : [`fails directly: ${told(failed)}`]),
      ],
      cells: parts.reduce((sum, { cells }) => sum + cells, 0),
      maskedCells: parts.reduce((sum, { maskedCells }) => sum + maskedCells, 0),
    };
  }

  async #sayAll(
    endpoint: RawEndpoint,
    { steps }: Case,
    protocol: Protocol,
    isUndone: boolean,
  ): Promise<Answer[]> {
    // One statement leaves nothing behind in its session.
    const isAlone = steps.length === 1;
    const speaker = isAlone ? await this.#sharedSpeaker(endpoint) : await Speaker.connect(endpoint);
    const answers: Answer[] = [];
    try {
      if (isUndone) await speaker.say('begin', 'simple');
      for (const step of steps) answers.push(await speaker.say(step, protocol));
      if (isUndone) await speaker.say('rollback', 'simple');
    } finally {
      if (!isAlone) speaker.end();
    }
    return answers;
  }

  async #sharedSpeaker(endpoint: RawEndpoint): Promise<Speaker> {
    let speaker = this.#speakers.get(endpoint.port);
    if (speaker === undefined) {
      speaker = await Speaker.connect(endpoint);
      this.#speakers.set(endpoint.port, speaker);
    }
    return speaker;
  }

  #direct(): RawEndpoint {
    return { ...LOGIN, host: '127.0.0.1', port: this.#server.port, database: 'direct' };
  }

  async #gatewayOf(who: Who): Promise<Harness> {
    let gateway = this.#gateways.get(who);
    if (gateway === undefined) {
      gateway = await Harness.start(this.#server, {
        target: { ...LOGIN, port: this.#server.port, database: 'masked' },
        change: (config) => withMasking(config, who),
      });
      this.#gateways.set(who, gateway);
    }
    return gateway;
  }

  /** @returns the verdicts on the records. */
  async stop(): Promise<readonly string[]> {
    for (const speaker of this.#speakers.values()) speaker.end();
    const verdicts: string[] = [];
    for (const gateway of this.#gateways.values()) verdicts.push((await gateway.finish()).verdict);
    await this.release();
    return verdicts;
  }

  /** What a test that failed leaves; its gateways are ended by their harness. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.#server.stop();
  }
}

function protocolsOf({ protocols, steps }: Case): readonly Protocol[] {
  if (protocols !== undefined) return protocols;
  const [only] = steps;
  if (steps.length > 1 || (typeof only === 'object' && 'copyIn' in only)) return ['simple'];
  return typeof only === 'string' ? PROTOCOLS : PROTOCOLS.slice(1);
}

/** It ends with the JSON document of a refusal. */
const isRefusal = ({ error }: Answer): boolean => error?.detail.includes('{"refused":') === true;

function withMasking(config: CountersignConfig, who: Who): CountersignConfig {
  process.env[KEY_VARIABLE] = SECRET;
  const classes = Object.entries(CLASSES).flatMap(([written, columns]) => {
    const [schema = '', relation = ''] = written.split('.');
    return Object.entries(columns).map(([column, name]) => ({
      schema,
      relation,
      column,
      class: name,
      written,
    }));
  });
  const masking: MaskingGrant = {
    unmask: new Set<string>(),
    writeClasses: who === 'writer' ? 'all' : new Set<string>(),
    budgets: new Map(
      who === 'nobody' ? [] : BUDGETS.map(([name, values]) => [name, { values, period: 'month' as const }]),
    ),
  };
  return {
    ...config,
    masking: {
      key: { kind: 'env', name: KEY_VARIABLE },
      rules: { ...defaultRules(), routines: new Map(ROUTINES) },
    },
    targets: config.targets.map((target) => ({ ...target, classes })),
    grants: config.grants.map((grant) => ({ ...grant, masking })),
  };
}

function reasonOf({ detail }: NonNullable<Answer['error']>): string {
  try {
    const { reasons, refused } = JSON.parse(detail.split('\n').at(-1) ?? '') as {
      readonly refused?: string;
      readonly reasons?: readonly { readonly reason: string }[];
    };
    return reasons?.[0]?.reason ?? refused ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
