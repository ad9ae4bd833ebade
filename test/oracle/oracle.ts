/** Runs generated statements past a real server and past the analysis, and says where the two disagree. */
import { Client } from 'pg';
import { analyzeStatement } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import type { Meaning } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import type { Access } from '../../packages/gateway/src/policy/access.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { written } from '../analysis/fixture.ts';
import { ORACLE_SCHEMA, ORACLE_SCHEMAS } from './schema.ts';
import { askServer } from './server-opinion.ts';
import type { References, ServerOpinion } from './server-opinion.ts';
import { StatementMaker } from './statements.ts';
import type { Generated } from './statements.ts';
import { World } from './world.ts';

export interface OracleOptions {
  readonly statements: number;
  readonly seed: number;
}

export interface Disagreement {
  readonly generated: Generated;
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
  readonly demands: readonly string[];
  readonly reaches: readonly string[];
  readonly opinion: ServerOpinion;
}

export interface OracleReport {
  readonly accepted: number;
  readonly rejected: ReadonlyMap<string, number>;
  /** Accepted statements by their form. */
  readonly forms: ReadonlyMap<string, number>;
  readonly withDependencies: number;
  readonly withRole: number;
  /** Accepted by the server, refused by us, by reason. */
  readonly refused: ReadonlyMap<string, number>;
  /** Demands that the server does not have, each with its count. They are no danger; they refuse too much. */
  readonly excess: ReadonlyMap<string, number>;
  readonly disagreements: readonly Disagreement[];
}

const DATABASE = 'oracle';
const encoder = new TextEncoder();

export async function runOracle(
  server: PostgresServer,
  { seed, statements }: OracleOptions,
): Promise<OracleReport> {
  await runOn(server, 'postgres', `create database ${DATABASE}`);
  await runOn(server, DATABASE, ORACLE_SCHEMA);
  await initParser();
  const catalog = await loadTestCatalog(server, DATABASE);
  const maker = new StatementMaker(new World(catalog), seed);
  const client = new Client({ connectionString: server.url(DATABASE) });
  await client.connect();
  const report = {
    accepted: 0,
    withDependencies: 0,
    withRole: 0,
    rejected: new Map<string, number>(),
    forms: new Map<string, number>(),
    refused: new Map<string, number>(),
    excess: new Map<string, number>(),
    disagreements: [] as Disagreement[],
  };
  try {
    await client.query("set jit = off; set client_min_messages = error; set statement_timeout = '20s'");
    for (let count = 0; count < statements; count += 1) {
      const generated = maker.next();
      const meaning = analyzeStatement(encoder.encode(generated.sql), catalog, {
        searchPath: generated.path,
        temporary: new Set(),
      });
      const readable = meaning.unreadable === undefined && meaning.unknownNames.length === 0;
      const opinion = await askServer(client, generated, readable ? meaning.demands : undefined);
      if (opinion.rejected !== undefined) {
        add(report.rejected, opinion.rejected.code);
        continue;
      }
      report.accepted += 1;
      add(report.forms, generated.form);
      if (opinion.depends !== undefined) report.withDependencies += 1;
      if (readable) report.withRole += 1;
      if (meaning.unreadable !== undefined) add(report.refused, meaning.unreadable.reason);
      const problems = problemsOf(generated.sql, meaning, opinion);
      for (const each of excessOf(meaning, opinion)) add(report.excess, each);
      if (problems.length > 0) {
        report.disagreements.push({
          generated,
          problems,
          demands: meaning.demands.map(written),
          reaches: meaning.reaches.map(written),
          opinion,
        });
      }
    }
    return report;
  } finally {
    await client.end();
  }
}

async function runOn(server: PostgresServer, database: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server.url(database) });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Where the analysis says less than the server. */
function problemsOf(
  sql: string,
  meaning: Meaning,
  { asRole, depends, planned }: ServerOpinion,
): readonly string[] {
  const { demands, reaches, unknownNames, unreadable } = meaning;
  if (unreadable !== undefined) return [`the server takes it, we refuse it: ${unreadable.reason}`];
  if (unknownNames.length > 0) {
    return unknownNames.map(({ kind, written: as }) => `the server takes it, we do not know ${kind} ${as}`);
  }
  const problems: string[] = [];
  const seen = new Set([...demands, ...reaches].flatMap((access) => relationName(access) ?? []));
  for (const relation of planned) {
    if (!seen.has(relation)) problems.push(`in the plan, neither demanded nor reached: ${relation}`);
  }
  // The server counts every column of `excluded`; what it asks rights for are those that are read, and those the role was given.
  const isUpsert = sql.includes(' on conflict ') && sql.includes(' do update ');
  for (const each of depends === undefined || isUpsert ? [] : missing(depends, ours(demands))) {
    problems.push(`the server's own dependencies have it, demands do not: ${each}`);
  }
  if (
    asRole !== undefined &&
    !KNOWN_REFUSALS.some(({ sql: of, message }) => of.test(sql) && message.test(asRole.message))
  )
    problems.push(`a role with just what is demanded may not: ${asRole.code} ${asRole.message}`);
  return problems;
}

/** Where the server refuses a role, and no demand would help. */
const KNOWN_REFUSALS: readonly { readonly sql: RegExp; readonly message: RegExp; readonly why: string }[] = [
  {
    sql: / for (update|no key update|share|key share)/u,
    message: /^permission denied for table pg_/u,
    why: 'only superusers lock rows of the catalog',
  },
  {
    sql: /merge into (?!.*then (insert|update)).*/u,
    message: /^permission denied for function greater$/u,
    why: 'PostgreSQL 15 prepares generated columns for every MERGE, also for one that writes no row',
  },
];

function relationName(access: Access): string | undefined {
  return access.kind === 'relation' ? `${access.schema}.${access.name}` : undefined;
}

type Ours = ReadonlyMap<string, ReadonlySet<string> | '*'>;

/** What the text itself refers to, in the schemas of the test. */
function ours(demands: readonly Access[]): Ours {
  const all = new Map<string, Set<string> | '*'>();
  for (const access of demands) {
    if (access.kind !== 'relation' && access.kind !== 'routine') continue;
    if (access.via !== undefined || !(ORACLE_SCHEMAS as readonly string[]).includes(access.schema)) continue;
    const of = `${access.schema}.${access.name}`;
    if (access.kind === 'routine') {
      all.set(`execute ${of}`, new Set());
      continue;
    }
    const known = all.get(of) ?? new Set();
    all.set(of, access.columns === '*' || known === '*' ? '*' : new Set([...known, ...access.columns]));
  }
  return all;
}

function missing(references: References, from: Ours): readonly string[] {
  const found: string[] = [];
  for (const [of, columns] of references) {
    const others = from.get(of);
    if (others === undefined) found.push(of);
    else if (others !== '*') {
      for (const column of columns) if (!others.has(column)) found.push(`${of}.${column}`);
    }
  }
  return found.sort();
}

/** Relations and routines that are demanded and the server does not depend on. (Of columns we demand more where a whole row is read.) */
function excessOf({ demands }: Meaning, { depends }: ServerOpinion): readonly string[] {
  return depends === undefined ? [] : [...ours(demands).keys()].filter((of) => !depends.has(of));
}

export function formatDisagreement(each: Disagreement): string {
  const { demands, generated, opinion, problems, reaches } = each;
  const theirs = [...(opinion.depends ?? [])].map(
    ([of, columns]) => `${of}(${[...columns].sort().join(',')})`,
  );
  return [
    `search_path ${generated.path.join(', ')}: ${generated.sql}`,
    ...problems.map((problem) => `  ! ${problem}`),
    `  demands: ${demands.join('; ')}`,
    `  reaches: ${reaches.join('; ')}`,
    `  server:  ${theirs.join('; ')} | plan: ${opinion.planned.join(', ')}`,
  ].join('\n');
}
