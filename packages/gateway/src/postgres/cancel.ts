import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { BackendKey, ClientProtocolVersion } from './authenticated-client.ts';

/** Called for a CancelRequest with the right key: cancels what the session runs now, if anything. */
export type CancelSession = () => void;

export interface CancelRegistration {
  readonly key: BackendKey;
  /** The session is over: its key does nothing from now on. */
  release(): void;
}

export interface CancelRegistryOptions {
  /** Names this process in the key, so that a node that receives another's cancel can find its owner later. */
  readonly node: string;
  /** 0 while there is one worker. */
  readonly worker: number;
  /** `IdentityKeys.cancel`. */
  readonly secret: Uint8Array;
}

/** Protocol 3.0 has room for 4 bytes, all of which are the MAC; 3.2 has room for the owner's name as well. */
const SHORT_KEY_BYTES = 4;
const LONG_KEY_BYTES = 32;
const MAC_BYTES = 24;
const MAX_PID = 0x7fffffff;

interface Entry {
  readonly key: Buffer;
  readonly cancel: CancelSession;
}

/**
 * The cancel keys that we gave out (decision 23). A key belongs to one session: `pid` is a random 31-bit number that
 * no other open session has, not the target's; 3.2 keys are `node digest (4) ‖ worker (2) ‖ random (2) ‖ MAC (24)`, 3.0 keys
 * are 4 bytes of such a MAC. The MAC covers pid, owner and a random value of the session, so a key can neither be guessed
 * from another nor used again after its session.
 */
export class CancelRegistry {
  readonly #sessions = new Map<number, Entry>();
  readonly #owner: Buffer;
  readonly #secret: Uint8Array;
  #known = 0;
  #unknown = 0;

  constructor(options: CancelRegistryOptions) {
    this.#secret = options.secret;
    this.#owner = Buffer.alloc(6);
    createHmac('sha256', 'countersign node').update(options.node).digest().copy(this.#owner, 0, 0, 4);
    this.#owner.writeUInt16BE(options.worker, 4);
  }

  register(protocolVersion: ClientProtocolVersion, cancel: CancelSession): CancelRegistration {
    let pid = randomInt(1, MAX_PID);
    while (this.#sessions.has(pid)) pid = randomInt(1, MAX_PID);
    const key = this.#makeKey(pid, protocolVersion);
    this.#sessions.set(pid, { key, cancel });
    return {
      key: { pid, key },
      release: () => {
        if (this.#sessions.get(pid)?.key === key) this.#sessions.delete(pid);
      },
    };
  }

  /** A CancelRequest came. Does nothing for a key that is not of an open session; the client is told nothing either way. */
  request(presented: BackendKey): void {
    const entry = this.#sessions.get(presented.pid);
    const isRight =
      entry !== undefined &&
      entry.key.length === presented.key.length &&
      timingSafeEqual(entry.key, presented.key);
    if (!isRight) {
      this.#unknown++;
      return;
    }
    this.#known++;
    entry.cancel();
  }

  get counts(): { readonly known: number; readonly unknown: number } {
    return { known: this.#known, unknown: this.#unknown };
  }

  #makeKey(pid: number, protocolVersion: ClientProtocolVersion): Buffer {
    const nonce = randomBytes(32);
    const pidBytes = Buffer.alloc(4);
    pidBytes.writeUInt32BE(pid);
    const mac = createHmac('sha256', this.#secret)
      .update(pidBytes)
      .update(this.#owner)
      .update(nonce)
      .digest();
    if (protocolVersion === '3.0') return Buffer.from(mac.subarray(0, SHORT_KEY_BYTES));
    const key = Buffer.concat([this.#owner, nonce.subarray(0, 2), mac.subarray(0, MAC_BYTES)]);
    return key.subarray(0, LONG_KEY_BYTES);
  }
}
