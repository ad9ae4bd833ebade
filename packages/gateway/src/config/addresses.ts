import { isIP, isIPv4 } from 'node:net';

/** Addresses as the configuration writes them: `host:port`, `[v6]:port`, CIDR ranges. Pure text, no look-ups. */

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `undefined` when the text is not `host:port`. IPv6 addresses need brackets. A missing port takes `defaultPort`, if there is one. */
export function parseHostPort(text: string, defaultPort?: number): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2] ?? '';
  if (match[1] !== undefined && isIP(host) !== 6) return undefined;
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port === undefined || port > 65_535) return undefined;
  return { host, port };
}

/** True for an address or a range in CIDR notation. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const family = isIP(address);
  if (family === 0) return false;
  if (slash === -1) return true;
  const bits = text.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** True when the host can only be this machine. A name other than `localhost` may resolve to anything and is not. */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  return host === '::1' || host.toLowerCase() === 'localhost';
}
