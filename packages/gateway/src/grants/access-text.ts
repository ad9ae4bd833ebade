import type { NamePattern } from '../config/scope-section.ts';
import type { Access, RelationAccess } from '../policy/access.ts';

/** Accesses as text, for the record, for refusals and for people. Every text has one meaning: odd names are JSON strings. */

const PLAIN = /^[a-z_][a-z0-9_$]*$/;

export function formatName(name: string): string {
  if (PLAIN.test(name)) return name;
  // What JSON leaves as it is and a line must not have.
  return JSON.stringify(name).replaceAll(
    // oxlint-disable-next-line no-control-regex
    /[\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `bank.accounts`. */
export function formatQualified(schema: string, name: string): string {
  return `${formatName(schema)}.${formatName(name)}`;
}

/** `bank.*`. */
export function formatPattern({ schema, name }: NamePattern): string {
  return `${schema === undefined ? '*' : formatName(schema)}.${name === undefined ? '*' : formatName(name)}`;
}

/** `(id,status)`, of which no more than `maxLength` characters are written out: `(id,+40)`. */
export function formatColumns(
  columns: readonly string[] | '*',
  maxLength = Number.POSITIVE_INFINITY,
): string {
  if (columns === '*') return '(*)';
  const shown: string[] = [];
  let length = 0;
  for (const column of columns) {
    const text = formatName(column);
    length += text.length + 1;
    if (length > maxLength) break;
    shown.push(text);
  }
  const rest = columns.length - shown.length;
  return `(${[...shown, ...(rest === 0 ? [] : [`+${rest}`])].join(',')})`;
}

/** `select bank.accounts(id,status) via reporting.daily`. A temporary relation has no name of its own here, and an object that DDL makes neither. */
export function formatAccess(access: Access, maxColumnsLength?: number): string {
  if (access.kind === 'relation') return formatRelationAccess(access, maxColumnsLength);
  if (access.kind === 'routine')
    return `execute ${formatQualified(access.schema, access.name)}${formatVia(access.via)}`;
  return access.kind === 'schema' ? `ddl ${formatName(access.schema)}` : `special ${access.verb}`;
}

function formatRelationAccess(access: RelationAccess, maxColumnsLength?: number): string {
  const { verb, schema, name, columns, via } = access;
  if (access.class === 'temp') return `${verb} pg_temp.*`;
  return `${verb} ${formatQualified(schema, name)}${formatColumns(columns, maxColumnsLength)}${formatVia(via)}`;
}

/** `via` comes as `schema.name`. */
function formatVia(via: string | undefined): string {
  if (via === undefined) return '';
  const dot = via.indexOf('.');
  return dot === -1
    ? ` via ${formatName(via)}`
    : ` via ${formatQualified(via.slice(0, dot), via.slice(dot + 1))}`;
}
