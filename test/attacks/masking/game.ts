/** The bit game: the same attempt on two databases that differ only in regulated values. Whatever tells the two apart is a leak. Time is not looked at. */
import { type Answer } from './play.ts';
import type { RawMessage } from '../../support/raw-session.ts';

/** Names of ours that end in the side, of the same length on both sides. */
const SIDES = /\b((?:bank|canary|grant|owner|mask)(?:[-_][a-z0-9]+)?[-_])[ab]\b/gu;
const neutral = (text: string): string => text.replaceAll(SIDES, '$1x');

const neutralBytes = (bytes: Buffer): string => neutral(bytes.toString('latin1'));

/** Cells of a DataRow; undefined: null. */
export function cellsOf(body: Buffer): readonly (Buffer | undefined)[] {
  const cells: (Buffer | undefined)[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? undefined : body.subarray(at, at + length));
    at += Math.max(length, 0);
  }
  return cells;
}

const FIRST_OWN_OID = 16_384;

/** A RowDescription without object ids of the database's own: what an attempt makes has the next free one of the whole server. */
function withoutNewObjects(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  let at = 2;
  for (let left = copy.readInt16BE(0); left > 0; left -= 1) {
    at = copy.indexOf(0, at) + 1;
    for (const oid of [at, at + 6])
      if (copy.readUInt32BE(oid) >= FIRST_OWN_OID) copy.writeUInt32BE(FIRST_OWN_OID, oid);
    at += 18;
  }
  return copy;
}

const textOfCell = (cell: Buffer | undefined): string =>
  cell === undefined ? 'null' : `'${neutralBytes(cell)}'`;

const lengthOfCell = (cell: Buffer | undefined): string =>
  cell === undefined ? 'null' : `${cell.length} bytes`;

function messageText({ type, body }: RawMessage, residue: boolean): string {
  switch (type) {
    case 'D':
      return `row ${cellsOf(body)
        .map((cell, index) => `${index}:${residue ? lengthOfCell(cell) : textOfCell(cell)}`)
        .join(' ')}`;
    case 'd':
      return residue ? `data of ${body.length} bytes` : `data '${neutralBytes(body)}'`;
    // The process id of who notified.
    case 'A':
      return `notification ${neutralBytes(body.subarray(4))}`;
    case 'T':
      return `columns ${neutral(withoutNewObjects(body).toString('latin1'))}`;
    default:
      return `${type} ${neutralBytes(body)}`;
  }
}

const short = (text: string | undefined): string =>
  text === undefined ? 'nothing' : JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);

/** Free columns tell rows apart; in `residue` their cells are compared as well as long as they are equal in length. */
function compare(a: Answer, b: Answer, residue: boolean): string | undefined {
  const left = a.messages.map((message) => messageText(message, residue));
  const right = b.messages.map((message) => messageText(message, residue));
  if (a.lost !== b.lost) return `step ${a.step} ${a.way}: only one session was lost`;
  const index = left.findIndex((text, at) => text !== right[at]);
  if (index >= 0 || left.length !== right.length) {
    const at = Math.max(index, 0);
    return `step ${a.step} ${a.way}: ${short(left[at])} against ${short(right[at])}`;
  }
  return undefined;
}

export interface GameOptions {
  readonly residue: boolean;
  /** Steps whose answers may differ. */
  readonly granted: readonly number[];
}

/** What tells the two apart, one line for each request. */
export function differencesOf(
  a: readonly Answer[],
  b: readonly Answer[],
  { residue, granted }: GameOptions,
): readonly string[] {
  const found: string[] = [];
  if (a.length !== b.length) found.push(`${a.length} answers against ${b.length}`);
  for (const [index, answer] of a.entries()) {
    const other = b[index];
    if (other === undefined || granted.includes(answer.step)) continue;
    const difference = compare(answer, other, residue);
    if (difference !== undefined) found.push(difference);
  }
  return found;
}

/**
 * Every way in which what was received can be read: each message, rows across and columns from top to bottom, COPY data without its frames.
 *
 * @param residue parts of values are shown on purpose: the parts of different values are not put together
 */
export function piecesOf(answers: readonly Answer[], residue: boolean): readonly Buffer[] {
  return answers.flatMap(({ messages }) => {
    const columns: Buffer[][] = [];
    const rows: Buffer[] = [];
    const copied: Buffer[] = [];
    const others: Buffer[] = [];
    for (const { type, body } of messages) {
      if (type === 'D') {
        const cells = cellsOf(body).map((cell) => cell ?? Buffer.alloc(0));
        rows.push(...cells);
        for (const [index, cell] of cells.entries()) (columns[index] ??= []).push(cell);
      } else (type === 'd' ? copied : others).push(body);
    }
    if (residue) return [...rows, ...copied.flatMap(fieldsOf), ...others];
    return [rows, copied, others, ...columns].map((parts) => Buffer.concat(parts));
  });
}

/** Of a line of COPY as text or CSV; binary data is cut in other places, which are still between values. */
const fieldsOf = (data: Buffer): readonly Buffer[] =>
  data
    .toString('latin1')
    .split(/[\t\n,\0]/u)
    .map((field) => Buffer.from(field, 'latin1'));
