/** The client against witnesses that answer whatever they like: nothing they say costs more than their own cosignature. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import {
  cosign,
  cosignatureVerifierOf,
  cosignedMessage,
  createCosigner,
  createSigner,
  formatSignatureLines,
  formatVerifierKey,
  parseAddCheckpoint,
  parseCheckpoint,
} from 'countersign-verify';
import type { Cosigner } from 'countersign-verify';

import { RecordFixture, ORIGIN } from '../../packages/gateway/src/record/record-fixture.ts';
import { parseSigningKey } from '../../packages/gateway/src/record/keys.ts';
import { OwnLog } from '../../packages/gateway/src/record/witness/own-log.ts';
import { CosigningRounds } from '../../packages/gateway/src/record/witness/rounds.ts';
import type { RoundEvent } from '../../packages/gateway/src/record/witness/rounds.ts';
import { WitnessClient } from '../../packages/gateway/src/record/witness/witness-client.ts';
import type { SubmitOutcome } from '../../packages/gateway/src/record/witness/witness-client.ts';

type Handler = (
  body: string,
  response: ServerResponse,
  request: IncomingMessage,
  witness: FakeWitness,
) => void;

class FakeWitness {
  readonly cosigner: Cosigner;
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor(name: string, handler: Handler) {
    this.cosigner = createCosigner(createSigner(name, generateKeyPairSync('ed25519').privateKey));
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        this.requests.push(body);
        handler(body, response, request, this);
      });
    });
  }

  static async start(name: string, handler: Handler): Promise<FakeWitness> {
    const witness = new FakeWitness(name, handler);
    await new Promise<void>((resolve) => {
      witness.#server.listen(0, '127.0.0.1', resolve);
    });
    return witness;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  client(log: OwnLog, organisation = 'other', isOwn = false): WitnessClient {
    const key = formatVerifierKey(cosignatureVerifierOf(this.cosigner), 4);
    const { url } = this;
    return new WitnessClient(log, { url, monitoring: url, key, organisation, isOwn }, 1000);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** What an honest witness would answer. */
function cosignatureOf(body: string, cosigner: Cosigner): string {
  const { note } = parseCheckpoint(parseAddCheckpoint(body).checkpoint);
  return formatSignatureLines([cosign(note.body, cosigner, 1_800_000_000)]);
}

/** A valid signature, over the largest time that 53 bits hold: neither the record nor a report could show it. */
function timelessCosignatureOf(body: string, { keyId, name, privateKey }: Cosigner): string {
  const { note } = parseCheckpoint(parseAddCheckpoint(body).checkpoint);
  const seconds = Number.MAX_SAFE_INTEGER;
  const signature = Buffer.alloc(72);
  signature.writeBigUInt64BE(BigInt(seconds));
  signature.set(sign(null, cosignedMessage(note.body, seconds), privateKey), 8);
  return formatSignatureLines([{ name, keyId, signature }]);
}

const sizeAnswer = (response: ServerResponse, text: string): void => {
  response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(text);
};

describe('a client of witnesses', () => {
  const fixture = new RecordFixture();
  let log: OwnLog;

  before(async () => {
    const recorder = await fixture.open();
    await recorder.close('test');
    const key = formatVerifierKey(parseSigningKey(fixture.options().signingKey, ORIGIN));
    log = new OwnLog(join(fixture.directory, 'log'), ORIGIN, [key]);
  });
  after(() => fixture.remove());

  /** One submission to a witness that answers so. */
  async function outcomeOf(handler: Handler): Promise<{ outcome: SubmitOutcome; requests: number }> {
    const witness = await FakeWitness.start('w.example/hostile', handler);
    const client = witness.client(log);
    try {
      const outcome = await client.submit((await log.newest())!);
      return { outcome, requests: witness.requests.filter((body) => body !== '').length };
    } finally {
      client.close();
      witness.close();
    }
  }

  const table: readonly (readonly [string, Handler, SubmitOutcome])[] = [
    ['cosigns nothing', (_b, response) => response.end('\n'), { kind: 'failed', reason: 'malformed' }],
    [
      'cosigns with another key',
      (body, response) => {
        const stranger = createCosigner(
          createSigner('w.example/hostile', generateKeyPairSync('ed25519').privateKey),
        );
        response.end(cosignatureOf(body, stranger));
      },
      { kind: 'failed', reason: 'no valid cosignature' },
    ],
    [
      'answers for ever',
      (_b, response) => {
        response.writeHead(200);
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(16_384), more);
        };
        more();
      },
      { kind: 'failed', reason: 'too long' },
    ],
    ['answers never', () => {}, { kind: 'failed', reason: 'timeout' }],
    [
      'answers a byte at a time',
      (_b, response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(drip));
      },
      { kind: 'failed', reason: 'timeout' },
    ],
    [
      'wants to speak something else',
      (_b, response) =>
        response.writeHead(101, { connection: 'upgrade', upgrade: 'websocket' }).end('more of it'),
      { kind: 'failed', reason: 'no answer' },
    ],
    [
      'cosigns at a time that no clock shows',
      (body, response, _request, { cosigner }) => response.end(timelessCosignatureOf(body, cosigner)),
      { kind: 'failed', reason: 'no valid cosignature' },
    ],
    ['hangs up', (_b, response) => response.destroy(), { kind: 'failed', reason: 'ECONNRESET' }],
    [
      'names no size',
      (_b, response) => sizeAnswer(response, 'many\n'),
      { kind: 'failed', reason: 'malformed' },
    ],
    [
      'claims more, and shows nothing',
      (_b, response, { method }) =>
        method === 'GET' ? response.writeHead(404).end() : sizeAnswer(response, '999\n'),
      { kind: 'contradicted', claimed: 999 },
    ],
    [
      'claims more, and shows a checkpoint of somebody else',
      (_b, response, { method }) => {
        if (method === 'POST') {
          sizeAnswer(response, '999\n');
          return;
        }
        response.end(`${ORIGIN}\n999\n${Buffer.alloc(32).toString('base64')}\n\n— x AAAAAAAAAA==\n`);
      },
      { kind: 'contradicted', claimed: 999 },
    ],
    [
      'does not know the log',
      (_b, response) => response.writeHead(404).end(),
      { kind: 'refused', status: 404 },
    ],
    [
      'redirects',
      (_b, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      { kind: 'refused', status: 302 },
    ],
    [
      'asks to wait',
      (_b, response) => response.writeHead(429, { 'retry-after': '7' }).end(),
      { kind: 'refused', status: 429, retryAfterMs: 7000 },
    ],
  ];
  for (const [what, handler, expected] of table) {
    it(`takes nothing from one that ${what}`, async () => {
      assert.deepEqual((await outcomeOf(handler)).outcome, expected);
    });
  }

  it('does not run after one that names another size each time', async () => {
    let size = 0;
    const { outcome, requests } = await outcomeOf((_body, response) => {
      size = (size % 2) + 1;
      sizeAnswer(response, `${size}\n`);
    });
    assert.equal(outcome.kind, 'failed');
    assert.ok(requests <= 4, `${requests} requests`);
  });

  it('brings a quorum together on one checkpoint, whoever is slow, away or of the same house', async () => {
    const names = ['w.example/a', 'w.example/b', 'w.example/c', 'w.example/away'];
    const witnesses = await Promise.all(
      names.map((name) =>
        FakeWitness.start(name, (body, response) => {
          const { cosigner } = witnesses[names.indexOf(name)]!;
          if (name.endsWith('away')) response.writeHead(503).end();
          else response.end(cosignatureOf(body, cosigner));
        }),
      ),
    );
    const houses = ['bank-b', 'bank-b', 'auditor', 'regulator'];
    const clients = witnesses.map((witness, index) => witness.client(log, houses[index]));
    const events: RoundEvent[] = [];
    const quorum = Promise.withResolvers<RoundEvent & { kind: 'quorum' }>();
    const rounds = new CosigningRounds({
      clients,
      quorum: 2,
      newest: () => log.newest(),
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'quorum') quorum.resolve(event);
      },
      backoffMs: { least: 60_000, most: 60_000 },
    });
    try {
      rounds.poke();
      const { organisations, size, witnesses: signed } = await quorum.promise;
      assert.equal(organisations, 2);
      assert.equal(size, (await log.newest())!.size);
      assert.ok(signed.includes('w.example/c'));
      // Nothing new: nobody is asked again.
      for (let i = 0; i < 20; i++) rounds.poke();
      while (rounds.states.filter(({ size: seen }) => seen === size).length < 3)
        await new Promise(setImmediate);
      for (const witness of witnesses.slice(0, 3)) assert.equal(witness.requests.length, 1);
      const submitted = new Set(
        witnesses.flatMap(({ requests }) => requests.map((body) => parseAddCheckpoint(body).checkpoint)),
      );
      assert.equal(submitted.size, 1);
    } finally {
      rounds.close();
      for (const witness of witnesses) witness.close();
    }
  });

  it('makes no quorum of the word of the operator, and keeps it', async () => {
    const witness = await FakeWitness.start('w.example/own', (body, response, _request, { cosigner }) =>
      response.end(cosignatureOf(body, cosigner)),
    );
    const cosigned = Promise.withResolvers<RoundEvent>();
    const rounds = new CosigningRounds({
      clients: [witness.client(log, 'bank-a', true)],
      quorum: 1,
      newest: () => log.newest(),
      onEvent: (event) => {
        if (event.kind === 'cosigned' || event.kind === 'quorum') cosigned.resolve(event);
      },
    });
    try {
      rounds.poke();
      assert.equal((await cosigned.promise).kind, 'cosigned');
      assert.deepEqual(
        rounds.states.map(({ isOwn, trouble }) => [isOwn, trouble]),
        [[true, undefined]],
      );
    } finally {
      rounds.close();
      witness.close();
    }
  });
});
