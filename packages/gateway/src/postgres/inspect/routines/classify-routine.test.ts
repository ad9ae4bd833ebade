import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { classifyBuiltIn, classifyRoutine, reachOfRoutine } from './classify-routine.ts';
import { REACHING_ROUTINES } from './reaching-routines.ts';
import { reachOfCall } from './routine-call.ts';
import { classifyRelation } from './system-relations.ts';

const BUILT_INS: readonly (readonly [name: string, reach: string | undefined, why: string])[] = [
  ['lower', 'harmless', 'computes'],
  ['pg_get_viewdef', 'harmless', 'tells structure'],
  ['pg_sleep', 'harmless', 'reaches nothing, however long'],
  ['pg_read_file', 'file-access', 'reads a file'],
  ['pg_read_what_comes', 'file-access', 'a newer one of a known family'],
  ['lo_import', 'file-access', 'a large object that is a file'],
  ['lo_get', 'large-objects', 'content of a large object'],
  ['query_to_xml', 'dynamic-sql', 'runs its text'],
  ['pg_input_is_valid', 'dynamic-sql', 'runs the checks of a type it is given by name'],
  ['pg_terminate_backend', 'signals', 'ends another session'],
  ['pg_stat_get_activity', 'catalog-values', 'statements of others'],
  ['pg_stat_get_what_comes', 'catalog-values', 'a newer one of a known family'],
  ['nextval', 'sequence', 'demands a verb of the sequence'],
  ['no_such_built_in', undefined, 'no list has it'],
];

for (const [name, reach, why] of BUILT_INS) {
  test(`${name}: ${reach ?? 'by its exact name only'}, it ${why}`, () => {
    assert.equal(classifyBuiltIn(name), reach);
  });
}

test('no routine stands in two lists', () => {
  const all = Object.values(REACHING_ROUTINES).flat();
  assert.equal(new Set(all).size, all.length);
});

test('a name counts as a built-in only in the schema of built-ins', () => {
  assert.equal(classifyRoutine('public', 'lower'), 'own');
  assert.equal(classifyRoutine('pg_catalog', 'no_such_built_in'), 'own');
  assert.equal(classifyRoutine('information_schema', '_pg_truetypid'), 'harmless');
});

const ROUTINE: CatalogRoutine = {
  oid: 20_000,
  schema: 'public',
  name: 'f',
  kind: 'function',
  argumentTypes: [],
  argumentNames: [],
  defaults: 0,
  variadic: false,
  returnsSet: false,
  returnTypeOid: 25,
  language: 'c',
  volatility: 'immutable',
  securityDefiner: false,
  settings: [],
};

test('routines of extensions: some compute, some reach, the others are own', () => {
  assert.equal(reachOfRoutine({ ...ROUTINE, extension: 'citext' }), 'harmless');
  assert.equal(reachOfRoutine({ ...ROUTINE, extension: 'dblink' }), 'network');
  assert.equal(reachOfRoutine({ ...ROUTINE, name: 'crosstab', extension: 'tablefunc' }), 'dynamic-sql');
  assert.equal(reachOfRoutine({ ...ROUTINE, name: 'normal_rand', extension: 'tablefunc' }), 'harmless');
  assert.equal(reachOfRoutine({ ...ROUTINE, extension: 'whatever' }), 'own');
});

test('an extension that computes vouches for its C routines only, and for none that runs as its owner', () => {
  assert.equal(reachOfRoutine({ ...ROUTINE, language: 'plpgsql', extension: 'citext' }), 'own');
  assert.equal(
    reachOfRoutine({ ...ROUTINE, securityDefiner: true, extension: 'citext' }),
    'security-definer',
  );
});

test('an own function in pg_catalog under the name of a harmless built-in is an own function', () => {
  assert.equal(reachOfRoutine({ ...ROUTINE, schema: 'pg_catalog', name: 'lower' }), 'own');
  assert.equal(reachOfRoutine({ ...ROUTINE, schema: 'pg_catalog', name: 'nextval' }), 'own');
  assert.equal(
    reachOfRoutine({ ...ROUTINE, schema: 'pg_catalog', name: 'pg_file_write', extension: 'adminpack' }),
    'file-access',
  );
  assert.equal(reachOfRoutine({ ...ROUTINE, schema: 'pg_catalog', name: 'lower', oid: 870 }), 'harmless');
});

test('the arguments of three built-ins decide', () => {
  assert.equal(reachOfCall('current_setting', ['search_path']), 'harmless');
  assert.equal(reachOfCall('current_setting', ['Primary_ConnInfo']), 'catalog-values');
  assert.equal(reachOfCall('current_setting', [undefined]), 'catalog-values');
  assert.equal(reachOfCall('current_setting', ['app.key']), 'catalog-values');
  assert.equal(reachOfCall('current_setting', ['app.tenant'], true), 'harmless');
  assert.equal(reachOfCall('current_setting', [undefined], true), 'catalog-values');
  assert.equal(reachOfCall('set_config', ['work_mem', '1MB', undefined]), 'harmless');
  assert.equal(reachOfCall('set_config', ['ROLE', 'x', undefined]), 'set-role');
  assert.equal(reachOfCall('set_config', [undefined, 'x', undefined]), 'set-role');
  assert.equal(reachOfCall('ts_rewrite', [undefined, undefined]), 'dynamic-sql');
  assert.equal(reachOfCall('ts_rewrite', [undefined, undefined, undefined]), 'harmless');
});

const RELATIONS: readonly (readonly [schema: string, name: string, relationClass: string])[] = [
  ['pg_catalog', 'pg_class', 'structure'],
  ['pg_catalog', 'pg_stats', 'values'],
  ['pg_catalog', 'pg_stat_activity', 'values'],
  ['pg_catalog', 'pg_authid', 'values'],
  ['pg_catalog', 'pg_of_tomorrow', 'values'],
  ['information_schema', 'columns', 'structure'],
  ['information_schema', 'user_mapping_options', 'values'],
  ['information_schema', 'of_tomorrow', 'values'],
  ['pg_toast', 'pg_toast_1234', 'values'],
  ['public', 'pg_stat_statements', 'values'],
  ['public', 'pg_class', 'data'],
];

for (const [schema, name, relationClass] of RELATIONS) {
  test(`${schema}.${name} tells ${relationClass}`, () => {
    assert.equal(classifyRelation(schema, name), relationClass);
  });
}
