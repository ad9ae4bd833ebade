/** The thread that reads long texts, one at a time. It knows nothing but the text, the catalog and the names that it is given. */
/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { parentPort } from 'node:worker_threads';
import type { MaskingRules } from '../../masking/rules.ts';
import { indexCatalog } from '../catalog/catalog-index.ts';
import { CatalogOverlay, type MovedObject } from '../catalog/catalog-overlay.ts';
import type { Catalog, CatalogData } from '../catalog/catalog.ts';
import { type ClassificationData, indexClassification } from '../classify/classification.ts';
import type { SessionNames } from '../inspect/meaning.ts';
import { initParser } from '../inspect/parse/parse-statement.ts';
import type { Masking } from '../lineage/lineage-of.ts';
import { readStatement } from './read-statement.ts';
import type { StatementReading } from './reading.ts';

/** A snapshot that later requests name by its epoch. */
export interface CatalogNotice {
  readonly kind: 'catalog';
  readonly data: CatalogData;
}

/** What is regulated in the target, as plain data. */
export interface MaskingBasis {
  readonly rules: MaskingRules;
  readonly data: ClassificationData;
}

export interface TextRequest {
  readonly kind: 'text';
  /** A copy of its own. */
  readonly text: Uint8Array;
  readonly epoch: string;
  readonly moved: readonly MovedObject[];
  readonly names: SessionNames;
  readonly masking: MaskingBasis | undefined;
}

/** It will not be asked for this snapshot any more. */
export interface CatalogForgotten {
  readonly kind: 'forget';
  readonly epoch: string;
}

export type TextAnswer = StatementReading;

const catalogs = new Map<string, Catalog>();
const parser = initParser();

async function onMessage(message: CatalogNotice | CatalogForgotten | TextRequest): Promise<void> {
  await parser;
  if (message.kind === 'catalog') catalogs.set(message.data.epoch, indexCatalog(message.data));
  else if (message.kind === 'forget') catalogs.delete(message.epoch);
  else parentPort?.postMessage(read(message) satisfies TextAnswer);
}

function read({ text, epoch, masking, moved, names }: TextRequest): StatementReading {
  const base = catalogs.get(epoch);
  if (base === undefined) throw new Error('a snapshot that was not sent');
  const catalog = moved.length === 0 ? base : new CatalogOverlay(base, moved, `${epoch}+`);
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  return readStatement(bytes, catalog, names, maskingOf(masking));
}

/** The last one, with what of it was found. */
let indexed: { readonly digest: string; readonly masking: Masking } | undefined;

function maskingOf(basis: MaskingBasis | undefined): Masking | undefined {
  if (basis === undefined) return undefined;
  const { data, rules } = basis;
  if (indexed?.digest !== data.digest) {
    indexed = { digest: data.digest, masking: { rules, classification: indexClassification(data) } };
  }
  return indexed.masking;
}

parentPort?.on('message', (message: CatalogNotice | CatalogForgotten | TextRequest) => {
  // A failure ends the thread: whoever waits is told.
  void onMessage(message);
});
