import { checkLeaf, iterateLeaves, readCheckpoint } from 'countersign-verify';
import type { CanonicalObject, LogSource } from 'countersign-verify';
import type { Command } from 'commander';

import { addConfigOption, addJsonOption, logSourceOf } from '../common-options.ts';
import { parseCount, withLogErrors } from '../log-errors.ts';
import { inputError, usageError } from '../output.ts';
import {
  addApproveCommand,
  addExamples,
  addRequestOptions,
  addSubmitCommand,
  writeRequest,
  type RequestCommandOptions,
} from './custody.ts';
import { addUnlockCommand } from './erase-unlock.ts';

export function addEraseCommand(program: Command): void {
  const erase = program
    .command('erase')
    .summary('erase sealed contents, with the approval of officers')
    .description(
      'Contents go, leaves and proofs stay. A whole month goes by destroying its keys; single contents by sealing what stays anew under other keys. Backups and archives are not reached.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign erase request --class standard --period 2025-10 --reason "end of retention" -o request.json
  countersign erase request --session 019a… --reason "request of the person" -o request.json
  countersign erase approve request.json --officer privacy --key privacy.pem
  countersign erase submit request.json`,
    );
  addRequest(erase);
  addUnlockCommand(erase);
  addApproveCommand(erase);
  addSubmitCommand(erase);
  addExamples(erase, {
    request: '--session 0193d2c4-… --reason "request of the person" -o request.json',
    unlock:
      'request.json --vault /media/usb/vault --class standard --period 2026-10 --custodian-key custodian.private.pem --gateway-key …',
    approve: 'request.json --officer privacy --key privacy.pem',
    submit: 'request.json',
  });
}

interface EraseOptions extends RequestCommandOptions {
  readonly class?: string;
  readonly period?: string;
  readonly session: readonly string[];
  readonly principal?: string;
  readonly leaf: readonly string[];
  readonly field: readonly string[];
}

const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value];

function addRequest(erase: Command): void {
  const command = erase
    .command('request')
    .option('--class <class>', 'with --period: all of a class and month that is over')
    .option('--period <YYYY-MM>', 'with --class')
    .option('--session <id>', 'one session (repeatable)', collect, [])
    .option('--principal <name>', 'all sessions of a principal up to now')
    .option('--leaf <index>', 'one leaf, by its log index (repeatable)', collect, [])
    .option('--field <field>', 'of these leaves only this field, such as statement (repeatable)', collect, [])
    .summary('write a request for officers to sign')
    .description('Says what is to be erased and why. Nothing is erased yet.');
  addRequestOptions(command);
  addConfigOption(command);
  addJsonOption(command);
  command.action(async (options: EraseOptions) => {
    const scope = await withLogErrors(() => scopeOf(options));
    writeRequest('erase', scope, options);
  });
}

async function scopeOf(options: EraseOptions): Promise<CanonicalObject> {
  const { class: name, leaf, period, principal, session } = options;
  const kinds = [
    name ?? period,
    session.length > 0 ? 'session' : undefined,
    principal,
    leaf.length > 0 ? 'leaf' : undefined,
  ];
  if (kinds.filter((kind) => kind !== undefined).length !== 1)
    throw usageError('a request is about one of: --class with --period, --session, --principal, --leaf');
  const source = logSourceOf(undefined, options);
  if (session.length > 0) return { kind: 'sessions', sessions: session };
  if (principal !== undefined) return { kind: 'sessions', sessions: await sessionsOf(source, principal) };
  if (leaf.length > 0) return { kind: 'leaves', leaves: await placesOf(source, leaf, options.field) };
  if (name === undefined || period === undefined) throw usageError('--class and --period belong together');
  return { kind: 'period', class: name, period };
}

/** What one request may name. */
const MAX_SESSIONS = 500;

/** Sessions of a principal: those whose context names it, and log-ins that led to one. */
async function sessionsOf(source: LogSource, principal: string): Promise<string[]> {
  const contexts = new Set<string>();
  const sessions = new Set<string>();
  const { size } = await readCheckpoint(source);
  for await (const { bytes } of iterateLeaves(source, { size })) {
    const { leaf } = checkLeaf(bytes);
    if (leaf === undefined) continue;
    const isOwn = leaf['principal'] === principal;
    if (isOwn && leaf.type === 'context') contexts.add(`${leaf.journal}:${leaf.jseq}`);
    if (typeof leaf['session'] !== 'string') continue;
    const context = leaf['context'] as unknown as
      | { readonly journal?: string; readonly jseq: number }
      | undefined;
    const cited = context === undefined ? '' : `${context.journal ?? leaf.journal}:${context.jseq}`;
    if (isOwn || contexts.has(cited)) sessions.add(leaf['session']);
  }
  if (sessions.size === 0) throw inputError(`the log has no session of ${principal}`);
  if (sessions.size > MAX_SESSIONS)
    throw inputError(
      `${sessions.size} sessions are more than one request may name (${MAX_SESSIONS})`,
      'Name sessions in several requests, or erase a whole period.',
    );
  return [...sessions];
}

async function placesOf(
  source: LogSource,
  indices: readonly string[],
  fields: readonly string[],
): Promise<CanonicalObject[]> {
  const places: CanonicalObject[] = [];
  const { size } = await readCheckpoint(source);
  for (const text of indices) {
    const from = parseCount(text, '--leaf');
    for await (const { bytes } of iterateLeaves(source, { size, from, to: from + 1 })) {
      const { leaf } = checkLeaf(bytes);
      if (leaf === undefined) throw inputError(`leaf ${from} cannot be read`);
      const { journal, jseq } = leaf;
      places.push({ journal, from: jseq, to: jseq, ...(fields.length > 0 && { fields }) });
    }
  }
  if (places.length !== indices.length) throw inputError(`the log has ${size} leaves`);
  return places;
}
