import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';

import type {
  ClassificationProposal,
  ClassifyRequest,
  ClassifyService,
  ProposedColumn,
} from '../api/classify.ts';
import { defaultRules } from '../config/masking-section.ts';
import type {
  CountersignConfig,
  GrantConfig,
  LoginConfig,
  PostgresTargetConfig,
  Secrets,
} from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { Scope } from '../grants/scope.ts';
import { classifyColumn } from '../masking/detectors/classify-column.ts';
import { createDetectors, type Detectors } from '../masking/detectors/detectors.ts';
import type { Finding } from '../masking/detectors/finding.ts';
import type { Recogniser } from '../masking/detectors/recogniser.ts';
import { ANY_CLASS, type Classification } from '../masking/rules.ts';
import type { CatalogData } from '../postgres/catalog/catalog.ts';
import { indexClassification } from '../postgres/classify/classification.ts';
import { classifyCatalog } from '../postgres/classify/classify-catalog.ts';
import {
  candidatesOf,
  PAGES_QUERY,
  sampleStatements,
  type CandidateColumn,
  type CandidateRelation,
  type SampleStatement,
} from '../postgres/classify/sample-plan.ts';
import { dialTarget } from '../postgres/upstream/dial.ts';
import { OwnSession } from '../postgres/upstream/own-session.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Catalogs } from './catalogs.ts';
import { CATALOG_DEMANDS, GATEWAY_PRINCIPAL } from './gateway-principal.ts';
import { recordGatewaySession } from './gateway-statement.ts';
import { optionsOf } from './masking.ts';
import { openRecogniser } from './recogniser-client.ts';

export interface ClassifyDeskOptions {
  readonly config: () => CountersignConfig;
  readonly catalogs: Catalogs;
  readonly recorder: Recorder;
  readonly secrets: Secrets;
}

/** Longest wait for one table: a sample that takes longer tells no more than its columns' names. */
const STATEMENT_TIMEOUT_MS = 20_000;
const LOCK_TIMEOUT_MS = 2_000;
const GRANT_MS = 3_600_000;
const MAX_ANSWER_BYTES = 134_217_728;

const OPENING = [
  'SET search_path = pg_catalog, pg_temp',
  'SET default_transaction_read_only = on',
  `SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
  `SET lock_timeout = ${LOCK_TIMEOUT_MS}`,
  'SET row_security = on',
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
].join('; ');

/**
 * `countersign classify`: reads a sample of every table as principal `gateway`, under a grant of its own that is issued for it, lives for an hour at most and
 * ends with it. Values are looked at in this process and forgotten; what leaves are counts. One at a time.
 */
export class ClassifyDesk implements ClassifyService {
  readonly #options: ClassifyDeskOptions;
  #isBusy = false;
  #session: OwnSession | undefined;
  #isClosed = false;

  constructor(options: ClassifyDeskOptions) {
    this.#options = options;
  }

  async propose(request: ClassifyRequest): Promise<ClassificationProposal> {
    if (this.#isClosed) throw new CountersignError('CS_SHUTTING_DOWN');
    if (this.#isBusy) {
      throw new CountersignError('CS_REQUEST_INVALID', { detail: 'another classification is under way' });
    }
    this.#isBusy = true;
    try {
      return await this.#propose(request);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Ends the one that is under way. */
  close(): void {
    this.#isClosed = true;
    this.#session?.end();
  }

  async #propose(request: ClassifyRequest): Promise<ClassificationProposal> {
    const { config, catalogs } = this.#options;
    const target = config().targets.find(({ name }) => name === request.target);
    if (target === undefined)
      throw new CountersignError('CS_REQUEST_INVALID', { detail: 'no such target is configured' });
    const login = loginOf(target, request.login);
    const lease = catalogs.lease(target, request.database);
    let data: CatalogData;
    try {
      ({ data } = await lease.get());
    } finally {
      lease.release();
    }
    const { masking } = config();
    const rules = masking?.rules ?? defaultRules();
    const current = indexClassification(classifyCatalog(data, optionsOf(target, rules)).data);
    const relations = candidatesOf(data);
    const recogniser = masking?.recogniser === undefined ? undefined : openRecogniser(masking.recogniser);
    const proposal = new Proposal(current, createDetectors(), recogniser);
    if (request.sample === 0) {
      for (const relation of relations) await proposal.add(relation, new Map());
    } else await this.#sample(target, login, request, { data, relations, proposal });
    return {
      target: target.name,
      database: data.database,
      epoch: data.epoch,
      sample: request.sample,
      relations: relations.length,
      columns: proposal.sorted(),
      unread: proposal.unread,
      ...(proposal.recogniserFailed ? { recogniser: 'no answer' } : {}),
    };
  }

  async #sample(
    target: PostgresTargetConfig,
    login: NamedLogin,
    { sample }: ClassifyRequest,
    { data, relations, proposal }: Work,
  ): Promise<void> {
    const grant = grantFor(target.name, login.name);
    this.#issue(grant);
    try {
      const session = await this.#open(target, login, grant, data.database);
      this.#session = session;
      try {
        const pages = await pagesOf(session);
        for (const relation of relations) {
          const values = await this.#read(session, relation, sample, pages.get(relation.oid), proposal);
          await proposal.add(relation, values);
        }
      } finally {
        this.#session = undefined;
        session.end();
      }
    } finally {
      const cause = 'finished';
      this.#options.recorder.append({ type: 'grant.revoked', grant: grant.id, cause }, [], { control: true });
    }
  }

  /** What could be read of a relation, by column. What the target refuses is told, and its names have to do. */
  async #read(
    session: OwnSession,
    relation: CandidateRelation,
    rows: number,
    pages: number | undefined,
    proposal: Proposal,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const values = new Map<string, string[]>();
    if (relation.unread !== undefined) {
      proposal.refuse(relation, relation.unread);
      return values;
    }
    for (const statement of sampleStatements(relation, rows, pages)) {
      const sqlState = await readSample(session, statement, values);
      if (sqlState === undefined) continue;
      proposal.refuse(relation, `SQLSTATE ${sqlState}`);
      break;
    }
    return values;
  }

  #issue(grant: GrantConfig): void {
    const { id, principal, target, login = '', scope, expiresAtUs } = grant;
    const digest = new Scope(scope).digest;
    this.#options.recorder.append(
      {
        type: 'grant.issued',
        grant: id,
        standing: false,
        principal,
        target,
        login,
        scope: digest,
        expiresAtUs,
      },
      [],
      { control: true },
    );
  }

  async #open(
    target: PostgresTargetConfig,
    login: NamedLogin,
    grant: GrantConfig,
    database: string,
  ): Promise<OwnSession> {
    const { recorder, secrets } = this.#options;
    const session = recordGatewaySession(recorder, target, login.name, grant);
    try {
      const connection = await dialTarget(target, login.config, {
        database,
        secrets,
        principal: 'gateway',
        applicationName: 'classify',
        recordGatewayStatement: session.record,
      });
      const own = new OwnSession(connection, session.record);
      own.onLost(() => session.close());
      const words = { kind: 'multi', effect: 'read' } as const;
      const { sqlState } = await own.run(OPENING, {
        timeoutMs: STATEMENT_TIMEOUT_MS,
        maxBytes: 65_536,
        words,
      });
      if (sqlState === undefined) return own;
      own.end();
      throw new CountersignError('CS_TARGET_UNAVAILABLE', { detail: `SQLSTATE ${sqlState} from the target` });
    } catch (error) {
      session.close();
      throw error;
    }
  }
}

interface NamedLogin {
  readonly name: string;
  readonly config: LoginConfig;
}

interface Work {
  readonly data: CatalogData;
  readonly relations: readonly CandidateRelation[];
  readonly proposal: Proposal;
}

function loginOf(
  { name: target, logins, catalog }: PostgresTargetConfig,
  wanted: string | undefined,
): NamedLogin {
  const name = wanted ?? catalog?.login ?? Object.keys(logins)[0];
  const config = name !== undefined && Object.hasOwn(logins, name) ? logins[name] : undefined;
  if (name === undefined || config === undefined)
    throw new CountersignError('CS_REQUEST_INVALID', { detail: `${target} has no such login` });
  return { name, config };
}

/** Reads every table, for this once. */
function grantFor(target: string, login: string): GrantConfig {
  return {
    id: `gateway.${target}.${login}.classify-${randomBytes(4).toString('hex')}`,
    principal: GATEWAY_PRINCIPAL.name,
    target,
    login,
    databases: [],
    expiresAtUs: BigInt(Date.now() + GRANT_MS) * 1_000n,
    scope: {
      relations: [{ on: [{}], verbs: ['select'], columns: '*' }],
      functions: [],
      ddl: [],
      allow: ['catalog-values'],
    },
    masking: { unmask: 'all', writeClasses: new Set(), budgets: new Map() },
    purpose: 'samples for classification',
  };
}

async function pagesOf(session: OwnSession): Promise<ReadonlyMap<number, number>> {
  const pages = new Map<number, number>();
  const options = { timeoutMs: STATEMENT_TIMEOUT_MS * 2, maxBytes: MAX_ANSWER_BYTES };
  const words = { kind: 'select', effect: 'read', demands: CATALOG_DEMANDS } as const;
  await session.run(PAGES_QUERY, { ...options, words }, (_, [oid, count]) => {
    pages.set(Number(oid), Number(count));
  });
  return pages;
}

/** Gives the SQLSTATE of what the target refuses. */
async function readSample(
  session: OwnSession,
  { text, columns, demands }: SampleStatement,
  values: Map<string, string[]>,
): Promise<string | undefined> {
  const words = { kind: 'select', effect: 'read', demands } as const;
  const options = { timeoutMs: STATEMENT_TIMEOUT_MS * 2, maxBytes: MAX_ANSWER_BYTES, words };
  const { sqlState } = await session.run(text, options, (_, row) => {
    for (const [index, column] of columns.entries()) {
      const value = row[index];
      if (typeof value !== 'string' || value.trim() === '') continue;
      const known = values.get(column);
      if (known === undefined) values.set(column, [value]);
      else known.push(value);
    }
  });
  return sqlState;
}

class Proposal {
  readonly unread: { schema: string; relation: string; reason: string }[] = [];
  readonly #columns: ProposedColumn[] = [];
  readonly #current: Classification;
  readonly #detectors: Detectors;
  #recogniser: Recogniser | undefined;
  recogniserFailed = false;

  constructor(current: Classification, detectors: Detectors, recogniser: Recogniser | undefined) {
    this.#current = current;
    this.#detectors = detectors;
    this.#recogniser = recogniser;
  }

  refuse({ schema, name }: CandidateRelation, reason: string): void {
    this.unread.push({ schema, relation: name, reason });
  }

  /** One column at a time: others of the event loop have their turn. */
  async add(relation: CandidateRelation, values: ReadonlyMap<string, readonly string[]>): Promise<void> {
    for (const column of relation.columns) {
      const samples = values.get(column.name) ?? [];
      this.#addColumn(relation, column, samples, await this.#recognise(column, samples));
      await turn();
    }
  }

  /** Undefined: it was not asked. One that does not answer is not asked again: each question would cost its time-out. */
  async #recognise(
    { typeName }: CandidateColumn,
    samples: readonly string[],
  ): Promise<readonly (readonly Finding[])[] | undefined> {
    if (this.#recogniser === undefined || samples.length === 0 || !TEXT_TYPES.has(typeName)) return undefined;
    const found = await this.#recogniser.find(samples.slice(0, MAX_RECOGNISED));
    if (found.every(([first]) => first?.class === ANY_CLASS && first.start === 0)) {
      this.#recogniser = undefined;
      this.recogniserFailed = true;
      return undefined;
    }
    return found.map((findings) => findings.filter((finding) => finding.class !== ANY_CLASS));
  }

  sorted(): readonly ProposedColumn[] {
    return this.#columns.toSorted(
      (one, other) => byText(one.schema, other.schema) || byText(one.relation, other.relation),
    );
  }

  #addColumn(
    { schema, name }: CandidateRelation,
    { name: column, typeName }: CandidateColumn,
    samples: readonly string[],
    recognised: readonly (readonly Finding[])[] | undefined,
  ): void {
    const current = this.#current.classOf(schema, name, column);
    const [best] = classifyColumn(
      // What was not asked about must not count as if nothing had been found in it.
      { name: spokenName(name, column), typeName, samples: samples.slice(0, recognised?.length) },
      this.#detectors,
      recognised,
    );
    if (current === undefined && best === undefined) return;
    this.#columns.push({
      schema,
      relation: name,
      column,
      type: typeName,
      ...(best === undefined ? {} : { class: best.class }),
      ...(current === undefined ? {} : { current }),
      why: best === undefined ? [] : [best.why],
      values: samples.length,
    });
  }
}

/** What the recogniser is asked about, of one column: it costs a request each. */
const MAX_RECOGNISED = 25;

/** Nothing in a number or date needs a recogniser of language. */
const TEXT_TYPES: ReadonlySet<string> = new Set([
  'text',
  'varchar',
  'bpchar',
  'citext',
  'json',
  'jsonb',
  'xml',
]);

/** Relations of people: what they call `name` is a person's. */
const PEOPLE =
  /(applicant|beneficiar|borrower|client|contact|customer|debtor|employee|guarantor|holder|member|patient|people|person|user)/i;

/** `name` alone may be that of anything. */
function spokenName(relation: string, column: string): string {
  return column.toLowerCase() === 'name' && PEOPLE.test(relation) ? 'full_name' : column;
}

function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
