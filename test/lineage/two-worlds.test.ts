/**
 * Generated statements in two databases that differ in nothing but regulated values: columns that the lineage calls free never carry one, and what it calls free of any
 * oracle answers the same rows in both, whatever the values.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Client } from 'pg';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { StatementMaker } from '../oracle/statements.ts';
import type { Generated } from '../oracle/statements.ts';
import { World } from '../oracle/world.ts';
import { followQuery, outcomeOf } from './fixture.ts';
import type { QueryFindings } from './fixture.ts';
import { CANARY, WORLD_CLASSES, createWorlds } from './two-worlds.ts';

/** The same every time; others by the environment. */
const SEED = Number(process.env['COUNTERSIGN_LINEAGE_SEED'] ?? 20_261_124);
const STATEMENTS = Number(process.env['COUNTERSIGN_LINEAGE_STATEMENTS'] ?? 1_200);

let server: PostgresServer;
let clients: readonly Client[];
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  clients = await createWorlds(server);
  await initParser();
  catalog = await loadTestCatalog(server, 'world_first');
});

after(async () => {
  for (const client of clients) await client.end();
  await server.stop();
});

interface Answer {
  readonly error?: string | undefined;
  readonly rows: readonly (readonly (string | null)[])[];
}

const asText = { getTypeParser: () => (value: unknown) => value };

async function answerOf(client: Client, { sql, path }: Generated): Promise<Answer> {
  const names = path.map((name) => `"${name}"`).join(', ');
  try {
    await client.query(`begin; set local search_path = ${names === '' ? "''" : names}`);
    const { rows } = await client.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: asText,
    });
    return { rows };
  } catch (error) {
    return { error: (error as { code?: string }).code ?? String(error), rows: [] };
  } finally {
    await client.query('rollback');
  }
}

/** Which of the rows come is left to the server, or in which order they are put together. */
const UNSTABLE =
  /limit|offset|tablesample|distinct on|row_number|rank\(|lag\(|sum\(1\)|_agg|first_value|ctid|xmin|xmax|cmin|cmax|now\(|current_|random|tableoid|oid|skip locked|fetch first|clock_|query_to|pg_class|pg_attribute|pg_namespace/iu;

/** The columns that carry nothing, of all rows, in no order. */
function freePart({ rows }: Answer, { query }: QueryFindings): readonly string[] {
  const free = query.columns.flatMap(({ value }, index) => (value.sources.length === 0 ? [index] : []));
  return rows.map((row) => JSON.stringify(free.map((index) => row[index]))).toSorted();
}

/** What is wrong, or undefined. */
function complaint(findings: QueryFindings, answers: readonly Answer[]): string | undefined {
  const { query, notes } = findings;
  const [first, second] = answers as readonly [Answer, Answer];
  // All of it is masked then.
  if (query.isOpen) return undefined;
  for (const { rows } of answers) {
    const width = rows[0]?.length;
    if (width !== undefined && width !== query.columns.length) return `it has ${width} columns`;
    for (const [index, { value }] of query.columns.entries()) {
      const isCarrying = rows.some((row) => row[index]?.includes(CANARY) === true);
      if (isCarrying && value.sources.length === 0) return `column ${index + 1} carries a regulated value`;
    }
  }
  if (notes.oracles.length > 0 || notes.probes.length > 0) return undefined;
  if (first.error !== second.error)
    return `one says ${first.error ?? 'nothing'}, the other ${second.error ?? 'nothing'}`;
  const [one, other] = [freePart(first, findings), freePart(second, findings)];
  return JSON.stringify(one) === JSON.stringify(other) ? undefined : 'the free part of the answers differs';
}

interface Counts {
  run: number;
  touching: number;
  free: number;
  open: number;
  carrying: number;
}

async function judge(generated: Generated, counts: Counts): Promise<string | undefined> {
  const names = { searchPath: generated.path, temporary: new Set<string>() };
  const answers: Answer[] = [];
  for (const client of clients) answers.push(await answerOf(client, generated));
  if (answers.every(({ error }) => error !== undefined)) {
    // What the server does not take need not be followed; what fails by its rows is.
    if (answers.some(({ error }) => error?.startsWith('42') === true)) return undefined;
  }
  const findings = followQuery(generated.sql, catalog, names, WORLD_CLASSES);
  counts.run += 1;
  if (findings.notes.touched.length > 0) counts.touching += 1;
  if (findings.notes.oracles.length + findings.notes.probes.length === 0) counts.free += 1;
  if (findings.query.isOpen) counts.open += 1;
  if (findings.query.columns.some(({ value }) => value.sources.length > 0)) counts.carrying += 1;
  const wrong = complaint(findings, answers);
  const isChance = wrong !== undefined && !wrong.startsWith('column') && UNSTABLE.test(generated.sql);
  if (wrong === undefined || isChance) return undefined;
  return `${wrong}\npath ${generated.path.join(', ')}\n${generated.sql}\n${outcomeOf(findings)}`;
}

describe('two databases that differ in regulated values', () => {
  it(`show the same in what is free, in ${STATEMENTS} generated statements`, async (t) => {
    t.diagnostic(`seed ${SEED} (COUNTERSIGN_LINEAGE_SEED)`);
    const maker = new StatementMaker(new World(catalog), SEED);
    const counts: Counts = { run: 0, touching: 0, free: 0, open: 0, carrying: 0 };
    const wrong: string[] = [];
    for (let index = 0; index < STATEMENTS; index += 1) {
      const generated = maker.next();
      const found = await judge(generated, counts);
      if (found !== undefined) wrong.push(found);
    }
    t.diagnostic(JSON.stringify(counts));
    assert.equal(wrong.length, 0, `seed ${SEED}, ${wrong.length} wrong:\n${wrong.slice(0, 5).join('\n\n')}`);
    // It looked at something.
    assert.ok(counts.touching > STATEMENTS * 0.2 && counts.carrying > STATEMENTS * 0.1);
    assert.ok(counts.free > STATEMENTS * 0.1 && counts.open < STATEMENTS * 0.02);
  });
});
