/** Functions of the server and of its extensions that reach files, connections, text that is run, large objects and other sessions. */
import { escapes, extended, reads, writes, type Family } from '../attack.ts';

export const FILES: Family = {
  name: 'files and network',
  attacks: [
    escapes('AUTHZ-338', 'reader', 'pg_read_file.', [`select pg_read_file('{{dir}}/canary.txt')`]),
    escapes('AUTHZ-339', 'reader', 'pg_read_file, qualified and quoted.', [
      `select "pg_catalog"."pg_read_file"('{{dir}}/canary.txt', 0, 100)`,
    ]),
    escapes('AUTHZ-340', 'reader', 'pg_read_binary_file.', [
      `select encode(pg_read_binary_file('{{dir}}/canary.txt'), 'escape')`,
    ]),
    escapes('AUTHZ-341', 'reader', 'pg_read_file in FROM.', [
      `select * from pg_read_file('{{dir}}/canary.txt') as f`,
    ]),
    escapes('AUTHZ-342', 'reader', 'pg_ls_dir.', [`select 'seen-' || f from pg_ls_dir('{{dir}}') f`], {
      received: 'seen-canary.txt',
    }),
    escapes(
      'AUTHZ-343',
      'reader',
      'pg_stat_file.',
      [`select 'size=' || size from pg_stat_file('{{dir}}/canary.txt')`],
      { received: 'size=9' },
    ),
    escapes(
      'AUTHZ-344',
      'reader',
      'pg_ls_waldir.',
      [`select 'segment-' || length(name) from pg_ls_waldir() limit 1`],
      { received: 'segment-24' },
    ),
    escapes(
      'AUTHZ-345',
      'reader',
      'pg_current_logfile and pg_ls_logdir.',
      [`select count(*) || '-files' from pg_ls_tmpdir()`],
      { received: '0-files' },
    ),
    escapes('AUTHZ-346', 'reader', 'lo_import reads a file into a large object.', [
      `select lo_import('{{dir}}/canary.txt', 4300)`,
      'select lo_get(4300)',
    ]),
    escapes('AUTHZ-347', 'reader', 'lo_export writes one to a file.', [
      `select lo_export(4242, '{{dir}}/stolen')`,
    ]),
    escapes('AUTHZ-348', 'reader', 'dblink opens a connection.', [
      `select * from ext.dblink('host=127.0.0.1 port={{port}} dbname=x', 'select 1') as t(a int)`,
    ]),
    escapes('AUTHZ-349', 'reader', 'dblink_connect opens a connection.', [
      `select ext.dblink_connect('c', 'host=127.0.0.1 port={{port}} dbname=x')`,
    ]),
    escapes('AUTHZ-350', 'reader', 'dblink_connect_u opens a connection.', [
      `select ext.dblink_connect_u('host=127.0.0.1 port={{port}} dbname=x')`,
    ]),
    escapes('AUTHZ-351', 'reader', 'dblink_exec opens a connection.', [
      `select ext.dblink_exec('host=127.0.0.1 port={{port}} dbname=x', 'select 1')`,
    ]),
    escapes('AUTHZ-352', 'reader', 'dblink through the search path.', [
      'set search_path = ext',
      `select dblink_connect('host=127.0.0.1 port={{port}} dbname=x')`,
    ]),
    escapes('AUTHZ-353', 'builder', 'CREATE SUBSCRIPTION connects to a publisher.', [
      `create subscription s connection 'host=127.0.0.1 port={{port}} dbname=x' publication p`,
    ]),
    escapes(
      'AUTHZ-354',
      'builder',
      'LOAD of a library.',
      [
        `load 'auto_explain'`,
        `select 'loaded ' || setting from pg_settings where name = 'auto_explain.log_nested_statements'`,
      ],
      {
        received: 'loaded off',
      },
    ),
    escapes(
      'AUTHZ-355',
      'builder',
      'A tablespace at a place of the file system.',
      [`create tablespace t location '{{dir}}'`],
      {
        inert: 'the folder belongs to another user, and the server wants it to be its own',
      },
    ),
    escapes(
      'AUTHZ-356',
      'reader',
      'The name of the data folder.',
      [`select 'at ' || substr(setting, 1, 1) from pg_settings where name = 'data_directory'`],
      {
        received: 'at /',
      },
    ),
    escapes('AUTHZ-357', 'reader', 'The name of the data folder by SHOW.', ['show data_directory'], {
      received: '/data',
    }),
    escapes(
      'AUTHZ-358',
      'reader',
      'The name of the data folder by current_setting.',
      [`select current_setting('data_directory')`],
      { received: '/data' },
    ),
  ],
};

export const DYNAMIC: Family = {
  name: 'dynamic SQL',
  attacks: [
    reads('AUTHZ-359', 'reader', 'query_to_xml.', [
      `select query_to_xml('select value from secret.keys', true, false, '')`,
    ]),
    reads('AUTHZ-360', 'reader', 'query_to_xml with a computed text.', [
      `select query_to_xml('select value from sec' || 'ret.keys', true, false, '')`,
    ]),
    reads('AUTHZ-361', 'reader', 'query_to_xml by parameter.', [
      extended('select query_to_xml($1, true, false, $2)', 'select value from secret.keys', ''),
    ]),
    reads('AUTHZ-362', 'reader', 'table_to_xml.', [`select table_to_xml('secret.keys', true, false, '')`]),
    reads('AUTHZ-363', 'reader', 'table_to_xml by an OID that another query finds.', [
      `select table_to_xml(oid::regclass, true, false, '') from pg_class where relname = 'keys' and relkind = 'r'`,
    ]),
    reads('AUTHZ-364', 'reader', 'schema_to_xml.', [`select schema_to_xml('secret', true, false, '')`]),
    reads('AUTHZ-365', 'reader', 'database_to_xml.', [`select database_to_xml(true, false, '')`]),
    reads('AUTHZ-366', 'reader', 'query_to_xml_and_xmlschema.', [
      `select query_to_xml_and_xmlschema('select value from secret.keys', true, false, '')`,
    ]),
    reads('AUTHZ-367', 'reader', 'table_to_xml_and_xmlschema.', [
      `select table_to_xml_and_xmlschema('secret.keys', true, false, '')`,
    ]),
    reads('AUTHZ-368', 'reader', 'schema_to_xml_and_xmlschema.', [
      `select schema_to_xml_and_xmlschema('secret', true, false, '')`,
    ]),
    reads('AUTHZ-369', 'reader', 'database_to_xml_and_xmlschema.', [
      `select database_to_xml_and_xmlschema(true, false, '')`,
    ]),
    reads('AUTHZ-370', 'reader', 'ts_stat runs a query.', [
      `select word from ts_stat('select doc from secret.documents')`,
    ]),
    reads('AUTHZ-371', 'reader', 'ts_stat with weights runs a query.', [
      `select word from ts_stat('select doc from secret.documents', 'd')`,
    ]),
    writes('AUTHZ-372', 'reader', 'ts_rewrite runs a query.', [
      `select ts_rewrite('a'::tsquery, 'select ''a''::tsquery, ''b''::tsquery from (select app.wipe()) s')`,
    ]),
    reads('AUTHZ-373', 'reader', 'crosstab runs a query.', [
      `select * from ext.crosstab('select id, id, value from secret.keys') as t(id int, a text)`,
    ]),
    reads('AUTHZ-374', 'reader', 'xpath_table reads a table by its name.', [
      `select * from ext.xpath_table('id', '''<a>'' || value || ''</a>''', 'secret.keys', '/a', 'true') as t(id int, v text)`,
    ]),
    reads('AUTHZ-375', 'reader', 'A SECURITY DEFINER function that runs any text.', [
      `select app.peek('select value from secret.keys where id = 1')`,
    ]),
    reads('AUTHZ-376', 'reader', 'The same with a text that another column holds.', [
      'select app.peek(sql) from secret.queries',
    ]),
    reads('AUTHZ-377', 'reader', 'A function that runs any text as the caller.', [
      `select app.run('select value from secret.keys where id = 1')`,
    ]),
    reads(
      'AUTHZ-378',
      'caller',
      'An overload, hidden behind a granted name, that runs any text as the caller.',
      [`select bank.transfer('select value from secret.keys where id = 1')`],
    ),
    reads(
      'AUTHZ-379',
      'reader',
      'A SECURITY DEFINER function that PUBLIC may run.',
      [`select bank.transfer(1, 2, 3)`],
      {
        check: 'select count(*) = 3 from bank.transfers',
      },
    ),
    writes('AUTHZ-380', 'reader', 'A text search that installs nothing, but runs a volatile function.', [
      'select app.wipe()',
    ]),
    writes('AUTHZ-381', 'reader', 'CALL of a procedure.', ['call app.purge()']),
    writes('AUTHZ-382', 'builder', 'DO runs any code.', ['do $$ begin delete from bank.audit; end $$']),
    reads('AUTHZ-383', 'builder', 'DO raises what it reads.', [
      `do $$ declare v text; begin select value into v from secret.keys limit 1; raise notice '%', v; end $$`,
    ]),
    writes('AUTHZ-384', 'builder', 'DO that puts its text together.', [
      `do $$ begin execute 'delete from ' || 'bank.' || 'audit'; end $$`,
    ]),
    writes('AUTHZ-385', 'builder', 'DO with its language first.', [
      `do language plpgsql 'begin delete from bank.audit; end'`,
    ]),
    reads('AUTHZ-386', 'reader', 'get_raw_page reads the blocks of a table.', [
      `select ext.get_raw_page('secret.keys', 0)`,
    ]),
    reads('AUTHZ-387', 'reader', 'heap_page_items reads the rows of a block.', [
      `select t_data from ext.heap_page_items(ext.get_raw_page('secret.keys', 0))`,
    ]),
    reads(
      'AUTHZ-388',
      'reader',
      'pgstattuple counts the rows of a table.',
      [`select 'rows=' || tuple_count from ext.pgstattuple('secret.keys')`],
      { received: 'rows=2' },
    ),
    reads(
      'AUTHZ-389',
      'reader',
      'brin_page_items and their kin: bt_page_items on a key.',
      [`select 'items=' || count(*) from ext.bt_page_items('secret.keys_pkey', 1)`],
      {
        received: 'items=2',
      },
    ),
  ],
};

export const OBJECTS: Family = {
  name: 'large objects and sequences',
  attacks: [
    reads('AUTHZ-390', 'reader', 'lo_get.', ['select lo_get(4242)']),
    reads('AUTHZ-391', 'reader', 'lo_get with a range.', ['select lo_get(4242, 0, 100)']),
    reads('AUTHZ-392', 'reader', 'lo_open and loread.', [
      'begin; select loread(lo_open(4242, 262144), 100); commit',
    ]),
    reads('AUTHZ-393', 'reader', 'pg_largeobject.', ['select data from pg_largeobject where loid = 4242']),
    writes('AUTHZ-394', 'reader', 'lo_unlink.', ['select lo_unlink(4242)']),
    writes('AUTHZ-395', 'reader', 'lo_put.', [`select lo_put(4242, 0, 'x')`]),
    writes('AUTHZ-396', 'reader', 'lo_create.', ['select lo_create(4243)']),
    writes('AUTHZ-397', 'reader', 'lo_from_bytea.', [`select lo_from_bytea(0, 'x')`]),
    writes('AUTHZ-398', 'reader', 'lo_creat.', ['select lo_creat(-1)']),
    writes('AUTHZ-399', 'reader', 'lo_open and lo_truncate.', [
      'begin; select lo_truncate(lo_open(4242, 131072), 0); commit',
    ]),
    writes('AUTHZ-400', 'builder', 'ALTER LARGE OBJECT.', ['alter large object 4242 owner to auditor']),
    writes('AUTHZ-401', 'builder', 'GRANT on a large object.', ['grant all on large object 4242 to public']),
    writes('AUTHZ-402', 'builder', 'COMMENT on a large object.', [`comment on large object 4242 is 'x'`]),
    writes('AUTHZ-403', 'reader', 'nextval.', [`select nextval('bank.counter')`]),
    writes('AUTHZ-404', 'reader', 'setval.', [`select setval('bank.counter', 100)`]),
    writes(
      'AUTHZ-405',
      'teller',
      'setval of the sequence whose table may be inserted into.',
      [`select setval('bank.transfers_id_seq', 1000)`],
      {
        check: 'select last_value = 1000 from bank.transfers_id_seq',
      },
    ),
    writes('AUTHZ-406', 'reader', 'nextval by an OID that another query finds.', [
      `select nextval(oid::regclass) from pg_class where relname = 'counter' and relnamespace = 'bank'::regnamespace`,
    ]),
    reads('AUTHZ-407', 'reader', 'A sequence read as a table.', ['select last_value from secret.counter']),
    reads(
      'AUTHZ-408',
      'reader',
      'pg_sequences.',
      [`select last_value from pg_sequences where sequencename = 'counter' and schemaname = 'secret'`],
      {
        inert: 'a sequence that was never used has no last value there',
      },
    ),
    reads(
      'AUTHZ-409',
      'reader',
      'pg_sequence_last_value and pg_get_sequence_data.',
      [`select last_value from pg_get_sequence_data('secret.counter')`],
      { since: 18 },
    ),
    writes('AUTHZ-410', 'builder', 'ALTER SEQUENCE RESTART.', [
      'alter sequence bank.counter restart with 50',
    ]),
    writes(
      'AUTHZ-411',
      'builder',
      'nextval as the default of an own column.',
      [
        `create table scratch.t (id int default nextval('bank.counter'))`,
        'insert into scratch.t default values',
      ],
      { check: 'select is_called from bank.counter' },
    ),
    writes('AUTHZ-412', 'builder', 'ALTER SEQUENCE ... MAXVALUE.', [
      'alter sequence bank.counter maxvalue 5',
    ]),
  ],
};
