/** A gateway whose log is cosigned by witnesses, each a process of its own. No database is behind it unless one is given. */

import { createPrivateKey } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createSigner, formatVerifierKey, parseCheckpoint } from 'countersign-verify';
import type { Checkpoint, NoteSigner } from 'countersign-verify';

import { GatewayFolder, GatewayProcess } from './gateway-process.ts';
import type { GatewaySettings } from './gateway-process.ts';
import { WitnessFolder } from './witness-process.ts';
import type { WitnessProcess } from './witness-process.ts';

const NO_TARGET = { port: 1, user: 'nobody', password: 'nothing', database: 'postgres' };
export const ORIGIN = 'test.example/countersign';

export interface WitnessedSettings {
  /** One witness of each. */
  readonly organisations: readonly string[];
  /** More lines of the witness section, with their indentation of two. */
  readonly section?: string;
  readonly record?: Readonly<Record<string, string>>;
  readonly target?: GatewaySettings['target'];
}

/** One witness, whose address stays the same through restarts. */
export class FixedWitness {
  readonly folder: WitnessFolder;
  readonly organisation: string;
  process: WitnessProcess;
  readonly url: string;

  private constructor(folder: WitnessFolder, organisation: string, process: WitnessProcess) {
    this.folder = folder;
    this.organisation = organisation;
    this.process = process;
    this.url = process.url;
  }

  static async start(organisation: string, origins: readonly string[], key: string): Promise<FixedWitness> {
    const folder = new WitnessFolder({
      name: `${organisation}.example/w1`,
      logs: origins.map((origin) => ({ origin, keys: [key] })),
      more: 'limits: {checkpointsPerMinute: 60000}',
    });
    const process = await folder.start();
    const witness = new FixedWitness(folder, organisation, process);
    witness.#keepPort();
    return witness;
  }

  /** Takes another list of logs, and starts anew. */
  async setLogs(
    logs: readonly { readonly origin: string; readonly keys: readonly string[] }[],
  ): Promise<void> {
    this.folder.setLogs(logs);
    this.#keepPort();
    await this.restart();
  }

  async restart(): Promise<void> {
    await this.process.kill();
    this.process = await this.folder.start();
  }

  async remove(): Promise<void> {
    await this.process.kill();
    this.folder.remove();
  }

  #keepPort(): void {
    const file = join(this.folder.home, 'witness.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('address: 127.0.0.1:0', `address: 127.0.0.1:${this.process.port}`));
  }
}

export class WitnessedGateway {
  readonly folder: GatewayFolder;
  readonly witnesses: readonly FixedWitness[];
  readonly signer: NoteSigner;
  #process: GatewayProcess | undefined;

  private constructor(folder: GatewayFolder, signer: NoteSigner, witnesses: readonly FixedWitness[]) {
    this.folder = folder;
    this.signer = signer;
    this.witnesses = witnesses;
  }

  static async create(settings: WitnessedSettings): Promise<WitnessedGateway> {
    const folder = await GatewayFolder.create({
      target: settings.target ?? NO_TARGET,
      record: { checkpoint: '100ms', segment: '1MiB', ...settings.record },
    });
    const pem = readFileSync(join(folder.directory, 'signing.pem'), 'utf8');
    const signer = createSigner(ORIGIN, createPrivateKey(pem));
    const witnesses = await Promise.all(
      settings.organisations.map((name) => FixedWitness.start(name, [ORIGIN], formatVerifierKey(signer))),
    );
    const gateway = new WitnessedGateway(folder, signer, witnesses);
    const peers = witnesses.map(({ folder: { vkey }, organisation, url }) => ({
      url,
      key: vkey,
      organisation,
    }));
    gateway.addSection(peers, settings.section);
    return gateway;
  }

  /** Of bank-a, unless `more` names another operator. Puts a witness section at the end of the configuration, in the place of any that is there. */
  addSection(peers: readonly object[], more = '  timeout: 2s'): void {
    const operator = /^ {2}operator:/m.test(more) ? '' : '  operator: bank-a\n';
    const text = readFileSync(this.folder.configFile, 'utf8').replace(/^witness:\n(?: .*\n)*/m, '');
    writeFileSync(
      this.folder.configFile,
      `${text}witness:\n${operator}${more}\n  witnesses: ${JSON.stringify(peers)}\n`,
    );
  }

  get state(): string {
    return this.folder.stateDirectory;
  }

  get log(): string {
    return join(this.state, 'log');
  }

  get process(): GatewayProcess {
    if (this.#process === undefined) throw new Error('the gateway does not run');
    return this.#process;
  }

  async start(): Promise<GatewayProcess> {
    this.#process = await GatewayProcess.start(this.folder);
    return this.#process;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  /** The newest checkpoint, or the newest one with a quorum; undefined when there is none. */
  checkpoint(name: 'checkpoint' | 'checkpoint.witnessed' = 'checkpoint'): Checkpoint | undefined {
    const file = join(this.log, name);
    return existsSync(file) ? parseCheckpoint(readFileSync(file, 'utf8')) : undefined;
  }

  /** Waits until a quorum has seen at least `size` leaves. */
  async witnessed(size = 1): Promise<number> {
    for (;;) {
      const seen = this.checkpoint('checkpoint.witnessed')?.size ?? 0;
      if (seen >= size) return seen;
      await sleep(50);
    }
  }

  /** Waits until everything that the log has is witnessed, and so its newest leaf. */
  async caughtUp(): Promise<number> {
    for (;;) {
      const size = this.checkpoint()?.size ?? 0;
      const lag = (await this.process.metric('countersign_unwitnessed_leaves')) > 0;
      if (size > 0 && !lag && this.checkpoint('checkpoint.witnessed')?.size === size) return size;
      await sleep(50);
    }
  }

  /** A copy of the state directory, as a backup has it. The gateway must not run. */
  backUp(name: string): string {
    const place = join(this.folder.directory, name);
    cpSync(this.state, place, { recursive: true });
    return place;
  }

  /** Puts such a copy in the place of the state. */
  putBack(place: string): void {
    rmSync(this.state, { recursive: true, force: true });
    cpSync(place, this.state, { recursive: true });
  }

  async remove(): Promise<void> {
    if (this.#process !== undefined) await this.#process.kill();
    await Promise.all(this.witnesses.map((witness) => witness.remove()));
    this.folder.remove();
  }
}
