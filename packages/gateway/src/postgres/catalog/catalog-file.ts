import { open } from 'node:fs/promises';

import { z } from 'zod';

import { CountersignError } from '../../errors.ts';
import type { CatalogData } from './catalog.ts';

/** A catalog of 10,000 tables is near 15 MiB as text. */
export const MAX_CATALOG_FILE_BYTES = 268_435_456;

const oid = z.int().min(0).max(4_294_967_295);
const name = z.string();
const named = { schema: name, name };

const column = z.strictObject({
  name,
  number: z.int(),
  typeOid: oid,
  notNull: z.boolean(),
  default: z.string().optional(),
  generated: z.boolean(),
  classComments: z.array(z.string()).optional(),
  classLabels: z.array(z.string()).optional(),
});
const rule = z.strictObject({
  name,
  event: z.enum(['select', 'insert', 'update', 'delete']),
  instead: z.boolean(),
  definition: z.string(),
});
const trigger = z.strictObject({
  name,
  events: z.array(z.enum(['insert', 'update', 'delete', 'truncate'])),
  routineOid: oid,
  enabled: z.enum(['O', 'D', 'R', 'A']),
  internal: z.boolean(),
  definition: z.string().optional(),
});
const relation = z.strictObject({
  oid,
  ...named,
  kind: z.enum([
    'table',
    'partitioned-table',
    'view',
    'materialized-view',
    'foreign-table',
    'sequence',
    'index',
    'composite-type',
    'toast',
  ]),
  owner: name,
  columns: z.array(column),
  definition: z.string().optional(),
  securityInvoker: z.boolean(),
  rowSecurity: z.boolean(),
  expressions: z.array(z.strictObject({ on: z.enum(['read', 'write', 'both']), text: z.string() })),
  children: z.array(oid),
  parents: z.array(oid),
  referencedBy: z
    .array(z.strictObject({ relationOid: oid, onDelete: z.string(), onUpdate: z.string() }))
    .optional(),
  foreignKeys: z
    .array(z.strictObject({ relationOid: oid, columns: z.array(name), referenced: z.array(name) }))
    .optional(),
  uniqueColumns: z.array(name).optional(),
  primaryKey: z.array(name).optional(),
  rules: z.array(rule),
  triggers: z.array(trigger),
  indexOf: oid.optional(),
});
const routine = z.strictObject({
  oid,
  ...named,
  kind: z.enum(['function', 'procedure', 'aggregate', 'window']),
  argumentTypes: z.array(oid),
  argumentNames: z.array(name),
  outputNames: z.array(name).optional(),
  outputArguments: z.int().min(0).optional(),
  defaults: z.int().min(0),
  variadic: z.boolean(),
  returnsSet: z.boolean(),
  returnTypeOid: oid,
  language: name,
  volatility: z.enum(['immutable', 'stable', 'volatile']),
  securityDefiner: z.boolean(),
  settings: z.array(name),
  source: z.string().optional(),
  extension: name.optional(),
});
const type = z.strictObject({
  oid,
  ...named,
  kind: z.enum(['base', 'composite', 'domain', 'enum', 'range', 'multirange', 'pseudo']),
  arrayOf: oid.optional(),
  baseTypeOid: oid.optional(),
  expressions: z.array(z.string()).optional(),
  relationOid: oid.optional(),
  routineOids: z.array(oid),
});
const operator = z.strictObject({ ...named, leftTypeOid: oid, rightTypeOid: oid, routineOid: oid });
const cast = z.strictObject({
  sourceTypeOid: oid,
  targetTypeOid: oid,
  routineOid: oid,
  context: z.enum(['implicit', 'assignment', 'explicit']),
});
const eventTrigger = z.strictObject({ name, event: z.string(), routineOid: oid, enabled: z.string() });

const catalogData = z.strictObject({
  format: z.literal(1),
  target: name,
  database: name,
  serverVersion: z.int().min(130_000),
  epoch: z.string().min(1).max(100),
  schemas: z.array(z.strictObject({ name, owner: name })),
  relations: z.array(relation),
  routines: z.array(routine),
  types: z.array(type),
  operators: z.array(operator),
  casts: z.array(cast),
  eventTriggers: z.array(eventTrigger),
  extensions: z.array(name),
});

/**
 * Writes a snapshot, for `countersign explain --catalog`. It shows names and definitions of the target, and no row: mode 0600 all the
 * same. Throws `CS_FILE_EXISTS`, `CS_INPUT_UNUSABLE`.
 */
export async function writeCatalogFile(path: string, data: CatalogData): Promise<void> {
  let file;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new CountersignError('CS_FILE_EXISTS', { detail: path });
    throw new CountersignError('CS_INPUT_UNUSABLE', { detail: `${path} cannot be written`, cause });
  }
  try {
    await file.writeFile(`${JSON.stringify(data)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads and checks what `writeCatalogFile` wrote: every field is of its kind, and there is no other. Throws `CS_INPUT_UNUSABLE`. */
export async function readCatalogFile(path: string): Promise<CatalogData> {
  return parseCatalog(await readLimited(path), path);
}

/** `what` is named in errors. Throws `CS_INPUT_UNUSABLE`. */
export function parseCatalog(text: string, what: string): CatalogData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(`${what} is not JSON`);
  }
  const checked = catalogData.safeParse(value);
  if (checked.success) return value as CatalogData;
  const [issue] = checked.error.issues;
  throw unusable(`${what} is not a catalog of format 1: ${issue?.path.join('.') ?? ''}`);
}

async function readLimited(path: string): Promise<string> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new CountersignError('CS_INPUT_UNUSABLE', { detail: `${path} cannot be read`, cause });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw unusable(`${path} is not a file`);
    if (stat.size > MAX_CATALOG_FILE_BYTES) {
      throw unusable(`${path} is larger than ${MAX_CATALOG_FILE_BYTES} bytes`);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unusable(detail: string): CountersignError {
  return new CountersignError('CS_INPUT_UNUSABLE', { detail });
}
