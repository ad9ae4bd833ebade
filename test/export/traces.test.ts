/** Spans of the real gateway as an OTLP receiver sees them: ids, durations, bounds, and nothing of the contents. */

import assert, { AssertionError } from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { encodeSpans } from '../../packages/gateway/src/observe/otlp.ts';
import { Tracer } from '../../packages/gateway/src/observe/tracer.ts';
import type { CallSpan } from '../../packages/gateway/src/observe/trace-span.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { query, RawSession } from '../support/raw-session.ts';
import { readLeaves } from '../support/record-view.ts';
import { checkTraces, type ReceivedSpan } from './otlp-check.ts';

class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly bodies: string[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  status: () => number | 'hang' = () => 200;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const status = this.status();
        if (status === 'hang') return;
        const body = Buffer.concat(chunks).toString();
        if (status === 200) {
          this.bodies.push(body);
          this.headers.push(request.headers);
          this.spans.push(...checkTraces(JSON.parse(body)));
        }
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const SESSION = '0190a000-0000-7000-8000-000000000001';
const span = (number: number): CallSpan => ({
  kind: 'call',
  session: SESSION,
  call: `0190a000-0000-7000-8000-${String(number).padStart(12, '0')}`,
  jseq: number,
  target: 'bank',
  operation: 'select',
  effect: 'read',
  status: 'ok',
  startUs: 1_790_000_000_000_000 + number,
  endUs: 1_790_000_000_000_500 + number,
});

test('ids are those of the record; 64-bit integers are strings', () => {
  const [encoded] = checkTraces(
    JSON.parse(encodeSpans([{ ...span(7), rows: 3 }], { node: 'n', version: '1' })),
  );
  assert.equal(encoded?.traceId, '0190a000000070008000000000000001');
  assert.equal(encoded?.parentSpanId, '8000000000000001');
  assert.equal(encoded?.spanId, '8000000000000007');
  assert.equal(encoded?.startTimeUnixNano, '1790000000000007000');
  assert.deepEqual(encoded?.attributes.find(({ key }) => key === 'countersign.rows')?.value, {
    intValue: '3',
  });
});

test('the check refuses what OTLP does not have', () => {
  const good = JSON.parse(encodeSpans([span(1)], { node: 'n', version: '1' })) as object;
  const text = JSON.stringify(good);
  for (const [from, to] of [
    ['"traceId":"0190', '"traceId":"190'],
    ['"name":"call"', '"title":"call"'],
    ['"startTimeUnixNano":"1790000000000001000"', '"startTimeUnixNano":1790000000000001000'],
    ['"intValue":"1"', '"intValue":1'],
    ['"kind":3', '"kind":"CLIENT"'],
  ] as const) {
    assert.ok(text.includes(from), from);
    assert.throws(() => checkTraces(JSON.parse(text.replace(from, to))), AssertionError, to);
  }
});

const RESOURCE = { node: 'n', version: '1' };
const tracerTo = (url: string, queue: number): Tracer =>
  new Tracer({ url, headers: {}, tls: {}, resource: RESOURCE, sample: 1, queue, intervalMs: 100 });

test('a receiver that hangs or refuses fills no memory: what is too much is dropped and counted', async () => {
  const receiver = await new TraceReceiver().listen();
  try {
    receiver.status = () => 400;
    const refused = tracerTo(receiver.url, 100);
    for (let i = 0; i < 250; i++) refused.add(span(i));
    assert.equal(refused.totals.dropped, 150);
    await refused.close();
    assert.deepEqual(refused.totals, { sent: 0, dropped: 250 });
    receiver.status = () => 'hang';
    const hung = tracerTo(receiver.url, 100);
    for (let i = 0; i < 50; i++) hung.add(span(i));
    await hung.close();
    hung.add(span(51));
    assert.deepEqual(hung.totals, { sent: 0, dropped: 51 });
    let attempts = 0;
    receiver.status = () => (attempts++ === 0 ? 503 : 200);
    const retried = tracerTo(receiver.url, 100);
    retried.add(span(1));
    await retried.close();
    assert.deepEqual(retried.totals, { sent: 1, dropped: 0 });
  } finally {
    await receiver.close();
  }
});

function attribute(one: ReceivedSpan, key: string): string | undefined {
  const value = one.attributes.find((each) => each.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
}

let target: Target;

before(async () => {
  target = await Target.start();
});

after(() => target.server.stop());

test('sessions and commands of the gateway, by the ids of the record, without their contents', async () => {
  const receiver = await new TraceReceiver().listen();
  const folder = await GatewayFolder.create({
    target: {
      port: target.server.port,
      database: target.database,
      user: TARGET_LOGIN,
      password: TARGET_PASSWORD,
    },
  });
  appendFileSync(
    folder.configFile,
    `traces: { url: '${receiver.url}', sample: 1, interval: 100ms, headers: { Authorization: env:TRACE_TOKEN } }\n`,
  );
  const gateway = await GatewayProcess.start(folder, { environment: { TRACE_TOKEN: 'Bearer t0ken' } });
  try {
    const session = await RawSession.connect(folder.endpoint(gateway.port));
    for (const text of ["select 'wanderlust' as marker", 'select 1/0', 'set client_encoding to latin1']) {
      session.send(query(text));
      await session.receiveUntil();
    }
    session.destroy();
    while (!receiver.spans.some(({ name }) => name === 'session')) await sleep(20);
    const totals = await gateway.get('metrics');
    assert.match(totals.body, /^countersign_spans_dropped_total 0$/m);
  } finally {
    await gateway.stop();
    await receiver.close();
  }
  const leaves = readLeaves(folder.stateDirectory);
  folder.remove();
  const byName = (name: string): readonly ReceivedSpan[] => receiver.spans.filter((one) => one.name === name);
  const [whole] = byName('session');
  const opened = leaves.find(
    (leaf) => leaf.type === 'session.opened' && leaf['session'] === attribute(whole!, 'countersign.session'),
  );
  assert.ok(opened !== undefined);
  assert.equal(whole?.traceId, String(attribute(whole!, 'countersign.session')).replaceAll('-', ''));
  const calls = byName('call');
  assert.deepEqual(
    calls.map((one) => attribute(one, 'countersign.status')),
    ['ok', 'error'],
  );
  assert.equal(attribute(calls[1]!, 'db.response.status_code'), '22012');
  assert.deepEqual(
    byName('denied').map((one) => attribute(one, 'countersign.code')),
    ['CS_SETTING_DENIED'],
  );
  for (const call of calls) {
    const intent = leaves.find((leaf) => leaf['id'] === attribute(call, 'countersign.call'));
    assert.equal(intent?.type, 'call.intent');
    assert.equal(String(intent?.jseq), attribute(call, 'countersign.jseq'));
    for (const key of ['intent_durable_us', 'target_us', 'result_durable_us'])
      assert.match(attribute(call, `countersign.${key}`) ?? '', /^\d+$/);
  }
  const text = receiver.bodies.join('\n');
  assert.doesNotMatch(text, /wanderlust|latin1|1\/0|marker/);
  for (const headers of receiver.headers) assert.equal(headers.authorization, 'Bearer t0ken');
});
