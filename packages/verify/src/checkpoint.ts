/**
 * C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint): the signed statement "this log has `size` leaves and this
 * root". Its text is: origin, size in decimal, root in base64, then optional extension lines.
 */

import { FormatError } from './errors.ts';
import { HASH_BYTES } from './merkle.ts';
import { formatNote, isSignedBy, parseNote, signNote } from './note.ts';
import type { Note, NoteSignature, NoteSigner, NoteVerifier } from './note.ts';

export interface CheckpointBody {
  /** Schema-less URL of the log; also the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Lines after the root, without their newline. None is empty. */
  readonly extensions: readonly string[];
}

export interface Checkpoint extends CheckpointBody {
  readonly note: Note;
}

/** Our extension line: when the checkpoint was signed, in µs since the epoch. */
const TIME_EXTENSION = /^time ([1-9][0-9]{0,15})$/;

export function formatCheckpointBody(
  body: Omit<CheckpointBody, 'extensions'> & { readonly extensions?: readonly string[] },
): string {
  if (body.origin === '' || body.origin.includes('\n')) throw new FormatError('the origin is not one line');
  if (!Number.isSafeInteger(body.size) || body.size < 0) throw new FormatError('the tree size is not a size');
  if (body.root.length !== HASH_BYTES) throw new FormatError('the root does not have 32 bytes');
  let text = `${body.origin}\n${body.size}\n${body.root.toString('base64')}\n`;
  for (const line of body.extensions ?? []) {
    if (line === '' || line.includes('\n')) throw new FormatError('an extension is not one line');
    text += `${line}\n`;
  }
  return text;
}

export function parseCheckpointBody(text: string): CheckpointBody {
  if (!text.endsWith('\n')) throw new FormatError('the checkpoint does not end in a newline');
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  if (origin === '') throw new FormatError('the checkpoint has no origin');
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new FormatError('the tree size is not a size');
  }
  const rootBytes = Buffer.from(root, 'base64');
  if (rootBytes.length !== HASH_BYTES || rootBytes.toString('base64') !== root) {
    throw new FormatError('the root is not 32 bytes in base64');
  }
  if (extensions.includes('')) throw new FormatError('an extension line is empty');
  return { origin, size: Number(size), root: rootBytes, extensions };
}

/** Decodes a checkpoint; verifies no signature. */
export function parseCheckpoint(text: string): Checkpoint {
  const note = parseNote(text);
  return { ...parseCheckpointBody(note.body), note };
}

/** Signs a checkpoint; `others` are cosignature lines to keep. */
export function signCheckpoint(
  body: Omit<CheckpointBody, 'extensions'> & { readonly extensions?: readonly string[] },
  signer: NoteSigner,
  others: readonly NoteSignature[] = [],
): string {
  return signNote(formatCheckpointBody(body), signer, others);
}

/** Adds signature lines (of witnesses) to a checkpoint's text; a line that is there already is not repeated. */
export function addSignatures(text: string, lines: readonly NoteSignature[]): string {
  const note = parseNote(text);
  const fresh = lines.filter(
    (line) =>
      !note.signatures.some(
        (s) => s.name === line.name && s.keyId === line.keyId && s.signature.equals(line.signature),
      ),
  );
  return formatNote({ body: note.body, signatures: [...note.signatures, ...fresh] });
}

/** Whether the log's own key signed it and the origin is the key's name. */
export function isCheckpointOf(checkpoint: Checkpoint, verifier: NoteVerifier): boolean {
  return checkpoint.origin === verifier.name && isSignedBy(checkpoint.note, verifier);
}

/** The extension line that states the time of signing. */
export function timeExtension(atUs: number): string {
  return `time ${atUs}`;
}

/** When the checkpoint says it was signed (µs since the epoch), if it says so. */
export function checkpointTimeUs(checkpoint: CheckpointBody): number | undefined {
  for (const line of checkpoint.extensions) {
    const match = TIME_EXTENSION.exec(line);
    if (match !== null) return Number(match[1]);
  }
  return undefined;
}
