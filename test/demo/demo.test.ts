/** The demo as a stranger runs it: a real tool's SQL through the gateway, on a record that verifies. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import type { ToolAnswer } from '../../examples/bank/demo/agent.ts';
import type { DemoFacts } from '../../examples/bank/demo.ts';
import { readLeaves, verifyRecord } from '../support/record-view.ts';

const ROOT = join(import.meta.dirname, '..', '..');

type Said = DemoFacts & {
  readonly calls?: readonly ToolAnswer[];
  readonly verdict?: string;
  readonly explained?: string;
};

interface RunningDemo {
  readonly said: Said;
  /** SIGTERM and its end. */
  stop(): Promise<void>;
}

/** By the script of `npm start`, which passes signals on. */
async function startDemo(directory: string, ...args: readonly string[]): Promise<RunningDemo> {
  const command = [join(ROOT, 'scripts', 'start.mjs'), '--dir', directory, '--json', ...args];
  const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>,
    exited.then(() => assert.fail(`the demo ended early: ${errors}`)),
  ]);
  return {
    said: JSON.parse(line[0]) as Said,
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await exited;
      assert.equal(code, 0, errors);
    },
  };
}

async function count(url: string, table: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return rows[0]?.n ?? 0;
  } finally {
    await client.end();
  }
}

/** Returns when nobody answers there any more; the test runner's own time limit ends it otherwise. */
async function gone(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url);
    } catch {
      return;
    }
    await delay(20);
  }
}

describe('the demo', () => {
  let scratch: string;
  let directory: string;
  let demo: RunningDemo | undefined;

  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'countersign-demo-test-'));
    // The database's own user has to get in.
    chmodSync(scratch, 0o711);
    directory = join(scratch, 'demo');
  });

  it('makes tool calls through the gateway, and the record verifies', async () => {
    demo = await startDemo(directory);
    const { calls = [], verdict, explained } = demo.said;
    assert.deepEqual(
      calls.map(({ agent, tool, ok, rows }) => [agent, tool, ok, rows]),
      [
        ['report-agent', 'run_report', true, 35],
        ['report-agent', 'run_sql', true, 3],
        ['report-agent', 'run_sql', false, undefined],
        ['report-agent', 'run_sql', false, undefined],
        ['report-agent', 'run_sql', false, undefined],
        ['service-agent', 'run_sql', true, 20],
        ['service-agent', 'run_sql', false, undefined],
      ],
    );
    // The first wall, with what is missing; the second one, which the first let pass; the first one again.
    const refused = calls[2]?.text.split('\n') ?? [];
    assert.match(refused[0] ?? '', /^ERROR 42501: countersign: this statement is not permitted/);
    assert.deepEqual(JSON.parse(refused.find((line) => line.startsWith('{')) ?? ''), {
      refused: 'CS_STATEMENT_DENIED',
      grant: 'reports',
      target: 'bank',
      command: 'select',
      missing: [{ relation: 'bank.customers', columns: ['family_name', 'given_name', 'ssn'] }],
    });
    assert.match(refused.at(-1) ?? '', /^Hint: Ask the owner of target bank to extend grant reports/);
    assert.match(calls[3]?.text ?? '', /^ERROR 42501: permission denied for table customers/);
    assert.match(calls[4]?.text ?? '', /this setting may not be changed through the gateway/);
    assert.equal(verdict, 'VERIFIED');
    assert.match(explained ?? '', /select bank\.customers\(customer_id,phone,ssn\)/);
    assert.match(explained ?? '', /^forbid: report-agent under grant reports$/m);
    assert.match(explained ?? '', /^forbid: service-agent under grant card-services$/m);
    assert.match(explained ?? '', /^permit: operator under grant operations$/m);
    assert.match(explained ?? '', /^ *unmasked: +bank\.customers\.phone \(phone\)$/m);
  });

  it('lets what identifies a person leave masked only, and refuses to let it be guessed', async () => {
    const { said } = demo ?? assert.fail('not running');
    const [shown, guessed] = said.calls?.filter(({ agent }) => agent === 'service-agent') ?? [];
    const { rows = [] } = JSON.parse(shown?.text ?? '') as {
      rows?: readonly Readonly<Record<string, string>>[];
    };
    const target = new Client({ connectionString: said.target });
    await target.connect();
    after(() => target.end());
    const real = await target.query<Readonly<Record<string, string>>>(
      String(shown?.arguments['sql']).replace('date_of_birth', 'date_of_birth::text'),
    );
    assert.equal(rows.length, 20);
    for (const [index, { email, date_of_birth: born, ssn, pan, label }] of rows.entries()) {
      const unmasked = real.rows[index] ?? assert.fail();
      assert.equal(email, '***@example.com');
      assert.equal(born, `${unmasked['date_of_birth']?.slice(0, 4)}-01-01`);
      assert.match(ssn ?? '', /^\[ssn:xr[0-9a-z]+\]$/);
      assert.equal(pan, `${'*'.repeat(12)}${unmasked['pan']?.slice(-4)}`);
      assert.match(label ?? '', /^\[pan:xr[0-9a-z]+\]$/);
    }
    for (const value of real.rows.flatMap((row) => ['email', 'ssn', 'pan'].map((name) => row[name]))) {
      assert.ok(value !== undefined && !JSON.stringify(said).includes(value), 'a value left as it is');
    }
    const result = readLeaves(said.state).findLast(({ masked }) => masked !== undefined);
    const masked = result?.['masked'] as readonly Readonly<Record<string, unknown>>[];
    assert.deepEqual(
      masked.map((each) => [each['class'], each['transform'], each['object'], each['count']]),
      [
        ['email', 'email-domain', 'bank.customers.email', 20],
        ['dob', 'year', 'bank.customers.date_of_birth', 20],
        ['ssn', 'redact', 'bank.customers.ssn', 20],
        ['pan', 'keep-last', 'bank.cards.pan', 20],
        ['pan', 'redact', 'bank.cards.pan', 20],
      ],
    );
    assert.match(guessed?.text ?? '', /^ERROR 42501: .*regulated values/);
    assert.match(guessed?.text ?? '', /It matches a pattern with values of class ssn/);
    assert.match(guessed?.text ?? '', /ask the owner of target bank to extend grant card-services/);
  });

  it('writes demo.json for scripts, for its owner alone', async () => {
    const { said } = demo ?? assert.fail('not running');
    const file = join(directory, 'demo.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const written = JSON.parse(readFileSync(file, 'utf8')) as DemoFacts;
    const { calls: _calls, verdict: _verdict, explained: _explained, ...facts } = said;
    assert.deepEqual(written, facts);
    assert.equal(await count(written.gateway, 'bank.transactions'), 100_000);
    assert.equal(await count(written.target, 'bank.customers'), 8_000);
  });

  it('refuses a second demo in the same folder, which leaves the first one alone', async () => {
    const { said } = demo ?? assert.fail('not running');
    const command = [join(ROOT, 'scripts', 'start.mjs'), '--dir', directory, '--no-traffic'];
    const second = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' });
    assert.equal(second.status, 3, second.stderr);
    assert.match(second.stderr, /another demo runs in .*\n.*--dir/);
    assert.equal(await count(said.gateway, 'bank.customers'), 8_000);
    assert.equal(JSON.parse(readFileSync(said.config.replace(/[^/]*$/, 'demo.json'), 'utf8')).pid, said.pid);
  });

  it('has an MCP server that no web page can reach by another name', async () => {
    const { said } = demo ?? assert.fail('not running');
    const asked = request(said.mcp.url, { method: 'POST', headers: { host: 'evil.example' } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    assert.equal(answer.statusCode, 403);
  });

  it('stops everything on SIGTERM, leaves no server behind when killed, and goes on with the same data', async () => {
    const running = demo ?? assert.fail('not running');
    const { said } = running;
    await running.stop();
    assert.equal(existsSync(join(directory, 'demo.json')), false);
    await assert.rejects(count(said.gateway, 'bank.customers'), { code: 'ECONNREFUSED' });
    await assert.rejects(count(said.target, 'bank.customers'), { code: 'ECONNREFUSED' });
    await assert.rejects(fetch(said.mcp.url));
    const before = readLeaves(said.state).length;
    demo = await startDemo(directory, '--no-traffic', '--port', String(said.ports.gateway));
    assert.equal(demo.said.ports.gateway, said.ports.gateway);
    assert.equal(demo.said.calls, undefined);
    assert.equal(demo.said.vkey, said.vkey);
    assert.equal(await count(said.gateway, 'bank.transactions'), 100_000);
    process.kill(demo.said.pid, 'SIGKILL');
    await gone(demo.said.mcp.url);
    demo = await startDemo(directory, '--no-traffic');
    await demo.stop();
    demo = undefined;
    const report = await verifyRecord(said.state);
    // The kill is on the record.
    assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
    assert.ok(readLeaves(said.state).length > before);
  });

  after(async () => {
    await demo?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });
});
