import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HARMLESS_SETTINGS, GUARDED_SETTINGS } from './known-settings.ts';
import { isPinnedValue, judgeSettings, judgeStatement, makeSettingsPolicy } from './settings.ts';

const policy = makeSettingsPolicy([]);

const changes = (count: number): string => 'set work_mem = 1;'.repeat(count);

test('a text with more changes of settings than are kept is refused, though each of them is harmless', () => {
  assert.deepEqual(judgeStatement(changes(10_000), policy), { ok: true });
  assert.deepEqual(judgeStatement(changes(10_001), policy), { ok: false, reason: 'unreadable' });
});

/** What clients send as a matter of course. The source of each stands beside it. */
const accepted: readonly [who: string, text: string][] = [
  ['psql', "SELECT 'set role x'"],
  ['pg_dump', "SELECT pg_catalog.set_config('search_path', '', false);"],
  ['pg_dump', 'SET DATESTYLE = ISO'],
  ['pg_dump', 'SET INTERVALSTYLE = POSTGRES'],
  ['pg_dump', 'SET extra_float_digits TO 3'],
  ['pg_dump', 'SET synchronize_seqscans TO off'],
  ['pg_dump', 'SET statement_timeout = 0'],
  ['pg_dump', 'SET lock_timeout = 0'],
  ['pg_dump', 'SET idle_in_transaction_session_timeout = 0'],
  ['pg_dump', 'SET transaction_timeout = 0'],
  ['pg_dump', 'SET row_security = off'],
  ['pg_dump', 'SET quote_all_identifiers = true'],
  ['pg_dump', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY'],
  ['pg_dump -j', "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'"],
  [
    'pg_dump 17',
    "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
  ],
  ['pg_restore', "SET client_encoding = 'UTF8';"],
  ['pg_restore', 'SET standard_conforming_strings = on;'],
  ['pg_restore', 'SET xmloption = content;'],
  ['pg_restore', 'SET check_function_bodies = false;'],
  ['pg_restore', 'SET client_min_messages = warning;'],
  ['pg_restore', 'SET escape_string_warning = off;'],
  ['pg_restore', "SET default_tablespace = '';"],
  ['pg_restore', 'SET default_table_access_method = heap;'],
  ['pg_restore', 'SET SESSION AUTHORIZATION DEFAULT;'],
  ['pg_restore', 'RESET SESSION AUTHORIZATION;'],
  ['applications', 'SET LOCAL search_path TO a, "B", public'],
  ['applications', 'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY'],
  ['applications', 'SET CONSTRAINTS ALL DEFERRED'],
  ['applications', "SET TIME ZONE 'Europe/Madrid'"],
  ['applications', "SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE"],
  ['applications', 'SET TIME ZONE LOCAL'],
  ['applications', "SET SCHEMA 'a'"],
  ['applications', "SET NAMES 'utf-8'"],
  ['applications', 'SET NAMES DEFAULT'],
  ['applications', 'SET client_encoding TO DEFAULT'],
  ['applications', 'RESET ALL'],
  ['applications', 'DISCARD ALL'],
  ['applications', 'SET ROLE NONE'],
  ['applications', 'RESET ROLE'],
  ['applications', 'SET extra_float_digits = -15'],
  ['applications', "SELECT set_config('search_path', $1, true)"],
  ['applications', "SELECT set_config('work_mem'::text, '64MB', false)"],
  ['applications', "UPDATE t SET role = 'x' WHERE a = 1"],
  ['applications', "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET role = 'x'"],
  ['applications', "SELECT name, setting FROM pg_settings WHERE name = 'role'"],
  ['definitions', 'CREATE FUNCTION f() RETURNS int SET search_path = a LANGUAGE sql AS $$ SELECT 1 $$'],
  [
    'definitions',
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.user', x, true); END $$",
  ],
  ['definitions', 'ALTER FUNCTION f() SET search_path = a'],
  ['definitions', 'ALTER TABLE t ALTER COLUMN a SET DEFAULT 1'],
  ['definitions', 'ALTER DATABASE d SET TABLESPACE x'],
  ['definitions', "ALTER ROLE r SET search_path = 'a'"],
  [
    'blocks',
    "DO $$ BEGIN SET LOCAL search_path = a; UPDATE t SET role = 'x'; RAISE NOTICE 'set role'; END $$",
  ],
];

for (const [who, text] of accepted) {
  test(`accepted, ${who}: ${text}`, () => {
    assert.deepEqual(judgeStatement(text, policy), { ok: true });
  });
}

/** The bypass suite: each known way around the allow-list is a row, and stays forever. */
const refused: readonly [way: string, text: string, reason: string][] = [
  ['straight', 'SET standard_conforming_strings = off', 'pinned'],
  ['by TO', 'SET standard_conforming_strings TO off', 'pinned'],
  ['local', 'SET LOCAL standard_conforming_strings = off', 'pinned'],
  ['session', 'SET SESSION standard_conforming_strings = off', 'pinned'],
  ['upper case', 'SET STANDARD_CONFORMING_STRINGS = OFF', 'pinned'],
  ['quoted name', 'SET "standard_conforming_strings" = off', 'pinned'],
  ['quoted name in upper case (the server folds it)', 'SET "STANDARD_CONFORMING_STRINGS" = off', 'pinned'],
  ['quoted value', "SET standard_conforming_strings = 'off'", 'pinned'],
  ['number', 'SET standard_conforming_strings = 0', 'pinned'],
  ['escape string as value', "SET standard_conforming_strings = E'of\\x66'", 'pinned'],
  ['dollar string as value', 'SET standard_conforming_strings = $$off$$', 'pinned'],
  ['continued value', "SET client_encoding = 'UT'\n'F8'", 'pinned'],
  ['a list', "SET client_encoding = 'UTF8', 'LATIN1'", 'pinned'],
  ['comments between', 'SET/**/standard_conforming_strings/**/=/**/off', 'pinned'],
  ['comment before', '/* x */ -- y\n SET standard_conforming_strings = off', 'pinned'],
  ['second of two statements', 'SELECT 1; SET standard_conforming_strings = off', 'pinned'],
  ['behind a semicolon inside a comment and a string', "SELECT ';' /* ; */; SET ROLE x", 'role'],
  ['behind an empty statement', ';;SET ROLE x', 'role'],
  ['behind a lie about BEGIN ATOMIC', 'CREATE FUNCTION f() BEGIN ATOMIC; SET ROLE x; END', 'role'],
  ['behind an open parenthesis', 'SELECT (1; SET ROLE x', 'role'],
  ['name in unicode escapes', 'SET U&"standard_conforming\\005fstrings" = off', 'dynamic-name'],
  ['encoding', "SET client_encoding = 'SJIS'", 'pinned'],
  ['names', "SET NAMES 'LATIN1'", 'pinned'],
  ['encoding without a value that can be read', 'SET client_encoding = x.y', 'pinned'],
  ['set_config', "SELECT set_config('standard_conforming_strings', 'off', false)", 'pinned'],
  [
    'set_config, qualified',
    "SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false)",
    'pinned',
  ],
  [
    'set_config, name in upper case',
    "SELECT SET_CONFIG('Standard_Conforming_Strings', 'off', false)",
    'pinned',
  ],
  ['set_config, quoted', `SELECT "set_config"('standard_conforming_strings', 'off', false)`, 'pinned'],
  ['set_config, quoted and qualified', `SELECT "pg_catalog"."set_config"('role', 'x', false)`, 'not-allowed'],
  ['set_config, unicode escapes', `SELECT U&"set\\005fconfig"('role', 'x', false)`, 'not-allowed'],
  ['set_config, long unicode escapes', `SELECT U&"set\\+00005fconfig"('role', 'x', false)`, 'not-allowed'],
  [
    'set_config, other escape character',
    `SELECT U&"set!005fconfig" UESCAPE '!' ('role', 'x', false)`,
    'not-allowed',
  ],
  [
    'set_config, UESCAPE behind a comment',
    `SELECT U&"set!005fconfig"/**/UESCAPE/**/'!'('role', 'x', false)`,
    'not-allowed',
  ],
  ['set_config, comment before the parenthesis', "SELECT set_config/*(*/('role', 'x', false)", 'not-allowed'],
  ['set_config, computed name', "SELECT set_config('ro' || 'le', 'x', false)", 'dynamic-name'],
  ['set_config, parameter as name', 'SELECT set_config($1, $2, false)', 'dynamic-name'],
  ['set_config, column as name', 'SELECT set_config(n, v, false) FROM t', 'dynamic-name'],
  ['set_config, escape string as name', "SELECT set_config(E'ro\\x6ce', 'x', false)", 'dynamic-name'],
  ['set_config, continued name', "SELECT set_config('ro'\n'le', 'x', false)", 'dynamic-name'],
  [
    'set_config, named arguments',
    "SELECT set_config(new_value => 'x', setting_name => 'role', is_local => false)",
    'dynamic-name',
  ],
  [
    'set_config, computed value of a pinned setting',
    "SELECT set_config('standard_conforming_strings', 'o' || 'ff', false)",
    'pinned',
  ],
  [
    'set_config, parameter as value of a pinned setting',
    "SELECT set_config('client_encoding', $1, false)",
    'pinned',
  ],
  [
    'set_config, what pg_dump sends with another name',
    "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'role'",
    'dynamic-name',
  ],
  [
    'set_config, what pg_dump sends with an OR',
    "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind' OR true",
    'dynamic-name',
  ],
  ['set_config in WITH', "WITH x AS (SELECT set_config('role', 'x', false)) SELECT * FROM x", 'not-allowed'],
  ['set_config in EXPLAIN ANALYZE', "EXPLAIN ANALYZE SELECT set_config('role', 'x', false)", 'not-allowed'],
  ['set_config in PREPARE', "PREPARE p AS SELECT set_config('role', 'x', false)", 'not-allowed'],
  ['set_config in COPY', "COPY (SELECT set_config('role', 'x', false)) TO STDOUT", 'not-allowed'],
  ['set_config in DECLARE', "DECLARE c CURSOR FOR SELECT set_config('role', 'x', false)", 'not-allowed'],
  [
    'set_config in a default',
    "CREATE TABLE t (a text DEFAULT set_config('role', 'x', false))",
    'not-allowed',
  ],
  ['set_config in a view', "CREATE VIEW v AS SELECT set_config('role', 'x', false)", 'not-allowed'],
  [
    'set_config as the step of an aggregate',
    "CREATE AGGREGATE a (text, bool) (sfunc = set_config, stype = text, initcond = 'role')",
    'dynamic-name',
  ],
  [
    'set_config in a query that a function runs',
    "SELECT query_to_xml('SELECT set_config(''role'', ''x'', false)', true, true, '')",
    'not-allowed',
  ],
  [
    'the same, function quoted',
    `SELECT "query_to_xml"($$SELECT set_config('role', 'x', false)$$, true, true, '')`,
    'not-allowed',
  ],
  ['SET in DO', 'DO $$ BEGIN SET standard_conforming_strings = off; END $$', 'pinned'],
  ['SET in DO, language first', "DO LANGUAGE plpgsql 'BEGIN SET ROLE x; END'", 'role'],
  ['SET in DO behind THEN', 'DO $$ BEGIN IF true THEN SET ROLE x; END IF; END $$', 'role'],
  ['SET in DO behind a label', 'DO $$ BEGIN <<a>> SET ROLE x; END $$', 'role'],
  ['EXECUTE in DO', "DO $$ BEGIN EXECUTE 'SET ROLE x'; END $$", 'role'],
  [
    'EXECUTE in DO, dollars in dollars',
    'DO $a$ BEGIN EXECUTE $b$ SET standard_conforming_strings = off $b$; END $a$',
    'pinned',
  ],
  ['EXECUTE in DO, put together', "DO $$ BEGIN EXECUTE 'SET ' || 'ROLE x'; END $$", 'dynamic-name'],
  ['SET in DO, escape string', "DO E'BEGIN\\nSET ROLE x; END'", 'role'],
  ['SET in DO, letters as hex', "DO E'BEGIN \\x53ET ROLE x; END'", 'role'],
  ['SET in DO, letters as octal', "DO E'BEGIN \\123ET ROLE x; END'", 'role'],
  ['SET in DO, letters as code points', "DO E'BEGIN S\\u0045T ROLE\\U00000020x; END'", 'role'],
  ['SET in DO, unicode string', "DO U&'BEGIN \\0053ET ROLE x; END'", 'role'],
  ['SET in DO, continued string', "DO 'BEGIN SE'\n'T ROLE x; END'", 'role'],
  ['SET in DO, continued behind a comment', "DO 'BEGIN SE' -- it''s\n'T ROLE x; END'", 'role'],
  ['EXECUTE in DO, escape string', "DO $$ BEGIN EXECUTE E'\\x53ET ROLE x'; END $$", 'role'],
  [
    'EXECUTE in DO, unicode string with its own escape',
    "DO $$ BEGIN EXECUTE U&'!0053ET ROLE x' UESCAPE '!'; END $$",
    'role',
  ],
  ['EXECUTE in DO, continued string', "DO $$ BEGIN EXECUTE 'SE'\n'T ROLE x'; END $$", 'role'],
  ['DO in DO', 'DO $$ BEGIN EXECUTE $q$DO $z$BEGIN SET ROLE x; END$z$ $q$; END $$', 'role'],
  [
    'EXECUTE in DO in DO: too deep to read',
    'DO $$ BEGIN EXECUTE $q$DO $z$BEGIN EXECUTE $w$SET ROLE x$w$; END$z$ $q$; END $$',
    'unreadable',
  ],
  [
    'a query that a function runs, escape string',
    "SELECT query_to_xml(E'SELECT \\x73et_config(\\'role\\',\\'x\\',false)', true, true, '')",
    'not-allowed',
  ],
  ['set_config in DO', "DO $$ BEGIN PERFORM set_config('role', 'x', false); END $$", 'not-allowed'],
  ['role', 'SET ROLE postgres', 'role'],
  ['role as a string', "SET ROLE 'postgres'", 'role'],
  ['role named "none"', 'SET ROLE "none"', 'role'],
  ['role as a setting', 'SET role = postgres', 'not-allowed'],
  ['local role', 'SET LOCAL ROLE postgres', 'role'],
  ['session authorization', 'SET SESSION AUTHORIZATION postgres', 'session-authorization'],
  ['local session authorization', 'SET LOCAL SESSION AUTHORIZATION postgres', 'session-authorization'],
  ['session authorization as a setting', "SET session_authorization = 'postgres'", 'not-allowed'],
  ['system', 'ALTER SYSTEM SET work_mem = 1', 'alter-system'],
  ['system, reset', 'ALTER SYSTEM RESET ALL', 'alter-system'],
  ['role setting', 'ALTER ROLE CURRENT_USER SET standard_conforming_strings = off', 'pinned'],
  ['user setting in a database', "ALTER USER u IN DATABASE d SET client_encoding TO 'LATIN1'", 'pinned'],
  ['database setting', 'ALTER DATABASE d SET session_replication_role = replica', 'not-allowed'],
  [
    'update of the view',
    "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    'pg-settings',
  ],
  ['update of the view, quoted', `UPDATE "pg_catalog"."pg_settings" SET setting = 'x'`, 'pg-settings'],
  ['update of the view, unicode escapes', `UPDATE U&"pg\\005fsettings" SET setting = 'x'`, 'pg-settings'],
  [
    'update of the view in WITH',
    "WITH x AS (UPDATE pg_settings SET setting = 'x' RETURNING 1) SELECT 1",
    'pg-settings',
  ],
  ['a view over the view', 'CREATE VIEW v AS SELECT * FROM pg_settings', 'pg-settings'],
  [
    'a rule that updates it',
    "CREATE RULE r AS ON INSERT TO t DO ALSO UPDATE pg_settings SET setting = 'x'",
    'pg-settings',
  ],
  ['what hides from the server’s log', "SET log_statement = 'none'", 'not-allowed'],
  ['what turns triggers off', 'SET session_replication_role = replica', 'not-allowed'],
  ['what loads code', "SET local_preload_libraries = 'x'", 'not-allowed'],
  ['what an application keeps its user in', "SET app.user_id = '7'", 'not-allowed'],
];

for (const [way, text, reason] of refused) {
  test(`refused, ${way}: ${text}`, () => {
    const verdict = judgeStatement(text, policy);
    assert.equal(verdict.ok ? 'accepted' : verdict.reason, reason);
  });
}

test('the operator can allow more, by name or prefix, but not unpin', () => {
  const wide = makeSettingsPolicy([
    'log_statement',
    'App.*',
    'standard_conforming_strings',
    'client_encoding',
  ]);
  assert.ok(judgeStatement("SET log_statement = 'all'", wide).ok);
  assert.ok(judgeStatement("SELECT set_config('app.user', 'x', true)", wide).ok);
  assert.ok(!judgeStatement("SET application.user = 'x'", wide).ok);
  assert.ok(!judgeStatement("SET app = 'x'", wide).ok);
  assert.ok(!judgeStatement('SET standard_conforming_strings = off', wide).ok);
  assert.ok(!judgeStatement("SET client_encoding = 'LATIN1'", wide).ok);
});

test('a refusal names a setting only if PostgreSQL has it', () => {
  assert.deepEqual(judgeStatement("SET log_statement = 'none'", policy), {
    ok: false,
    reason: 'not-allowed',
    setting: 'log_statement',
  });
  assert.deepEqual(judgeStatement("SET app.ssn_123 = 'x'", policy), { ok: false, reason: 'not-allowed' });
});

test('pinned values in every spelling that the server takes', () => {
  for (const value of ['UTF8', 'utf-8', 'Utf_8', 'UNICODE'])
    assert.ok(isPinnedValue('client_encoding', value), value);
  for (const value of ['SQL_ASCII', 'LATIN1', 'UTF', '', 'UTF88'])
    assert.ok(!isPinnedValue('client_encoding', value), value);
  for (const value of ['on', 'ON', 'true', 't', 'tr', 'yes', 'y', '1']) {
    assert.ok(isPinnedValue('standard_conforming_strings', value), value);
  }
  for (const value of ['off', 'o', '0', 'false', 'no', '', 'truee', '2']) {
    assert.ok(!isPinnedValue('standard_conforming_strings', value), value);
  }
});

test('the two lists are apart and in lower case', () => {
  const all = [...HARMLESS_SETTINGS, ...GUARDED_SETTINGS];
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.every((name) => name === name.toLowerCase()));
});

/** Counts what searches for a byte have passed over. */
class CountingBytes extends Uint8Array {
  searched = 0;

  override indexOf(byte: number, from = 0): number {
    const found = super.indexOf(byte, from);
    this.searched += (found < 0 ? this.length : found) - from;
    return found;
  }
}

test('no text makes the rest of it be searched again for every word', () => {
  const pieces = ['U&"a",', 'set a=b;', 'set_config,', '"set_config"(', 'alter role x;', "'a' ", '$a$x$a$,'];
  for (const piece of pieces) {
    const bytes = new CountingBytes(Buffer.from(piece.repeat(1000)));
    judgeStatement(bytes, policy);
    assert.ok(bytes.searched <= 4 * bytes.length, `${piece}: ${bytes.searched}`);
  }
});

test('no changes, no cost: the verdict is the same object', () => {
  assert.equal(judgeSettings([], policy), judgeSettings([], policy));
});

test('an identity may be changed where the target leaves it to scopes, and only the one that it names', () => {
  const roles = makeSettingsPolicy(['role']);
  for (const text of ['SET ROLE x', "SET LOCAL ROLE 'x'", 'SET SESSION ROLE x', 'RESET ROLE'])
    assert.deepEqual(judgeStatement(text, roles), { ok: true }, text);
  assert.deepEqual(judgeStatement('SET SESSION AUTHORIZATION x', roles), {
    ok: false,
    reason: 'session-authorization',
  });
  assert.equal(judgeStatement('SET ROLE x', makeSettingsPolicy(['session_authorization'])).ok, false);
  assert.equal(judgeStatement('SET ROLE x', makeSettingsPolicy([])).ok, false);
});
