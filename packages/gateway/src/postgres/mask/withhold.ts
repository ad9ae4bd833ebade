/** What is left of messages that may carry a masked value. */
import type { Catalog } from '../catalog/catalog.ts';
import { encodeResponseFields, FIELD } from '../wire/backend/response-fields.ts';

/** What stands where the server's message stood. Fixed: it tells nothing. */
export const WITHHELD_MESSAGE = 'countersign: message withheld, it may carry a masked value';

const SCHEMA = 's';
const TABLE = 't';
const COLUMN = 'c';
const TYPE = 'd';
const CONSTRAINT = 'n';
const ROUTINE = 'R';

/**
 * Routines of the server that name a constraint in their errors: a name from anywhere else may be one that code of the target chose (RAISE … USING CONSTRAINT).
 * `errtableconstraint`, `errdomainconstraint` in PostgreSQL 13 to 18.
 */
const NAMES_CONSTRAINTS: ReadonlySet<string> = new Set([
  '_bt_check_unique',
  'check_exclusion_or_unique_constraint',
  'comparetup_index_btree_tiebreak',
  'comparetup_index_btree',
  'ExecConstraints',
  'ExecEvalConstraintCheck',
  'domain_check_input',
  'ri_ReportViolation',
  'ReportNotNullViolationError',
  'ExecCheckTIDVisible',
]);

const SEVERITIES: ReadonlySet<string> = new Set([
  'ERROR',
  'FATAL',
  'PANIC',
  'WARNING',
  'NOTICE',
  'DEBUG',
  'INFO',
  'LOG',
]);

/**
 * An ErrorResponse or NoticeResponse without what may carry a value: severity, SQLSTATE and the names of objects that exist stay.
 * @param start of the message, with its header; it may be cut off behind `end`.
 */
export function withholdResponse(
  type: number,
  buffer: Buffer,
  start: number,
  end: number,
  catalog: Catalog | undefined,
): Buffer {
  const told = readFields(buffer, start + 5, end);
  const plain = told.get(FIELD.severityPlain) ?? 'ERROR';
  const severity = SEVERITIES.has(plain) ? plain : 'ERROR';
  const state = told.get(FIELD.sqlState) ?? '';
  const fields = new Map<string, string>([
    [FIELD.severity, severity],
    [FIELD.severityPlain, severity],
    [FIELD.sqlState, /^[0-9A-Z]{5}$/.test(state) ? state : 'XX000'],
    [FIELD.message, WITHHELD_MESSAGE],
  ]);
  keepNames(told, fields, catalog);
  return encodeResponseFields(type, fields);
}

/** Code of the target can put any text where a name belongs: only what the catalog has, or the server itself said, is a name. */
function keepNames(
  told: ReadonlyMap<string, string>,
  fields: Map<string, string>,
  catalog: Catalog | undefined,
): void {
  const schema = told.get(SCHEMA);
  if (schema === undefined || catalog?.hasSchema(schema) !== true) return;
  fields.set(SCHEMA, schema);
  const type = told.get(TYPE);
  if (type !== undefined && catalog.type(schema, type) !== undefined) fields.set(TYPE, type);
  const relation = catalog.relation(schema, told.get(TABLE) ?? '');
  if (relation !== undefined) {
    fields.set(TABLE, relation.name);
    const column = relation.columns.find(({ name }) => name === told.get(COLUMN));
    if (column !== undefined) fields.set(COLUMN, column.name);
  }
  const constraint = told.get(CONSTRAINT);
  const isNamed = relation !== undefined || fields.has(TYPE);
  if (constraint !== undefined && isNamed && NAMES_CONSTRAINTS.has(told.get(ROUTINE) ?? '')) {
    fields.set(CONSTRAINT, constraint);
  }
}

/** The first of each kind counts, as it does for clients. */
function readFields(buffer: Buffer, from: number, end: number): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = from; at < end && buffer[at] !== 0;) {
    const stop = buffer.indexOf(0, at + 1);
    if (stop < 0 || stop >= end) break;
    const code = String.fromCharCode(buffer[at]!);
    if (!fields.has(code)) fields.set(code, buffer.toString('utf8', at + 1, stop));
    at = stop + 1;
  }
  return fields;
}

/**
 * Settings that the server reports and whose values are words of its own: no text of a caller's fits into them. `application_name`, `search_path`, `TimeZone` and
 * `session_authorization` take (nearly) any text.
 */
const CLOSED_SETTINGS: ReadonlySet<string> = new Set([
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'scram_iterations',
  'server_encoding',
  'server_version',
  'standard_conforming_strings',
]);

const OPEN_SETTINGS: ReadonlySet<string> = new Set([
  'application_name',
  'search_path',
  'session_authorization',
  'TimeZone',
]);

/** Whether a ParameterStatus may be told. @param hasTouched whether something regulated was read since the transaction began. */
export function mayTellSetting(name: string, hasTouched: boolean): boolean {
  return CLOSED_SETTINGS.has(name) || (OPEN_SETTINGS.has(name) && !hasTouched);
}
