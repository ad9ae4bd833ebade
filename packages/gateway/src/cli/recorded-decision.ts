import { checkLeaf, iterateLeaves, readCheckpoint } from 'countersign-verify';
import type { Leaf, LogSource } from 'countersign-verify';

import { isCountersignError } from '../errors.ts';
import { digestOf, unbundleFiles } from '../policy/bundle.ts';
import { compilePolicies } from '../policy/compile.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import { OWN_POLICY, OWN_POLICY_ID } from '../policy/schema.ts';
import { configOf, logSourceOf } from './common-options.ts';
import type { CommonOptions } from './common-options.ts';
import { contentReader } from './commands/log-show.ts';
import { inputError } from './output.ts';

/** A recorded call, and the policies that decided it as they were then. */
export interface RecordedDecision {
  readonly call: string;
  readonly index: number;
  readonly type: string;
  readonly atUs: number;
  readonly kind?: string;
  readonly effect?: string;
  readonly objects: readonly string[];
  readonly principal?: string;
  readonly grant?: string;
  readonly decision: {
    readonly effect: string;
    readonly policies: readonly string[];
    readonly reasons: readonly string[];
  };
  /** Of the set that was in force. Absent in logs of before policies. */
  readonly digest?: string;
  /** Where the texts are from. */
  readonly source?: string;
  readonly policies: readonly {
    readonly id: string;
    readonly file?: string;
    readonly line?: number;
    readonly text?: string;
  }[];
}

export interface RecordedOptions extends CommonOptions {
  readonly log?: string;
  readonly reader?: string;
  readonly readerKey?: string;
  readonly custodianKey?: string;
  readonly vault?: string;
}

interface Found {
  readonly index: number;
  readonly leaf: Leaf;
}

/** `call`: the id of its intent or denial, or the end of it. Throws `CS_INPUT_UNUSABLE` when there is none, or more than one. */
export async function explainCall(call: string, options: RecordedOptions): Promise<RecordedDecision> {
  const source = logSourceOf(options.log, options);
  const found = await findCall(source, call);
  const { context, activated } = await findGround(source, found.leaf);
  const {
    effect = '',
    policies = [],
    reasons = [],
  } = (found.leaf['decision'] ?? {}) as {
    readonly effect?: string;
    readonly policies?: readonly string[];
    readonly reasons?: readonly string[];
  };
  const grant = nameIn(context?.['grant'], 'id');
  // The first is the grant, by its id; a policy may bear the same.
  const ids = grant !== undefined && policies[0] === grant ? policies.slice(1) : policies;
  const digest = text(context?.['policy']);
  const texts = ids.length === 0 ? undefined : await readTexts(digest, activated?.leaf, options);
  return {
    call: text(found.leaf['id']) ?? '',
    index: found.index,
    type: found.leaf.type,
    atUs: found.leaf.at,
    ...given('kind', text(found.leaf['kind'])),
    ...given('effect', text(found.leaf['effect'])),
    objects: listIn(found.leaf['objects']),
    ...given('principal', text(context?.['principal'])),
    ...given('grant', grant),
    decision: { effect, policies, reasons },
    ...given('digest', digest),
    ...given('source', texts?.source),
    policies: ids.map((id) => policyOf(id, texts?.policies)),
  };
}

function policyOf(
  id: string,
  policies: readonly CompiledPolicy[] = [],
): RecordedDecision['policies'][number] {
  if (id === OWN_POLICY_ID) return { id, text: OWN_POLICY };
  const known = policies.find((policy) => policy.id === id);
  return known === undefined ? { id } : { id, file: known.file, line: known.line, text: known.text };
}

async function findCall(source: LogSource, end: string): Promise<Found> {
  const { size } = await readCheckpoint(source);
  const found: Found[] = [];
  for await (const { bytes, index } of iterateLeaves(source, { size })) {
    const { leaf } = checkLeaf(bytes);
    if (leaf === undefined || (leaf.type !== 'call.intent' && leaf.type !== 'call.denied')) continue;
    if (text(leaf['id'])?.endsWith(end) === true) found.push({ index, leaf });
  }
  const [first, second] = found;
  if (first === undefined)
    throw inputError(
      `no recorded call has the id ${end}`,
      'countersign log show --type call.intent lists them.',
    );
  if (second !== undefined)
    throw inputError(`several calls have ids that end with ${end}`, 'Give more of it.');
  return first;
}

/** What the call was judged by: its context, and the newest activation before it of the set that the context names. */
async function findGround(
  source: LogSource,
  call: Leaf,
): Promise<{ readonly context?: Leaf; readonly activated?: Found }> {
  const cited = call['context'] as { readonly jseq?: number; readonly journal?: string } | undefined;
  const journal = cited?.journal ?? call.journal;
  const { size } = await readCheckpoint(source);
  const activations: Found[] = [];
  let context: Leaf | undefined;
  for await (const { bytes, index } of iterateLeaves(source, { size })) {
    const { leaf } = checkLeaf(bytes);
    if (leaf === undefined) continue;
    if (leaf.type === 'policy.activated') activations.push({ index, leaf });
    if (leaf.type === 'context' && leaf.journal === journal && leaf.jseq === cited?.jseq) context = leaf;
  }
  const activated = activations.findLast(
    ({ leaf }) => leaf['policies'] === context?.['policy'] && leaf.at <= call.at,
  );
  return { ...given('context', context), ...given('activated', activated) };
}

interface Texts {
  readonly policies: readonly CompiledPolicy[];
  readonly source: string;
}

/** From the folder where it still holds the same; else from the record, where it is sealed. */
async function readTexts(
  digest: string | undefined,
  activated: Leaf | undefined,
  options: RecordedOptions,
): Promise<Texts | undefined> {
  if (digest === undefined) return undefined;
  const inFolder = textsOfFolder(digest, options);
  if (inFolder !== undefined) return inFolder;
  if (activated === undefined) return undefined;
  const read = await contentReader(options.log, options);
  const { contents } = await read(activated.journal, activated.jseq, activated.jseq);
  const sealed = contents.find(({ field, jseq }) => field === 'text' && jseq === activated.jseq)?.bytes;
  if (sealed === undefined) return undefined;
  const bytes = Buffer.from(sealed, 'base64');
  const files = unbundleFiles(bytes);
  if (files === undefined || digestOf(bytes) !== digest) return undefined;
  return { policies: compilePolicies(files).policies, source: 'texts from the record' };
}

function textsOfFolder(digest: string, options: RecordedOptions): Texts | undefined {
  try {
    const { set } = loadPolicies(configOf(options).policies?.directory);
    if (set.digest === digest)
      return { policies: set.policies, source: 'texts from the folder, which is the same' };
  } catch (error) {
    // A folder that is broken now says nothing of what was in force then.
    if (!isCountersignError(error)) throw error;
  }
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function nameIn(value: unknown, field: string): string | undefined {
  return typeof value === 'object' && value !== null
    ? text((value as Readonly<Record<string, unknown>>)[field])
    : undefined;
}

function listIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
