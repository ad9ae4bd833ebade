/** Statements prepared, named, held and sent in ways of which the text alone tells only half. */
import {
  bytes,
  describe,
  escapes,
  extended,
  functionCall,
  parse,
  pipeline,
  reads,
  run,
  writes,
  type Family,
} from '../attack.ts';

export const PREPARED: Family = {
  name: 'prepared statements and cursors',
  attacks: [
    reads('AUTHZ-272', 'reader', 'PREPARE and EXECUTE by SQL.', [
      'prepare p as select value from secret.keys',
      'execute p',
    ]),
    reads('AUTHZ-273', 'reader', 'PREPARE and EXECUTE in a single message.', [
      'prepare p as select value from secret.keys; execute p',
    ]),
    reads('AUTHZ-274', 'reader', 'PREPARE with a parameter, whose name is quoted.', [
      'prepare "p 1" (int) as select value from secret.keys where id = $1',
      'execute "p 1" (1)',
    ]),
    reads('AUTHZ-275', 'reader', 'Prepared by the protocol, executed by SQL.', [
      parse('p', 'select value from secret.keys'),
      'execute p',
    ]),
    reads('AUTHZ-276', 'reader', 'Prepared by SQL, executed by the protocol.', [
      'prepare p as select value from secret.keys',
      run('p'),
    ]),
    reads(
      'AUTHZ-277',
      'reader',
      'A subquery as the argument of EXECUTE.',
      ['prepare p (text) as select $1', 'execute p ((select value from secret.keys where id = 1))'],
      { inert: 'the server takes no subquery there' },
    ),
    reads('AUTHZ-278', 'reader', 'A function as the argument of EXECUTE.', [
      'prepare p (text) as select $1',
      'execute p (app.read_key(1))',
    ]),
    reads('AUTHZ-279', 'reader', 'A prepared statement replaced by another of the same name.', [
      'prepare p as select city from bank.branches',
      'execute p',
      'deallocate p',
      'prepare p as select value from secret.keys',
      'execute p',
    ]),
    reads('AUTHZ-280', 'reader', 'DECLARE and FETCH.', [
      'begin',
      'declare c cursor for select value from secret.keys',
      'fetch all from c',
      'commit',
    ]),
    reads('AUTHZ-281', 'reader', 'DECLARE and FETCH in a single message.', [
      'begin; declare c cursor for select value from secret.keys; fetch all from c; commit',
    ]),
    reads(
      'AUTHZ-282',
      'reader',
      'A cursor WITH HOLD, read after its transaction.',
      [
        'begin',
        `declare c cursor with hold for select city || '-held' from bank.branches`,
        'commit',
        'fetch all from c',
      ],
      { received: 'Bern-held' },
    ),
    reads(
      'AUTHZ-283',
      'reader',
      'COPY of what a cursor function gives.',
      [`select * from cursor_to_xml('c', 10, true, false, '')`],
      {
        inert: 'without a cursor there is nothing to read',
      },
    ),
    reads('AUTHZ-284', 'reader', 'A cursor of granted data, moved and read as XML.', [
      'begin; declare c cursor for select pin from bank.accounts; select cursor_to_xml($$c$$, 10, true, false, $$$$); commit',
    ]),
    writes('AUTHZ-285', 'reader', 'An UPDATE where a cursor stands.', [
      `begin; declare c cursor for select * from bank.branches for update; fetch 1 from c; update bank.branches set city = 'x' where current of c; commit`,
    ]),
    reads('AUTHZ-286', 'reader', 'CREATE TABLE AS EXECUTE.', [
      'prepare p as select value from secret.keys',
      'create temp table t as execute p',
      'select * from t',
    ]),
    reads('AUTHZ-287', 'builder', 'CREATE TABLE AS EXECUTE in the own schema.', [
      'prepare p as select value from secret.keys',
      'create table scratch.t as execute p',
      'select value from scratch.t',
    ]),
    reads('AUTHZ-288', 'reader', 'Parse, Describe and Execute by the protocol.', [
      parse('p', 'select value from secret.keys'),
      describe('p'),
      run('p'),
    ]),
    reads(
      'AUTHZ-289',
      'reader',
      'A function that is run while the statement is bound.',
      [extended('select city from bank.branches where city <> app.fixed_key($1::int)', '1')],
      {
        received: 'Bern',
      },
    ),
    reads('AUTHZ-290', 'reader', 'A pipeline with the forbidden statement in the middle.', [
      pipeline(
        'select city from bank.branches',
        'select value from secret.keys',
        'select id from bank.branches',
      ),
    ]),
    writes('AUTHZ-291', 'reader', 'A pipeline whose first statement is forbidden and whose last one too.', [
      pipeline(`update bank.branches set city = 'x'`, 'select 1', 'delete from bank.drafts'),
    ]),
    reads('AUTHZ-292', 'reader', 'The FunctionCall message.', [
      functionCall('app.peek', 'select value from secret.keys where id = 1'),
    ]),
    writes('AUTHZ-293', 'reader', 'The FunctionCall message for a built-in with an effect.', [
      functionCall('pg_catalog.lo_creat', '-1'),
    ]),
    reads(
      'AUTHZ-294',
      'caller',
      'The FunctionCall message for a granted function, with no right to the message.',
      [functionCall('app.hello', 'you')],
      {
        received: 'hello you',
      },
    ),
  ],
};

export const TRANSACTIONS: Family = {
  name: 'transactions and messages',
  attacks: [
    reads('AUTHZ-322', 'reader', 'A forbidden statement behind a granted one.', [
      'select city from bank.branches; select value from secret.keys',
    ]),
    writes('AUTHZ-323', 'reader', 'A forbidden statement before a granted one.', [
      `update bank.branches set city = 'x'; select 1`,
    ]),
    writes(
      'AUTHZ-324',
      'teller',
      'A granted half of a transaction, kept although the other half was refused.',
      [
        'begin',
        'update bank.limits set daily = 0 where account_id = 1',
        `update bank.limits set reason = 'x' where account_id = 2`,
        'commit',
      ],
      { check: 'select exists (select 1 from bank.limits where daily = 0)' },
    ),
    writes(
      'AUTHZ-325',
      'teller',
      'The same with COMMIT in the message of the refused statement.',
      [
        'begin',
        'update bank.limits set daily = 0 where account_id = 1',
        `update bank.limits set reason = 'x' where account_id = 2; commit`,
        'commit',
      ],
      { check: 'select exists (select 1 from bank.limits where daily = 0)' },
    ),
    writes(
      'AUTHZ-326',
      'teller',
      'The same in one implicit transaction of a pipeline.',
      [
        pipeline(
          'update bank.limits set daily = 0 where account_id = 1',
          `update bank.limits set reason = 'x' where account_id = 2`,
        ),
      ],
      { check: 'select exists (select 1 from bank.limits where daily = 0)' },
    ),
    writes(
      'AUTHZ-327',
      'teller',
      'The same in one implicit transaction of a message.',
      [
        `update bank.limits set daily = 0 where account_id = 1; update bank.limits set reason = 'x' where account_id = 2`,
      ],
      { check: 'select exists (select 1 from bank.limits where daily = 0)' },
    ),
    writes(
      'AUTHZ-328',
      'teller',
      'ROLLBACK TO a savepoint that was set before the refused statement, and COMMIT.',
      [
        'begin; savepoint a',
        'delete from bank.audit',
        'rollback to a',
        'delete from bank.audit; commit',
        'commit',
      ],
    ),
    reads('AUTHZ-329', 'reader', 'A statement behind one that fails.', [
      'select 1 / 0',
      'select value from secret.keys',
    ]),
    writes('AUTHZ-330', 'reader', 'BEGIN, effect and COMMIT in a single message.', [
      'begin; delete from bank.audit; commit',
    ]),
    escapes('AUTHZ-331', 'reader', 'PREPARE TRANSACTION leaves locks behind the session.', [
      `begin; select city from bank.branches; prepare transaction 'left'`,
    ]),
    escapes('AUTHZ-332', 'teller', 'PREPARE TRANSACTION behind a granted write.', [
      'begin; update bank.limits set daily = 0',
      `prepare transaction 'left'`,
    ]),
    writes(
      'AUTHZ-333',
      'reader',
      'COMMIT PREPARED of what another left.',
      [`commit prepared 'other-{{database}}'`],
      {
        setup: `begin; delete from bank.audit; prepare transaction 'other-{{database}}'`,
        check: 'select count(*) = 0 from bank.audit',
      },
    ),
    writes('AUTHZ-334', 'reader', 'A read-only transaction made writable again.', [
      'begin read only; set transaction read write; delete from bank.audit; commit',
    ]),
    writes('AUTHZ-335', 'reader', 'The read-only default of the role switched off.', [
      'set default_transaction_read_only = off',
      'delete from bank.audit',
    ]),
    reads(
      'AUTHZ-336',
      'reader',
      'A snapshot that another transaction exported.',
      [`begin isolation level repeatable read; select 'id=' || length(pg_export_snapshot()) ; commit`],
      { received: 'id=19' },
    ),
    reads(
      'AUTHZ-337',
      'reader',
      'A message with a second text behind its end.',
      [bytes('select 1\0select value from secret.keys')],
      {
        inert: 'the server refuses the message as well',
      },
    ),
  ],
};
