import type { CountersignConfig } from '../config/config.ts';
import type { GrantRegistry } from '../grants/grant-registry.ts';
import type { IdentityKeys } from '../identity/identity-keys.ts';
import type { Logger } from '../observe/logger.ts';
import type { Recorder } from '../record/recorder.ts';
import type { CatalogService } from './catalogs.ts';
import type { ClassifyService } from './classify.ts';
import type { CustodyService } from './custody.ts';
import type { KeyService } from './keys.ts';
import type { ReadContent } from './read-contents.ts';

/** What the control socket needs of the gateway. */
export interface ControlServices {
  readonly config: CountersignConfig;
  readonly grants: GrantRegistry;
  readonly keys: IdentityKeys;
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly keyService: KeyService;
  readonly catalogService: CatalogService;
  readonly classifyService: ClassifyService;
  readonly custody: { readonly desk: CustodyService };
  readonly status: unknown;
  /** Keys that a running gateway cannot change, with their values in force as JSON texts. */
  readonly fixedSettings: Readonly<Record<string, string>>;
  /** Where PostgreSQL clients connect. */
  readonly address: { readonly host: string; readonly port: number };
  /** Opens the contents of leaves `from`..`to` of the gateway's journal with the gateway's own key. */
  readContents(from: number, to: number, maxBytes: number): Promise<readonly ReadContent[]>;
}

/** Whoever can open the socket is the gateway's own user, or root acting as it: Node tells no more about a peer. */
export function socketPeer(): string {
  return `uid:${process.getuid?.() ?? 0}`;
}
