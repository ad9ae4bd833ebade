/**
 * Well-known extensions, those that ship with PostgreSQL: which of their routines reach further than an own function of the
 * same kind would, and which extensions only compute. Routines of extensions that are not named here are own functions.
 */
import type { Special } from '../../../policy/access.ts';

/** Per extension: every routine (`*`), or some by name. Installed in any schema. */
export const EXTENSION_REACHES: Readonly<
  Record<string, readonly (readonly [routines: '*' | readonly string[], reach: Special])[]>
> = {
  adminpack: [['*', 'file-access']],
  amcheck: [['*', 'server-control']],
  dblink: [['*', 'network']],
  file_fdw: [['*', 'file-access']],
  lo: [['*', 'large-objects']],
  old_snapshot: [['*', 'catalog-values']],
  // Raw pages, WAL and logical snapshots hold the rows of every table.
  pageinspect: [['*', 'file-access']],
  pg_walinspect: [['*', 'file-access']],
  pg_logicalinspect: [['*', 'file-access']],
  pg_buffercache: [
    [['pg_buffercache_evict', 'pg_buffercache_evict_all', 'pg_buffercache_evict_relation'], 'server-control'],
    ['*', 'catalog-values'],
  ],
  pg_freespacemap: [['*', 'catalog-values']],
  pg_prewarm: [['*', 'server-control']],
  pg_stat_statements: [
    [['pg_stat_statements_reset'], 'server-control'],
    ['*', 'catalog-values'],
  ],
  pg_surgery: [['*', 'server-control']],
  pg_visibility: [
    [['pg_truncate_visibility_map'], 'server-control'],
    ['*', 'catalog-values'],
  ],
  pgrowlocks: [['*', 'catalog-values']],
  pgstattuple: [['*', 'catalog-values']],
  postgres_fdw: [['*', 'network']],
  // Triggers that put statements together from their arguments.
  refint: [['*', 'dynamic-sql']],
  sslinfo: [],
  tablefunc: [[['crosstab', 'crosstab2', 'crosstab3', 'crosstab4', 'crosstabn', 'connectby'], 'dynamic-sql']],
  tcn: [['*', 'notify']],
  xml2: [
    [['xpath_table'], 'dynamic-sql'],
    [['xslt_process'], 'file-access'],
  ],
};

/**
 * Extensions whose routines compute from the values they are given. Their routines in C are harmless: only a superuser makes
 * one of language c, so the name of the extension cannot be borrowed. Those in SQL stay own functions.
 */
export const COMPUTING_EXTENSIONS: ReadonlySet<string> = new Set([
  'bloom',
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'dict_int',
  'dict_xsyn',
  'earthdistance',
  'fuzzystrmatch',
  'hstore',
  'intagg',
  'intarray',
  'isn',
  'ltree',
  'pg_trgm',
  'pgcrypto',
  'seg',
  'sslinfo',
  'tablefunc',
  'tsm_system_rows',
  'tsm_system_time',
  'unaccent',
  'uuid-ossp',
  'xml2',
]);
