import { randomBytes } from 'node:crypto';

import {
  checkLeaf,
  commitmentsOf,
  ContentClasses,
  isErased,
  iterateLeaves,
  readCheckpoint,
  tellsOfClasses,
} from 'countersign-verify';
import type { ContentPlace, Leaf, LogSource } from 'countersign-verify';
import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import { MAX_LEAVES_PER_READ } from '../../api/read-contents.ts';
import type { ErasedRange } from '../../api/custody.ts';
import type { ReadAnswer, ReadContent } from '../../api/read-contents.ts';
import { signRead, type ReaderClaim } from '../../api/reader.ts';
import { openContents } from '../../api/vault-contents.ts';
import { addConfigOption, addJsonOption, configOf, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { readOfficerKey } from '../custody-file.ts';
import { LeafFilter } from '../leaf-filter.ts';
import type { LeafChoice } from '../leaf-filter.ts';
import { formatContent, formatLeafLine, formatParameter } from '../leaf-text.ts';
import { parseCount, withLogErrors } from '../log-errors.ts';
import { createOutput, usageError } from '../output.ts';
import { openVault } from './log-verify.ts';

/** Who reads sealed contents, and how. */
export interface ReadOptions extends CommonOptions {
  readonly reader?: string;
  readonly readerKey?: string;
  readonly custodianKey?: string;
  readonly vault?: string;
}

interface ShowOptions extends ReadOptions, LeafChoice {
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly contents?: boolean;
}

/** A leaf with its place, and its contents when they were asked for. */
export interface ShownLeaf {
  readonly index: number;
  readonly leaf: Leaf;
  readonly contents?: readonly ShownContent[];
}

interface ShownContent {
  readonly field: string;
  /** Base64. Absent for what is too large to show. */
  readonly bytes?: string;
  readonly spool?: string;
  /** The erasure that it went with. */
  readonly erased?: string;
}

export function addLogShowCommand(log: Command): void {
  const command = log
    .command('show')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('print leaves')
    .description(
      'Prints leaves. Contents (statements, parameters) are sealed; --contents asks the running gateway, which records the reading first.',
    )
    .option('--from <index>', 'first log index')
    .option('--to <index>', 'log index after the last')
    .option('--last <n>', 'only the last n that fit')
    .option('--session <id>', 'only this session; its last characters are enough')
    .option('--call <id>', 'only this call: its intent and its result')
    .option('--principal <name>', 'only what this principal did, and what was done for it')
    .option('--type <type>', 'only this type, such as call.intent')
    .option('--contents', 'open sealed contents through the running gateway')
    .option('--reader <name>', 'your name in custody.readers, where the gateway asks for one')
    .option('--reader-key <file>', 'your private key, PEM')
    .option('--custodian-key <file>', "open sealed contents offline with the custodian's private key")
    .option('--vault <directory>', 'vault to open; default: beside the log')
    .addHelpText(
      'after',
      `
Examples:
  countersign log show --last 20
  countersign log show --principal report-agent --last 20
  countersign log show --type call.denied --json
  countersign log show --session 5d01a2b3 --contents
  countersign log show /mnt/evidence/log --custodian-key custodian.private.pem`,
    )
    .action(async (place: string | undefined, options: ShowOptions) => {
      await withLogErrors(async () => {
        const leaves = await selectLeaves(logSourceOf(place, options), options);
        const shown = await addContents(leaves, place, options);
        createOutput(options.json ?? false).result(shown, () => formatLeaves(shown));
      });
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Leaves that fit the options, in log order. With `--last`, no more than so many are held. */
async function selectLeaves(source: LogSource, options: ShowOptions): Promise<ShownLeaf[]> {
  const { size } = await readCheckpoint(source);
  const last = options.last === undefined ? Number.POSITIVE_INFINITY : parseCount(options.last, '--last');
  const from = options.from === undefined ? 0 : parseCount(options.from, '--from');
  const to = options.to === undefined ? size : parseCount(options.to, '--to');
  const filter = new LeafFilter(options);
  // Without a filter the place of the last n is known; no need to walk the whole log.
  const first = filter.takesAll && Number.isFinite(last) ? Math.max(from, Math.min(to, size) - last) : from;
  const start = filter.needsHistory ? 0 : first;
  const found: ShownLeaf[] = [];
  for await (const { index, bytes } of iterateLeaves(source, { size, from: start, to })) {
    const { leaf } = checkLeaf(bytes);
    if (leaf === undefined || !filter.takes(leaf) || index < from) continue;
    found.push({ index, leaf });
    if (found.length > last) found.shift();
  }
  return found;
}

async function addContents(
  leaves: readonly ShownLeaf[],
  place: string | undefined,
  options: ShowOptions,
): Promise<readonly ShownLeaf[]> {
  if (options.contents !== true && options.custodianKey === undefined) return leaves;
  if (leaves.length === 0) return leaves;
  const reader = await contentReader(place, options);
  const shown: ShownLeaf[] = [];
  let classes: ReadonlyMap<number, string> | undefined;
  for (const range of ranges(leaves)) {
    const { contents, erasures } = await reader(range.journal, range.from, range.to);
    if (erasures.some(({ scope }) => scope.kind === 'period'))
      classes ??= await classesOf(logSourceOf(place, options), leaves);
    for (const { index, leaf } of range.leaves) {
      const own = contents.filter((content) => content.jseq === leaf.jseq);
      shown.push({
        index,
        leaf,
        contents: [
          ...own.map(({ field, bytes, spool }) => shownContent(field, bytes, spool)),
          ...erasedContents({ index, leaf, retentionClass: classes?.get(index) }, own, erasures),
        ],
      });
    }
  }
  return shown;
}

/** Retention classes of the contents of leaves, by index, as far as the log states them. Reads it from its first leaf. */
async function classesOf(
  source: LogSource,
  leaves: readonly ShownLeaf[],
): Promise<ReadonlyMap<number, string>> {
  const wanted = new Set(leaves.map(({ index }) => index));
  const { size } = await readCheckpoint(source);
  const classes = new ContentClasses();
  const found = new Map<number, string>();
  for await (const { bytes, index } of iterateLeaves(source, { size, to: Math.max(...wanted) + 1 })) {
    if (!wanted.has(index) && !tellsOfClasses(bytes)) continue;
    const { leaf } = checkLeaf(bytes);
    const own = leaf === undefined ? undefined : classes.take(leaf);
    if (own !== undefined && wanted.has(index)) found.set(index, own);
  }
  return found;
}

/** Fields that are not there, and the erasure that says why. */
function erasedContents(
  place: Pick<ContentPlace, 'index' | 'leaf' | 'retentionClass'>,
  own: readonly Pick<ReadContent, 'field'>[],
  erasures: readonly ErasedRange[],
): ShownContent[] {
  if (erasures.length === 0) return [];
  return commitmentsOf(place.leaf).flatMap(({ field }) => {
    if (own.some((content) => content.field === field)) return [];
    const erasure = erasures.find(({ ranges, scope }) =>
      isErased({ scope: scope as never, ranges, index: Infinity, authority: '' }, { ...place, field }),
    );
    return erasure === undefined ? [] : [{ field, erased: erasure.erasure }];
  });
}

function shownContent(field: string, bytes: string | undefined, spool: string | undefined): ShownContent {
  return { field, ...(bytes === undefined ? {} : { bytes }), ...(spool === undefined ? {} : { spool }) };
}

interface Range {
  readonly journal: string;
  readonly from: number;
  readonly to: number;
  readonly leaves: readonly ShownLeaf[];
}

/** Neighbours are read together; a reading covers no leaf that is not shown unless it stands between two that are. */
function ranges(leaves: readonly ShownLeaf[]): Range[] {
  const found: { journal: string; from: number; to: number; leaves: ShownLeaf[] }[] = [];
  for (const shown of leaves.toSorted((a, b) => a.leaf.jseq - b.leaf.jseq)) {
    const { journal, jseq } = shown.leaf;
    const open = found.findLast((range) => range.journal === journal);
    if (open !== undefined && jseq - open.to <= MAX_GAP && jseq - open.from < MAX_LEAVES_PER_READ) {
      open.to = jseq;
      open.leaves.push(shown);
    } else {
      found.push({ journal, from: jseq, to: jseq, leaves: [shown] });
    }
  }
  return found;
}

/** Leaves of other sessions between two of one session: reading them along costs less than a request for each. */
const MAX_GAP = 8;

export type ReadRange = (
  journal: string,
  from: number,
  to: number,
) => Promise<{
  readonly contents: readonly Pick<ReadContent, 'jseq' | 'field' | 'bytes' | 'spool'>[];
  readonly erasures: readonly ErasedRange[];
}>;

/** Opens contents through the running gateway, which records it first, or offline with the custodian's key. */
export async function contentReader(place: string | undefined, options: ReadOptions): Promise<ReadRange> {
  if (options.custodianKey !== undefined) {
    const vault = await openVault(place, options, options.custodianKey);
    return async (journal, from, to) => {
      const contents = await openContents(vault, journal, from, to);
      const shown = contents.map(({ jseq, field, bytes, spool }) =>
        Object.assign({ jseq, field }, bytes && { bytes: bytes.toString('base64') }, spool && { spool }),
      );
      return { contents: shown, erasures: [] };
    };
  }
  if (place !== undefined) {
    throw usageError(
      '--contents reads through the running gateway of the configuration',
      'Leave out the directory, or open its vault offline with --custodian-key.',
    );
  }
  const config = configOf(options);
  const client = new ControlClient(config.stateDirectory);
  const sign = await claimOf(options, config.log.origin);
  return async (journal, from, to) =>
    client.post<ReadAnswer>('/v1/log/read', { journal, from, to, ...sign(journal, from, to) });
}

type Claim = (journal: string, from: number, to: number) => { readonly reader?: ReaderClaim };

/** Says who reads, by signature, when the command line names a reader. */
async function claimOf({ reader, readerKey }: ReadOptions, origin: string): Promise<Claim> {
  if (reader === undefined && readerKey === undefined) return () => ({});
  if (reader === undefined || readerKey === undefined)
    throw usageError('--reader and --reader-key belong together');
  const key = await readOfficerKey(readerKey);
  return (journal, from, to) => {
    const claim = { name: reader, atMs: Date.now(), nonce: randomBytes(32).toString('base64url') };
    return { reader: signRead({ origin, journal, from, to }, claim, key) };
  };
}

function formatLeaves(leaves: readonly ShownLeaf[]): string {
  if (leaves.length === 0) return 'no leaf fits';
  return leaves
    .flatMap(({ index, leaf, contents }) => [
      formatLeafLine(index, leaf),
      ...(contents ?? []).map((content) => `         ${content.field}: ${contentText(content)}`),
    ])
    .join('\n');
}

function contentText({ field, bytes, erased, spool }: ShownContent): string {
  if (erased !== undefined) return `(erased; the record says so in ${erased})`;
  if (bytes === undefined) return `(too large to show; spooled as ${spool ?? 'unknown'})`;
  const format = field.startsWith('params.') ? formatParameter : formatContent;
  return format(Buffer.from(bytes, 'base64')).replaceAll('\n', '\n           ');
}
