import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Stands for a recogniser of the analyzer protocol: every text that names Lovelace is a person's name. */
export class FakeRecogniser {
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeRecogniser> {
    const fake = new FakeRecogniser();
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/analyze`;
  }

  /** Its port stays known: nobody answers there any more. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { text: asked } = JSON.parse(await text(request)) as { readonly text: string };
    this.asked.push(asked);
    const person = { entity_type: 'PERSON', start: 0, end: asked.length, score: 0.9 };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(asked.includes('Lovelace') ? [person] : []));
  }

  get #port(): number {
    this.#known ??= (this.#server.address() as AddressInfo).port;
    return this.#known;
  }

  #known: number | undefined;
}
