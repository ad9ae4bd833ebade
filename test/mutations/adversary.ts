/**
 * The operator who holds the log's signing key, as a tool to try: it takes a log, changes what it says, makes everything fit
 * again and signs it. What it writes is as good as the gateway's own; only a checkpoint that somebody else kept, or a
 * witness, tells them apart. docs/verdicts.md has the table of what finds what.
 *
 *     npm run adversary -- <log> --key <signing key> --output <new directory> --drop-session <id>
 *
 * The given log is only read. `--naive` signs again without making things fit.
 */

import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  checkpointTimeUs,
  decodeEntryBundle,
  entriesPath,
  parseCheckpoint,
  TILE_WIDTH,
  tileWidth,
  type EncodableValue,
  type NoteSigner,
} from 'countersign-verify';
import { parseSigningKey } from '../../packages/gateway/src/record/keys.ts';
import { decodeRecord, encodeAsIs, encodeRecord } from './forged-record.ts';
import {
  drop,
  dropCall,
  dropSession,
  dropTail,
  dropType,
  edit,
  insertCall,
  insertSession,
  swap,
  type Forgery,
} from './forgeries.ts';
import { writeLog } from './sample-log.ts';

export const SKILLS = ['naive', 'perfect'] as const;
/** Signs what is changed as it is, or makes everything fit first. */
export type Skill = (typeof SKILLS)[number];

export function forge(leaves: readonly Buffer[], forgeries: readonly Forgery[], skill: Skill): Buffer[] {
  let entries = decodeRecord(leaves);
  for (const forgery of forgeries) entries = forgery(entries);
  return skill === 'naive' ? encodeAsIs(entries) : encodeRecord(entries);
}

/** The leaves of a log in a directory, as far as its checkpoint reaches. */
export function readLogLeaves(directory: string): Buffer[] {
  const { size } = parseCheckpoint(readFileSync(join(directory, 'checkpoint'), 'utf8'));
  const leaves: Buffer[] = [];
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle++) {
    const path = entriesPath(bundle, tileWidth(0, bundle, size));
    leaves.push(...decodeEntryBundle(readFileSync(join(directory, path))));
  }
  return leaves;
}

/** Writes a forged log under the same key, with the time of signing that the true one had. Returns its checkpoint. */
export function writeForged(
  output: string,
  source: string,
  leaves: readonly Buffer[],
  signer: NoteSigner,
): string {
  const signedAtUs = checkpointTimeUs(parseCheckpoint(readFileSync(join(source, 'checkpoint'), 'utf8')));
  return writeLog(output, leaves, { signer, ...(signedAtUs !== undefined && { signedAtUs }) });
}

const USAGE = `usage: adversary.ts <log> --key <signing key> --output <new directory> [--naive] <what>...

<log> is a directory with a checkpoint, or a gateway's state directory (then the vault is copied beside the forged log).
<signing key> is a file: PEM or PRIVATE+KEY+...

  --edit <index>:<field>=<JSON>   set a field, e.g. 17:rows=0 or 3:decision.effect='"permit"'
  --drop <index>                  one leaf
  --drop-call <index>             a call.intent and its result
  --drop-session <id>             a session, its context and its log-in
  --drop-tail <leaves>            the newest leaves
  --drop-type <type>              all leaves of a type
  --swap <index>,<index>          two leaves
  --insert-call <index>           a copy of a call that nobody made
  --insert-session <id>           a copy of a session that nobody had

Each may be given several times; indices are those of the log as it stands after what was given before, in this order.
`;

function number(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new TypeError(`${text} is not a number`);
  return Number(text);
}

const PARSERS: Readonly<Record<string, (text: string) => Forgery>> = {
  edit(text) {
    const match = /^([0-9]+):([^=]+)=(.*)$/s.exec(text);
    if (match === null) throw new TypeError('--edit takes <index>:<field>=<JSON>');
    return edit(Number(match[1]), match[2]!, JSON.parse(match[3]!) as EncodableValue);
  },
  drop: (text) => drop(number(text)),
  'drop-call': (text) => dropCall(number(text)),
  'drop-session': dropSession,
  'drop-tail': (text) => dropTail(number(text)),
  'drop-type': dropType,
  swap(text) {
    const [a = '', b = ''] = text.split(',');
    return swap(number(a), number(b));
  },
  'insert-call': (text) => insertCall(number(text)),
  'insert-session': insertSession,
};

function main(args: readonly string[]): void {
  const names = Object.keys(PARSERS);
  const { positionals, tokens, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    tokens: true,
    options: {
      key: { type: 'string' },
      output: { type: 'string' },
      naive: { type: 'boolean' },
      help: { type: 'boolean' },
      ...Object.fromEntries(names.map((name) => [name, { type: 'string', multiple: true } as const])),
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const [place] = positionals;
  const { key, output } = values;
  const forgeries = tokens.flatMap((token) =>
    token.kind === 'option' && Object.hasOwn(PARSERS, token.name)
      ? [PARSERS[token.name]!(token.value ?? '')]
      : [],
  );
  if (
    place === undefined ||
    typeof key !== 'string' ||
    typeof output !== 'string' ||
    forgeries.length === 0
  ) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  if (existsSync(output)) throw new Error(`${output} exists already`);
  const isState = !existsSync(join(place, 'checkpoint'));
  const source = isState ? join(place, 'log') : place;
  const leaves = readLogLeaves(source);
  const { origin } = parseCheckpoint(readFileSync(join(source, 'checkpoint'), 'utf8'));
  const signer = parseSigningKey(readFileSync(key, 'utf8'), origin);
  const forged = forge(leaves, forgeries, values.naive === true ? 'naive' : 'perfect');
  const checkpoint = writeForged(isState ? join(output, 'log') : output, source, forged, signer);
  if (isState) cpSync(join(place, 'vault'), join(output, 'vault'), { recursive: true });
  process.stdout.write(
    `${leaves.length} leaves became ${forged.length}, signed by ${signer.name}:\n\n${checkpoint}`,
  );
}

if (import.meta.main) main(process.argv.slice(2));
