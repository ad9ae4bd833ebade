/** The client against a real HTTP server that speaks Presidio's analyzer protocol, and against everything such a server can do wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';

import { openRecogniser } from './recogniser-client.ts';

type Answer = (text: string, response: ServerResponse) => void;

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Gives the URL of an analyzer that answers so. */
async function analyzer(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const { text, language } = JSON.parse(await bodyOf(request)) as { text: string; language: string };
      assert.equal(request.method, 'POST');
      assert.equal(request.headers['content-type'], 'application/json');
      assert.equal(language, 'en');
      answer(text, response);
    })();
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/analyze`;
}

const send = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

const found = (text: string, word: string, type: string, score = 0.85): unknown => {
  // Places are code points, as Python counts them.
  const start = Array.from(text.slice(0, text.indexOf(word))).length;
  return {
    entity_type: type,
    start,
    end: start + Array.from(word).length,
    score,
    analysis_explanation: null,
    recognition_metadata: { recognizer_name: 'x' },
  };
};

const TIMEOUT_MS = 10_000;

test('what it finds becomes findings, each of the class of its entity', async () => {
  const url = await analyzer((text, response) =>
    send(response, [
      found(text, 'Jane Miller', 'PERSON'),
      found(text, 'Springfield', 'LOCATION'),
      found(text, 'D123', 'US_DRIVER_LICENSE'),
      found(text, 'yesterday', 'DATE_TIME'),
      found(text, '12', 'US_SSN', 0.05),
    ]),
  );
  const text = '😀 Jane Miller of Springfield, licence D123, came yesterday at 12';
  const [findings = []] = await openRecogniser({ url, timeoutMs: TIMEOUT_MS }).find([text]);
  assert.deepEqual(
    findings.map((each) => [each.class, text.slice(each.start, each.end), each.kind]),
    [
      ['name', 'Jane Miller', 'recognised'],
      ['address', 'Springfield', 'recognised'],
      ['*', 'D123', 'recognised'],
    ],
  );
});

test('many texts are answered in their order', async () => {
  const url = await analyzer((text, response) =>
    send(response, text.includes('Jane') ? [found(text, 'Jane', 'PERSON')] : []),
  );
  const texts = Array.from({ length: 23 }, (_, index) =>
    index % 3 === 0 ? `${index} Jane` : `${index} nobody`,
  );
  const answers = await openRecogniser({ url, timeoutMs: TIMEOUT_MS }).find([...texts, '']);
  assert.deepEqual(
    answers.map((findings) => findings.length),
    [...texts.map((text) => (text.includes('Jane') ? 1 : 0)), 0],
  );
});

const WRONG: readonly (readonly [string, Answer])[] = [
  ['another status', (_, response) => send(response, [], 500)],
  ['no content', (_, response) => response.writeHead(204).end()],
  ['no JSON', (_, response) => response.end('<html>')],
  ['no list', (_, response) => send(response, { results: [] })],
  ['a list of something else', (_, response) => send(response, ['PERSON'])],
  [
    'a place beyond the text',
    (_, response) => send(response, [{ entity_type: 'PERSON', start: 0, end: 9999, score: 1 }]),
  ],
  [
    'a place before it',
    (_, response) => send(response, [{ entity_type: 'PERSON', start: -1, end: 2, score: 1 }]),
  ],
  [
    'a place of nothing',
    (_, response) => send(response, [{ entity_type: 'PERSON', start: 3, end: 3, score: 1 }]),
  ],
  [
    'half a place',
    (_, response) => send(response, [{ entity_type: 'PERSON', start: 0.5, end: 3, score: 1 }]),
  ],
  ['no score', (_, response) => send(response, [{ entity_type: 'PERSON', start: 0, end: 3 }])],
  [
    'a name that is none',
    (_, response) => send(response, [{ entity_type: 'a\u001b[2J', start: 0, end: 3, score: 1 }]),
  ],
  ['a redirect', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  ['the end of the connection', (_, response) => response.destroy()],
  [
    'an answer without end',
    (_, response) => {
      response.on('error', () => {});
      const piece = ' '.repeat(1 << 20);
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
  ],
];

for (const [what, answer] of WRONG) {
  test(`${what}: the whole text counts as found`, async () => {
    const url = await analyzer(answer);
    const [findings = []] = await openRecogniser({ url, timeoutMs: TIMEOUT_MS }).find(['Jane Miller']);
    assert.deepEqual(
      findings.map(({ class: name, start, end }) => ({ name, start, end })),
      [{ name: '*', start: 0, end: 11 }],
    );
  });
}

test('no answer in time: the whole text counts as found', async () => {
  const url = await analyzer(() => {});
  const [findings = []] = await openRecogniser({ url, timeoutMs: 50 }).find(['Jane Miller']);
  assert.deepEqual(
    findings.map(({ class: name, why, end }) => ({ name, why, end })),
    [{ name: '*', why: 'the recogniser did not answer in time', end: 11 }],
  );
});

test('nobody there: the whole text counts as found', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const recogniser = openRecogniser({ url: `http://127.0.0.1:${port}/analyze`, timeoutMs: TIMEOUT_MS });
  const [findings = []] = await recogniser.find(['Jane Miller']);
  assert.equal(findings[0]?.class, '*');
  assert.equal(findings[0]?.end, 11);
});
