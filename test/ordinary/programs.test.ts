/** Real programs under narrow scopes: what they print through the gateway is what they print directly. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { libpqEnvironment, missing, run } from '../clients/programs.ts';
import type { Endpoint } from '../clients/stage.ts';
import { needTool } from '../foreign/tools.ts';
import type { ToolTest } from '../foreign/tools.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';
import { BANK_SCHEMA } from './bank-schema.ts';
import { SCOPES } from './corpus.ts';

const LOGIN = { user: 'app', password: 'not-a-secret-in-a-test' };

let server: PostgresServer;

before(async () => {
  server = await startTestPostgres();
  const admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create role app login password '${LOGIN.password}'`);
  await admin.query('create database bank owner app');
  await admin.end();
  const owner = new Client({ ...LOGIN, host: '127.0.0.1', port: server.port, database: 'bank' });
  await owner.connect();
  await owner.query(BANK_SCHEMA);
  await owner.end();
});

after(async () => {
  await server.stop();
});

/** The same work directly and through a gateway with that scope. */
async function both<T>(scope: string, work: (endpoint: Endpoint) => Promise<T>): Promise<readonly [T, T]> {
  const shared = { host: '127.0.0.1', database: 'bank' } as const;
  const direct = await work({ ...shared, ...LOGIN, name: 'direct', port: server.port });
  const harness = await Harness.start(server, {
    target: { ...LOGIN, port: server.port, database: 'bank' },
    scope,
  });
  const { password, port, user } = harness.endpoint;
  const gateway = await work({ ...shared, name: 'gateway', port, user, password: password ?? '' });
  const { verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  return [direct, gateway];
}

const PSQL = String.raw`
\dn
\d
\dt bank.*
\d bank.customers
\d+ bank.accounts
\d bank.postings
\d+ reporting.daily
\d reporting.totals
\di bank.*
\ds bank.*
\df bank.*
\dT+ bank.*
\dD bank.*
\dp bank.accounts
\du app
\sf bank.fee
\sv reporting.daily
\x
select id, name, segment from bank.customers where id < 3 order by id;
\gdesc
select * from reporting.customers order by id limit 2 \gx
\copy (select id, iban from bank.accounts order by id limit 2) to stdout csv
`;

describe('programs', () => {
  it('psql shows and describes the same', { skip: missing('psql') }, async () => {
    const [direct, gateway] = await both(SCOPES.introspect, async (endpoint) =>
      run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=0'], endpoint, { input: PSQL }),
    );
    assert.match(direct.stdout, /accounts_by_customer/);
    assert.equal(gateway.stderr, direct.stderr);
    assert.equal(gateway.stdout, direct.stdout);
  });

  const python = pythonStack();
  it('SQLAlchemy on psycopg reflects and works the same', python.test, async () => {
    const scope = SCOPES.application.replace('functions: [', "functions: ['pg_catalog.current_setting', ");
    const [direct, gateway] = await both(scope, async (endpoint) => runPython(python.path, endpoint));
    assert.ok(direct.includes('"accounts_by_customer"'));
    assert.equal(gateway, direct);
  });
});

/** From PyPI, once, into a folder that stays. */
function pythonStack(): { readonly path: string; readonly test: ToolTest } {
  const directory = join(tmpdir(), 'countersign-python-sqlalchemy-2.1.9');
  const path = join(directory, 'bin', 'python');
  const works = (): boolean => spawnSync(path, ['-c', 'import psycopg, sqlalchemy']).status === 0;
  if (!existsSync(path) || !works()) {
    spawnSync('python3', ['-m', 'venv', directory]);
    const pip = ['-m', 'pip', 'install', '-q', 'psycopg[binary]==3.3.9', 'SQLAlchemy==2.1.9'];
    spawnSync(path, pip, { timeout: 120_000 });
  }
  return { path, test: needTool(works(), 'Python with psycopg and SQLAlchemy') };
}

const SCRIPT = `
import json, os, sqlalchemy as s
from sqlalchemy import orm
e = s.create_engine(s.URL.create('postgresql+psycopg', os.environ['PGUSER'], os.environ['PGPASSWORD'], os.environ['PGHOST'], int(os.environ['PGPORT']), os.environ['PGDATABASE']))
m = s.MetaData(); m.reflect(e, schema='bank', views=True)
shape = {n: [(c.name, str(c.type), c.nullable, c.primary_key) for c in t.columns] + sorted(i.name for i in t.indexes) for n, t in sorted(m.tables.items()) if n != 'bank.customers'}
i = s.inspect(e)
shape['keys'] = [k['name'] for k in i.get_foreign_keys('accounts', schema='bank')]
shape['enums'] = [x['name'] for x in i.get_enums(schema='bank')]
class B(orm.DeclarativeBase): pass
class Account(B):
    __table__ = s.Table('accounts', B.metadata, s.Column('id', s.Integer, primary_key=True), s.Column('customer_id', s.Integer), s.Column('iban', s.String), s.Column('status', s.String), s.Column('version', s.Integer), schema='bank')
with orm.Session(e) as x:
    shape['open'] = [list(r) for r in x.execute(s.select(Account.id, Account.iban).where(Account.status == 'open').order_by(Account.id).limit(3))]
    a = x.get(Account, 1, with_for_update=True); a.status = 'closed'; x.flush(); x.refresh(a); shape['version'] = a.version
    x.add(Account(id=500, customer_id=1, iban='DE500', status='open', version=1)); x.flush()
    with x.begin_nested(): x.execute(s.delete(Account).where(Account.id == 500))
    shape['count'] = x.scalar(s.select(s.func.count()).select_from(Account))
    x.rollback()
print(json.dumps(shape))
`;

async function runPython(path: string, endpoint: Endpoint): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      path,
      ['-W', 'ignore', '-c', SCRIPT],
      { env: libpqEnvironment(endpoint) },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${endpoint.name}: ${stderr}`, { cause: error }));
      },
    );
  });
}
