import type { ExportConfig } from '../config/export-section.ts';
import type { ExportStatus } from './export-status.ts';

/** What the data thread and the thread of the exports say to one another. */

export interface ExportThreadOptions {
  readonly stateDirectory: string;
  readonly node: string;
  readonly version: string;
  /** Verifier keys of the log (`<name>+<id>+<base64>`), one of which signs. */
  readonly keys: readonly string[];
}

export type ExportRequest =
  | { readonly kind: 'configure'; readonly exports: readonly ExportConfig[] }
  | { readonly kind: 'recorded'; readonly name: string }
  /** `graceMs`: what is there already may still be delivered for so long. */
  | { readonly kind: 'close'; readonly graceMs: number };

export type ExportReport =
  | { readonly kind: 'status'; readonly status: ExportStatus }
  | { readonly kind: 'removed'; readonly name: string }
  /** An operator moved the cursor: to be recorded, then answered with `recorded`. */
  | { readonly kind: 'moved'; readonly name: string; readonly from: number; readonly to: number };
