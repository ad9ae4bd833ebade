import { BlockList, isIPv6 } from 'node:net';
import type { PrincipalConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { Principal } from './principal.ts';
import { parseVerifier, type ScramVerifier } from './scram-verifier.ts';

interface Entry {
  readonly principal: Principal;
  readonly verifier: ScramVerifier | undefined;
  /** Undefined: from anywhere that the listener accepts. */
  readonly addresses: BlockList | undefined;
}

/**
 * The principals of one configuration, with their verifiers in memory. Immutable: a reload makes a new registry, so a
 * handshake that is under way keeps the one it began with.
 */
export class PrincipalRegistry {
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  /** Reads every credential now. Throws `CS_SECRET_UNAVAILABLE`, or `CS_CONFIG_INVALID` for what is not a verifier. */
  static async load(principals: readonly PrincipalConfig[], secrets: Secrets): Promise<PrincipalRegistry> {
    const entries = new Map<string, Entry>();
    for (const config of principals) {
      const { name, owner, kind, groups = [] } = config;
      entries.set(name, {
        principal: Object.freeze({ name, owner, kind, ...(groups.length === 0 ? {} : { groups }) }),
        verifier: await readVerifier(config, secrets),
        addresses: config.addresses.length === 0 ? undefined : addressList(config.addresses),
      });
    }
    return new PrincipalRegistry(entries);
  }

  get size(): number {
    return this.#entries.size;
  }

  find(name: string): Principal | undefined {
    return this.#entries.get(name)?.principal;
  }

  /** Undefined for an unknown principal and for one that has only short-lived tokens. */
  verifierOf(name: string): ScramVerifier | undefined {
    return this.#entries.get(name)?.verifier;
  }

  /** Whether a principal may come from this address. False for an unknown one. */
  mayComeFrom(name: string, address: string): boolean {
    const entry = this.#entries.get(name);
    if (entry === undefined) return false;
    return entry.addresses === undefined || addressIn(entry.addresses, address);
  }
}

async function readVerifier(config: PrincipalConfig, secrets: Secrets): Promise<ScramVerifier | undefined> {
  if (config.credential === undefined) return undefined;
  const text = (await secrets.read(config.credential)).toString('latin1').trim();
  const verifier = parseVerifier(text);
  if (verifier === undefined) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `the credential of principal ${config.name} is not a SCRAM-SHA-256 verifier`,
    });
  }
  return verifier;
}

/** A list of CIDR ranges or single addresses. Throws `CS_CONFIG_INVALID` for what is neither. */
export function addressList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split(/\/(.*)/s, 2);
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      if (bits !== undefined && !/^\d{1,3}$/.test(bits)) throw new TypeError('not a prefix length');
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number.parseInt(bits, 10), family);
    } catch (cause) {
      throw new CountersignError('CS_CONFIG_INVALID', { detail: `not an address range: ${range}`, cause });
    }
  }
  return list;
}

/** Whether a peer address is in the list. An IPv4 address mapped into IPv6 counts as the IPv4 one. */
export function addressIn(list: BlockList, address: string): boolean {
  const plain = plainAddress(address);
  return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** `::ffff:192.0.2.1` as `192.0.2.1`; others as they are. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** Whether the peer is on this machine. Only a peer address answers that, never a configured listener address. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain);
}
