/** Time stamps of a log: asked for, refused when anything is wrong with them, kept, recorded, checked by OpenSSL and by ours. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { directorySource, parseCertificates, verifyLog } from 'countersign-verify';
import type { VerifyReport } from 'countersign-verify';

import { RecordFixture } from '../../packages/gateway/src/record/record-fixture.ts';
import { requestTimestamp } from '../../packages/gateway/src/record/timestamp/request-timestamp.ts';
import type { TimestampAuthority } from '../../packages/gateway/src/record/timestamp/request-timestamp.ts';
import { TimestampService } from '../../packages/gateway/src/record/timestamp/timestamp-service.ts';
import type { TimestampAttempt } from '../../packages/gateway/src/record/timestamp/timestamp-service.ts';
import { needOpenssl } from '../foreign/tools.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { TimeAuthority } from '../support/time-authority.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');
const VERIFY = join(import.meta.dirname, '../../packages/verify/src/cli.ts');
const DATA = Buffer.from('a checkpoint\n');
const DAY_MS = 86_400_000;

function certificatesOf(tsa: TimeAuthority) {
  return parseCertificates(readFileSync(tsa.ca, 'utf8'));
}

/** What OpenSSL's own verifier says of a stored token. */
function opensslVerifies(log: string, size: number, tsa: TimeAuthority): boolean {
  const file = (suffix: string): string => join(log, 'timestamps', `${size}.${suffix}`);
  const args = ['ts', '-verify', '-in', file('tsr'), '-data', file('checkpoint'), '-CAfile', tsa.ca];
  return spawnSync('openssl', args).status === 0;
}

describe('asking an authority', needOpenssl(), () => {
  let tsa: TimeAuthority;
  let authority: TimestampAuthority;

  before(async () => {
    tsa = new TimeAuthority();
    authority = { url: await tsa.listen(), trusted: certificatesOf(tsa), timeoutMs: 30_000 };
  });
  after(() => tsa.remove());

  async function outcomeWith(tamper: TimeAuthority['tamper']): Promise<string> {
    tsa.tamper = tamper;
    const outcome = await requestTimestamp(authority, DATA);
    tsa.tamper = undefined;
    return outcome.kind === 'failed' ? outcome.reason : outcome.kind;
  }

  it('gives a token of just this data', async () => {
    assert.equal(await outcomeWith(undefined), 'stamped');
  });

  it('refuses an answer to another question, of another authority, or that is none', async () => {
    const other = new TimeAuthority();
    const expired = new TimeAuthority({ days: -1 });
    const stale = await tsa.reply(queryOf(DATA));
    try {
      const rows: readonly (readonly [string, string, NonNullable<TimeAuthority['tamper']>])[] = [
        ['an old answer to the same question', 'nonce', () => stale],
        ['an answer of other data', 'imprint', (_answer, query) => replyOf(tsa, otherImprint(query))],
        ['an answer of another authority', 'authority', (_answer, query) => other.reply(query)],
        ['a rejection', 'not-granted', () => Buffer.from('30053003020102', 'hex')],
        ['nothing', 'malformed', () => Buffer.alloc(0)],
        ['a cut answer', 'malformed', (answer) => answer.subarray(0, -1)],
        ['a changed answer', 'malformed', (answer) => flip(answer, answer.length - 5)],
        ['an endless answer', 'too-long', () => Buffer.alloc(1_000_000)],
      ];
      for (const [what, reason, tamper] of rows) assert.equal(await outcomeWith(tamper), reason, what);
      authority = { ...authority, trusted: [...certificatesOf(tsa), ...certificatesOf(expired)] };
      assert.equal(await outcomeWith((_answer, query) => expired.reply(query)), 'authority');
      assert.equal(await outcomeWith(undefined), 'stamped');
    } finally {
      await other.remove();
      await expired.remove();
    }
  });

  it('refuses an authority whose certificate has expired since', async () => {
    const clock = Date.now;
    try {
      Date.now = () => clock() + 10 * DAY_MS;
      assert.equal(await outcomeWith(undefined), 'authority');
    } finally {
      Date.now = clock;
    }
  });

  it('says why nothing came', async () => {
    tsa.status = 503;
    const refused = await requestTimestamp(authority, DATA);
    tsa.status = 200;
    assert.deepEqual(refused, { kind: 'failed', reason: 'http-status', detail: '503' });
    const nobody = await requestTimestamp({ ...authority, url: 'http://127.0.0.1:1/' }, DATA);
    assert.deepEqual(nobody, { kind: 'failed', reason: 'unreachable', detail: 'ECONNREFUSED' });
    const stranger = createServer((_request, response) =>
      response.writeHead(101, { connection: 'upgrade', upgrade: 'websocket' }).end(),
    );
    await once(stranger.listen(0, '127.0.0.1'), 'listening');
    const { port } = stranger.address() as AddressInfo;
    const another = await requestTimestamp({ ...authority, url: `http://127.0.0.1:${port}/` }, DATA);
    stranger.close();
    assert.deepEqual(another, { kind: 'failed', reason: 'unreachable', detail: 'no answer' });
    const signal = AbortSignal.abort();
    const ended = await requestTimestamp(authority, DATA, { signal });
    assert.equal(ended.kind === 'failed' && ended.reason, 'unreachable');
  });
});

function queryOf(data: Buffer): Buffer {
  const digest = createHash('sha256').update(data).digest('hex');
  return execFileSync('openssl', ['ts', '-query', '-digest', digest, '-sha256', '-cert'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** The same question, with its nonce, of other data. */
function otherImprint(query: Buffer): Buffer {
  const changed = Buffer.from(query);
  const at = query.indexOf(Buffer.from('0420', 'hex')) + 2;
  changed[at]! ^= 0xff;
  return changed;
}

/** The authority's true answer to another question. */
function replyOf(tsa: TimeAuthority, query: Buffer): Promise<Buffer> {
  const { tamper } = tsa;
  tsa.tamper = undefined;
  return tsa.reply(query).finally(() => (tsa.tamper = tamper));
}

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1;
  return changed;
}

describe('the time stamps of a log', needOpenssl(), () => {
  let tsa: TimeAuthority;
  let url = '';

  before(async () => {
    tsa = new TimeAuthority({ intermediate: true, kind: 'rsa' });
    url = await tsa.listen();
  });
  after(() => tsa.remove());

  /** A recorder with a service beside it. `until`: outcomes to wait for. */
  async function runService(
    fixture: RecordFixture,
    until: number,
    onOutcome: (outcome: TimestampAttempt, count: number) => void = () => {},
  ): Promise<TimestampAttempt[]> {
    const recorder = await fixture.open();
    const outcomes: TimestampAttempt[] = [];
    const enough = Promise.withResolvers<void>();
    const service = new TimestampService({
      authority: { url, trusted: certificatesOf(tsa), timeoutMs: 30_000 },
      intervalMs: DAY_MS,
      retryMs: 1,
      logDirectory: join(fixture.directory, 'log'),
      recorder,
      onOutcome: (outcome) => {
        outcomes.push(outcome);
        onOutcome(outcome, outcomes.length);
        if (outcomes.length === until) enough.resolve();
      },
    });
    // The service's timers hold no process; this test's does.
    const alive = setInterval(() => {}, 1000);
    await enough.promise;
    clearInterval(alive);
    await service.close();
    await recorder.close('test');
    return outcomes;
  }

  function check(fixture: RecordFixture, authorities = certificatesOf(tsa)): Promise<VerifyReport> {
    return verifyLog(directorySource(join(fixture.directory, 'log')), { timestampAuthorities: authorities });
  }

  it('are made at the start, accepted by OpenSSL, and counted by the verifier', async () => {
    const fixture = new RecordFixture();
    try {
      const [outcome] = await runService(fixture, 1);
      assert.equal(outcome?.kind, 'stamped');
      const size = outcome?.kind === 'stamped' ? outcome.size : 0;
      const log = join(fixture.directory, 'log');
      assert.ok(opensslVerifies(log, size, tsa));
      const report = await check(fixture);
      assert.deepEqual(report.findings, []);
      assert.equal(report.timestamps?.recorded, 1);
      assert.equal(report.timestamps?.trusted, 1);
      assert.equal(report.timestamps?.newest?.size, size);
      assert.equal(report.timestamps?.newest?.authority, 'test tsa');
      const text = spawnSync(process.execPath, [VERIFY, log, '--tsa-ca', tsa.ca], { encoding: 'utf8' });
      assert.equal(text.status, 0, text.stderr);
      assert.match(
        text.stdout,
        new RegExp(`TIMESTAMPED: 1 of 1 time stamps; the first ${size} leaves existed at`),
      );
      const unchecked = spawnSync(process.execPath, [VERIFY, log], { encoding: 'utf8' });
      assert.match(unchecked.stdout, /time stamps: 1 recorded, their authority not checked \(--tsa-ca\)/);
    } finally {
      fixture.remove();
    }
  });

  it('are tried again when the authority fails, with one alert and no wait for anything else', async () => {
    const fixture = new RecordFixture();
    try {
      tsa.status = 500;
      const outcomes = await runService(fixture, 4, (_outcome, count) => {
        if (count === 3) tsa.status = 200;
      });
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['failed', 'failed', 'failed', 'stamped'],
      );
      const alerts = (await fixture.leaves()).filter((leaf) => leaf['code'] === 'timestamp-failed');
      assert.equal(alerts.length, 1);
      assert.equal((await check(fixture)).timestamps?.trusted, 1);
    } finally {
      tsa.status = 200;
      fixture.remove();
    }
  });

  it('are not asked for again before their time, also after a restart', async () => {
    const fixture = new RecordFixture();
    try {
      await runService(fixture, 1);
      const { requests } = tsa;
      const recorder = await fixture.open();
      const service = new TimestampService({
        authority: { url, trusted: certificatesOf(tsa), timeoutMs: 30_000 },
        intervalMs: DAY_MS,
        logDirectory: join(fixture.directory, 'log'),
        recorder,
        onOutcome: () => assert.fail('nothing is due'),
      });
      assert.equal(service.status.failures, 0);
      assert.ok((service.status.newestUs ?? 0) > 0);
      await recorder.append({ type: 'alert', code: 'test' }).durable();
      await service.close();
      await recorder.close('test');
      assert.equal(tsa.requests, requests);
    } finally {
      fixture.remove();
    }
  });

  it('are a finding when what is stored does not fit what was recorded', async () => {
    const fixture = new RecordFixture();
    const elsewhere = new TimeAuthority();
    try {
      const [outcome] = await runService(fixture, 1);
      const size = outcome?.kind === 'stamped' ? outcome.size : 0;
      const directory = join(fixture.directory, 'log', 'timestamps');
      const response = join(directory, `${size}.tsr`);
      const checkpoint = join(directory, `${size}.checkpoint`);
      const [token, text] = [readFileSync(response), readFileSync(checkpoint)];
      const rows: readonly (readonly [string, string, string, () => void])[] = [
        [
          'a changed token',
          'timestamp',
          'ALTERED',
          () => writeFileSync(response, flip(token, token.length - 5)),
        ],
        ['no token', 'timestamp-missing', 'INCOMPLETE', () => rmSync(response)],
        ['no checkpoint', 'timestamp-missing', 'INCOMPLETE', () => rmSync(checkpoint)],
        [
          'the same checkpoint with another signature line',
          'timestamp',
          'ALTERED',
          () =>
            writeFileSync(
              checkpoint,
              `${text.toString()}\u2014 other ${Buffer.alloc(68).toString('base64')}\n`,
            ),
        ],
        [
          'a changed checkpoint',
          'timestamp',
          'ALTERED',
          () => writeFileSync(checkpoint, flip(text, text.length - 9)),
        ],
        [
          'another checkpoint of this log',
          'timestamp',
          'ALTERED',
          () => copyFileSync(join(fixture.directory, 'log', 'checkpoint'), checkpoint),
        ],
      ];
      for (const [what, code, verdict, damage] of rows) {
        damage();
        const report = await check(fixture);
        assert.equal(report.verdict, verdict, `${what}: ${JSON.stringify(report.findings)}`);
        assert.deepEqual(
          report.findings.map((finding) => finding.code),
          [code],
          what,
        );
        assert.equal(report.timestamps?.trusted, 0, what);
        writeFileSync(response, token);
        writeFileSync(checkpoint, text);
      }
      assert.equal((await check(fixture)).verdict, 'VERIFIED');
      const foreign = await check(fixture, certificatesOf(elsewhere));
      assert.equal(foreign.verdict, 'CANNOT-VERIFY');
      assert.deepEqual(
        foreign.findings.map(({ code }) => code),
        ['timestamp-authority'],
      );
    } finally {
      await elsewhere.remove();
      fixture.remove();
    }
  });
});

function status(...args: readonly string[]): string {
  return spawnSync(process.execPath, [MAIN, 'log', 'status', ...args], { encoding: 'utf8' }).stdout;
}

/** What `log status` says of the newest time stamp: with the certificates of the configuration, without, and of a damaged one. */
function checkStatus(folder: GatewayFolder, tsa: TimeAuthority, size: number): void {
  const own = status('-c', folder.configFile, '--json');
  const { timestamped } = JSON.parse(own) as { readonly timestamped?: Record<string, unknown> };
  assert.deepEqual([timestamped?.['size'], timestamped?.['isTrusted']], [size, true], own);
  const log = join(folder.stateDirectory, 'log');
  const words = new RegExp(`TIMESTAMPED: the first ${size} leaves existed at 20.*, says test tsa`);
  assert.match(status(log, '--tsa-ca', tsa.ca), words);
  assert.match(status(log), new RegExp(`of the first ${size} leaves; its authority is not known`));
  const response = join(log, 'timestamps', `${size}.tsr`);
  const whole = readFileSync(response);
  writeFileSync(response, flip(whole, whole.length - 5));
  assert.match(status('-c', folder.configFile), /time stamp +none that fits/);
  writeFileSync(response, whole);
}

describe('a gateway with an authority', needOpenssl(), () => {
  it('has its log stamped, shows it as a figure, and refuses certificates that are none', async () => {
    const tsa = new TimeAuthority();
    const target = { port: 1, database: 'bank', user: 'app', password: 'not used' };
    const folder = await GatewayFolder.create({ target });
    try {
      const ca = join(folder.directory, 'tsa.pem');
      appendFileSync(folder.configFile, `timestamp:\n  url: ${await tsa.listen()}\n  ca: file:tsa.pem\n`);
      writeFileSync(ca, 'no certificate');
      await assert.rejects(GatewayProcess.start(folder), /timestamp\.ca/);
      copyFileSync(tsa.ca, ca);
      const gateway = await GatewayProcess.start(folder);
      while ((await gateway.metric('countersign_timestamp_newest_timestamp_seconds')) === 0)
        await new Promise(setImmediate);
      assert.equal(await gateway.metric('countersign_timestamp_failures'), 0);
      assert.equal(await gateway.stop(), 0);
      const log = join(folder.stateDirectory, 'log');
      assert.ok(existsSync(join(log, 'timestamps')));
      const name = readdirSync(join(log, 'timestamps')).find((file) => file.endsWith('.tsr'));
      assert.ok(opensslVerifies(log, Number(name!.slice(0, -4)), tsa));
      const args = [MAIN, 'log', 'verify', '-c', folder.configFile, '--tsa-ca', ca, '--json'];
      const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
      const report = JSON.parse(run.stdout) as VerifyReport;
      assert.equal(report.verdict, 'VERIFIED', run.stdout);
      assert.equal(report.timestamps?.trusted, 1);
      checkStatus(folder, tsa, Number(name!.slice(0, -4)));
    } finally {
      folder.remove();
      await tsa.remove();
    }
  });
});
