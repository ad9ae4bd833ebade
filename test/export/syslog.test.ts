/** Encrypted receivers. Syslog: RFC 5424 messages, octet counting, TLS, and a delivery that counts only when the receiver has read it all. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { until } from '../../packages/gateway/src/record/record-fixture.ts';
import { TlsFiles, type CertificateFiles } from '../connections/tls-files.ts';
import { HttpReceiver, parseSyslog, readFrames, SyslogReceiver } from './receivers.ts';
import { Rsyslog } from './rsyslog.ts';
import { assertComplete, duplicatesOf, ExportStage, httpExport, syslogExport } from './stage.ts';

let files: TlsFiles;
let server: CertificateFiles;
let client: CertificateFiles;

before(() => {
  files = new TlsFiles();
  server = files.issue('loghost', { names: 'DNS:localhost,IP:127.0.0.1' });
  client = files.issue('gateway');
});

after(() => files.remove());

const file = (name: string): { readonly kind: 'file'; readonly name: string } => ({ kind: 'file', name });

test('the strict reader refuses what is not RFC 5424 or not counted right', () => {
  const good = '<110>1 2026-11-23T00:00:00.000001Z node countersign - heartbeat [meta sequenceId="1"] {}';
  assert.equal(parseSyslog(good).priority, 110);
  for (const bad of [
    good.replace('1 2026', '2 2026'),
    good.replace('000001Z', 'Z'),
    good.replace(' - ', ' '),
    good.slice(5),
  ])
    assert.throws(() => parseSyslog(bad));
  assert.deepEqual(readFrames(Buffer.from('2 ab3 abc4 ab')), { messages: ['ab', 'abc'], used: 9 });
  assert.throws(() => readFrames(Buffer.from('02 ab')));
  assert.throws(() => readFrames(Buffer.from('2 ab\n2 ab')));
});

test('over TLS with certificates of both sides', async () => {
  await using stage = new ExportStage();
  const receiver = await new SyslogReceiver({
    cert: readFileSync(server.cert),
    key: readFileSync(server.key),
    ca: readFileSync(files.ca),
  }).listen();
  try {
    await stage.grow(100);
    const tls = { ca: file(files.ca), cert: file(client.cert), key: file(client.key) };
    await stage.drain(syslogExport(receiver.port, { tls }));
    await assertComplete(
      receiver.received.map(({ event }) => event),
      stage.logDirectory,
    );
    for (const { priority, hostname, msgid, structuredData, event } of receiver.received) {
      assert.equal(Math.floor(priority / 8), 13);
      assert.equal(hostname, 'node-1');
      assert.equal(msgid, event.metadata.event_code);
      assert.match(structuredData, new RegExp(`^\\[meta sequenceId="${event.metadata.sequence + 1}"\\]`));
    }
  } finally {
    await receiver.close();
  }
});

test('a certificate of somebody else, or for somebody else, gets nothing', async () => {
  await using stage = new ExportStage();
  const receiver = await new SyslogReceiver({
    cert: readFileSync(server.cert),
    key: readFileSync(server.key),
  }).listen();
  const stranger = new TlsFiles();
  try {
    await stage.grow(5);
    for (const tls of [{ ca: file(stranger.ca) }, { ca: file(files.ca), serverName: 'other.example' }]) {
      const exporter = stage.start(syslogExport(receiver.port, { tls }));
      await until(() => exporter.status.state === 'retrying');
      assert.match(exporter.status.reason ?? '', /CERT|SIGNATURE|ALTNAME/);
      await stage.stopExports();
    }
    assert.equal(receiver.received.length, 0);
  } finally {
    await receiver.close();
    stranger.remove();
  }
});

test('a receiver that dies in the middle of a batch gets it again', async () => {
  await using stage = new ExportStage();
  const receiver = await new SyslogReceiver().listen();
  try {
    await stage.grow(150);
    receiver.breakAfter = (connection) => (connection % 2 === 0 ? 1_000 + connection * 40_000 : undefined);
    const status = await stage.drain(syslogExport(receiver.port, { batch: 100 }));
    assert.ok(status.failures > 0);
    await assertComplete(
      receiver.received.map(({ event }) => event),
      stage.logDirectory,
    );
  } finally {
    await receiver.close();
  }
});

test('a real rsyslogd over TLS', async () => {
  await using stage = new ExportStage();
  await using rsyslog = await Rsyslog.start({ ca: files.ca, cert: server.cert, key: server.key });
  await stage.grow(200);
  await stage.drain(syslogExport(rsyslog.port, { tls: { ca: file(files.ca) } }));
  await until(() => rsyslog.received.length >= 400);
  const events = rsyslog.received.map(({ event }) => event);
  await assertComplete(events, stage.logDirectory);
  assert.equal(duplicatesOf(events), 0);
});

test('a real rsyslogd that is killed again and again misses nothing', async () => {
  await using stage = new ExportStage();
  await using rsyslog = await Rsyslog.start({ ca: files.ca, cert: server.cert, key: server.key });
  await stage.grow(1);
  const config = syslogExport(rsyslog.port, { tls: { ca: file(files.ca) }, batch: 20 });
  const exporter = stage.start(config);
  for (let round = 0; round < 4; round++) {
    const growing = stage.grow(60);
    await until(() => exporter.status.delivered > round * 40);
    await rsyslog.kill();
    await growing;
    await rsyslog.restart();
  }
  const size = await stage.size();
  await until(() => exporter.status.delivered >= size);
  await stage.stopExports();
  const seen = (): number => new Set(rsyslog.received.map(({ event }) => event.metadata.sequence)).size;
  await until(() => seen() === size);
  // rsyslogd may be killed between two lines of a batch, so a line may be followed by one that came before.
  const events = rsyslog.received.map(({ event }) => event);
  const firsts = [...new Map(events.map((event) => [event.metadata.sequence, event])).values()].sort(
    (a, b) => a.metadata.sequence - b.metadata.sequence,
  );
  await assertComplete(firsts, stage.logDirectory);
});

test('HTTP over TLS: the certificate is checked before anything is sent', async () => {
  await using stage = new ExportStage();
  const receiver = await new HttpReceiver({
    cert: readFileSync(server.cert),
    key: readFileSync(server.key),
  }).listen();
  try {
    await stage.grow(20);
    const distrusting = stage.start(httpExport(receiver.url));
    await until(() => distrusting.status.state === 'retrying');
    assert.match(distrusting.status.reason ?? '', /CERT|SIGNATURE/);
    await stage.stopExports();
    assert.equal(receiver.requests.length, 0);
    await stage.drain(httpExport(receiver.url, { tls: { ca: file(files.ca) } }));
    await assertComplete(receiver.received, stage.logDirectory);
  } finally {
    await receiver.close();
  }
});
