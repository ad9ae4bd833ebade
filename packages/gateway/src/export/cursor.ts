import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { CountersignError } from '../errors.ts';
import { realFileLayer, replaceFile } from '../record/journal/file-layer.ts';
import type { MemoryState } from './session-memory.ts';

/** Below the state directory. */
export const EXPORT_DIRECTORY = 'export';

const actor = {
  principal: z.string().exactOptional(),
  kind: z.string().exactOptional(),
  grant: z.string().exactOptional(),
  target: z.string().exactOptional(),
  login: z.string().exactOptional(),
};

const cursorSchema = z.strictObject({
  v: z.literal(1),
  name: z.string(),
  /** The log that was exported; another one is not continued. */
  origin: z.string(),
  /** Leaves before this index were delivered. */
  size: z.int().min(0),
  /** Root of the tree of `size` leaves, base64: a log that was replaced has another. */
  root: z.string(),
  /** Wall clock of this file, µs since the epoch. */
  at_us: z.int().min(0),
  /** An operator moved the cursor; the gateway puts it on the record and removes this. */
  moved: z.strictObject({ from: z.int().min(0), to: z.int().min(0) }).exactOptional(),
  /** What the leaves before `size` say that later ones refer to. Absent: made again from the log. */
  memory: z
    .strictObject({
      contexts: z.array(z.tuple([z.string(), z.strictObject(actor)])),
      sessions: z.array(
        z.tuple([z.string(), z.strictObject({ ...actor, peer: z.string().exactOptional() })]),
      ),
      calls: z.array(
        z.tuple([z.string(), z.strictObject({ session: z.string(), kind: z.string(), effect: z.string() })]),
      ),
    })
    .exactOptional(),
});

/** How far an export has come: `state/export/<name>.cursor`, one JSON document. */
export interface Cursor {
  readonly name: string;
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly atUs: number;
  readonly moved?: { readonly from: number; readonly to: number };
  readonly memory?: MemoryState;
}

function cursorPath(stateDirectory: string, name: string): string {
  return join(stateDirectory, EXPORT_DIRECTORY, `${name}.cursor`);
}

/**
 * `undefined` when the export has never delivered anything.
 *
 * @throws CountersignError `CS_RECORD_CORRUPT` when the file is damaged: going on from a guess could skip leaves.
 */
export function readCursor(stateDirectory: string, name: string): Cursor | undefined {
  let text: string;
  try {
    text = readFileSync(cursorPath(stateDirectory, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(name, error);
  }
  const { v: _v, root, at_us, ...rest } = parse(text, name);
  return { ...rest, root: Buffer.from(root, 'base64'), atUs: at_us };
}

function parse(text: string, name: string): z.infer<typeof cursorSchema> {
  try {
    const cursor = cursorSchema.parse(JSON.parse(text));
    if (cursor.name === name && Buffer.from(cursor.root, 'base64').length === 32) return cursor;
  } catch (error) {
    throw damaged(name, error);
  }
  throw damaged(name, undefined);
}

function damaged(name: string, cause: unknown): CountersignError {
  return new CountersignError('CS_RECORD_CORRUPT', {
    detail: `the cursor of export ${name} cannot be read`,
    hint: 'countersign export reset puts it to a place that you name.',
    cause,
  });
}

/**
 * Puts the cursor in place: written aside, synced, renamed, its directory synced. A crash leaves the old one or the new
 * one; what the old one had not covered is delivered again.
 */
export function writeCursor(stateDirectory: string, cursor: Cursor): void {
  const { root, atUs, ...rest } = cursor;
  const document = { v: 1, ...rest, root: root.toString('base64'), at_us: atUs };
  const directory = join(stateDirectory, EXPORT_DIRECTORY);
  realFileLayer.makeDirectory(directory);
  replaceFile(
    realFileLayer,
    cursorPath(stateDirectory, cursor.name),
    Buffer.from(`${JSON.stringify(document)}\n`),
  );
  realFileLayer.syncDirectory(directory);
}

/** Names of the exports that have a cursor. */
export function listCursors(stateDirectory: string): readonly string[] {
  try {
    return readdirSync(join(stateDirectory, EXPORT_DIRECTORY))
      .filter((file) => file.endsWith('.cursor'))
      .map((file) => file.slice(0, -'.cursor'.length))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
