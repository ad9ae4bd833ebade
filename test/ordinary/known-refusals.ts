import type { KnownRefusal } from './corpus.ts';

/** The false refusals of the corpus. Each is of a class that shows values or settings; the scope can name what the program needs, exactly. */
export const KNOWN_REFUSALS: readonly KnownRefusal[] = [
  {
    id: 'jdbc-008',
    why: "DatabaseMetaData reads max_index_keys from pg_settings, which shows all settings. Help: {on: ['pg_catalog.pg_settings'], verbs: [select], columns: [name, setting]}.",
  },
  {
    id: 'sequelize-007',
    why: "describeTable takes OIDs from pg_statio_all_tables, which shows what is read how often. Help: {on: ['pg_catalog.pg_statio_all_tables'], verbs: [select], columns: [relid, relname]}.",
  },
  {
    id: 'sqlalchemy-087',
    why: "Reflection calls current_setting of a parameter: any setting could be meant. Help: functions: ['pg_catalog.current_setting'].",
  },
];
