import {
  checkpointTimeUs,
  Findings,
  parseVerifierKey,
  readCheckpoint,
  readKeyChain,
} from 'countersign-verify';
import type { KeyChain, LogSource, WitnessVerifier } from 'countersign-verify';
import type { Command } from 'commander';

import { addConfigOption, addJsonOption, configOf, logDirectoryOf, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { parseCount, readVerifierKey, readWitnessKey, withLogErrors } from '../log-errors.ts';
import { createOutput, formatTable } from '../output.ts';
import { authoritiesOf, timestampedState } from '../timestamped-state.ts';
import type { TimestampedState } from '../timestamped-state.ts';
import { witnessedState, witnessedTextOf, witnessesOf } from '../witnessed-state.ts';
import type { WitnessedState } from '../witnessed-state.ts';

interface StatusOptions extends CommonOptions {
  readonly key?: string;
  readonly witness: readonly string[];
  readonly requireWitness?: string;
  readonly tsaCa: readonly string[];
}

export function addLogStatusCommand(log: Command): void {
  const command = log
    .command('status')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('the newest checkpoint, and what nobody has witnessed yet')
    .description(
      'Prints the newest checkpoint, its state and the unwitnessed window. Checks signatures only; log verify checks everything.',
    )
    .option(
      '--key <key>',
      'verifier key of the log, or a file that holds it; without, log.vkey beside the log',
    )
    .option(
      '--witness <key>',
      'verifier key of a witness, as ORG=KEY when its organisation has several (repeatable); default: those of the configuration, for its own log',
      collect,
      [],
    )
    .option('--require-witness <n>', 'organisations that are a quorum; default: as configured, else 1')
    .option(
      '--tsa-ca <file>',
      'certificates (PEM) that time stamps must lead to (repeatable); default: as configured, for its own log',
      collect,
      [],
    )
    .addHelpText(
      'after',
      `
States: UNSIGNED, SIGNED (by the log's key), WITNESSED(n) (by n organisations as well), and TIMESTAMPED: an authority
whose certificate is known says when so many leaves existed.

Examples:
  countersign log status
  countersign log status https://logs.example.com/gateway-1 --witness bank-b=bank-b.vkey --json`,
    )
    .action(async (place: string | undefined, options: StatusOptions) => {
      await withLogErrors(() => printStatus(place, options));
    });
  addConfigOption(command);
  addJsonOption(command);
}

async function printStatus(place: string | undefined, options: StatusOptions): Promise<void> {
  const source = logSourceOf(place, options);
  const { quorum, witnesses } = await whom(place, options);
  // Before the newest, which is never older.
  const witnessedText = await witnessedTextOf(source);
  const checkpoint = await readCheckpoint(source);
  const keys = await keysOf(source, options.key);
  const key = keys?.signerOf(checkpoint);
  const witnessed = await witnessedState(source, checkpoint, witnessedText, { key, witnesses, quorum });
  const stamp = await timestampedState(source, checkpoint, {
    directory: isUrl(place) ? undefined : logDirectoryOf(place, options),
    keys,
    authorities: await authoritiesOf(place, options),
  });
  const state = stateOf(key !== undefined, witnessed);
  const signedAtUs = checkpointTimeUs(checkpoint);
  const ageMs = signedAtUs === undefined ? undefined : Math.max(0, Date.now() - signedAtUs / 1_000);
  const { origin, size } = checkpoint;
  const root = checkpoint.root.toString('base64');
  createOutput(options.json ?? false).result(
    { source: source.name, origin, size, root, state, signedAtUs, ageMs, witnessed, timestamped: stamp },
    () =>
      formatTable([
        ['log', `${origin} (${source.name})`],
        ['state', state],
        ['leaves', String(size)],
        ['root', root],
        ['signed', signedText(signedAtUs, ageMs)],
        ['witnessed', witnessedLine(witnessed, witnesses.length)],
        ['unwitnessed', `${witnessed.unwitnessed.leaves} leaves, ${witnessed.unwitnessed.seconds} seconds`],
        ['time stamp', stampLine(stamp, isUrl(place))],
      ]),
  );
}

/** Whose cosignatures count. The witnesses of a configuration are those of its own log, of no other. */
async function whom(
  place: string | undefined,
  options: StatusOptions,
): Promise<{ readonly witnesses: readonly WitnessVerifier[]; readonly quorum: number }> {
  const given = await Promise.all(options.witness.map(readWitnessKey));
  const config = place === undefined && given.length === 0 ? configOf(options) : undefined;
  const required =
    options.requireWitness === undefined
      ? undefined
      : parseCount(options.requireWitness, '--require-witness');
  return {
    witnesses: config === undefined ? given : witnessesOf(config),
    quorum: required ?? config?.witness?.quorum ?? 1,
  };
}

async function keysOf(source: LogSource, given: string | undefined): Promise<KeyChain | undefined> {
  const bytes = given === undefined ? await source.read('log.vkey') : undefined;
  if (given === undefined && bytes === undefined) return undefined;
  const known =
    bytes === undefined ? await readVerifierKey(given!) : parseVerifierKey(bytes.toString('utf8').trim());
  // What does not fit ends the chain; log verify says what.
  return await readKeyChain(source, known, new Findings());
}

/** As docs/witness.md has it: whoever cosigns a checkpoint that the log's key did not sign vouches for nothing. */
function stateOf(isSigned: boolean, { newest }: WitnessedState): string {
  if (!isSigned) return 'UNSIGNED';
  return newest === 0 ? 'SIGNED' : `WITNESSED(${newest})`;
}

function signedText(signedAtUs: number | undefined, ageMs: number | undefined): string {
  if (signedAtUs === undefined) return 'at an unknown time';
  return `${new Date(signedAtUs / 1_000).toISOString()} (${Math.round((ageMs ?? 0) / 1_000)} s ago)`;
}

function witnessedLine({ organisations, size }: WitnessedState, witnesses: number): string {
  if (witnesses === 0) return 'no witness is named: nobody vouches for any of it';
  if (size === 0) return 'no checkpoint has its quorum';
  return `${size} leaves, by ${organisations} organisation${organisations === 1 ? '' : 's'}`;
}

function isUrl(place: string | undefined): boolean {
  return place !== undefined && /^https?:\/\//.test(place);
}

/** TIMESTAMPED is said only of what leads to a certificate that somebody chose to believe. */
function stampLine(stamp: TimestampedState | undefined, isUrlOnly: boolean): string {
  if (stamp === undefined)
    return isUrlOnly ? 'none of this checkpoint; log verify finds older ones' : 'none that fits';
  const { authority, isTrusted, size, timeUs } = stamp;
  const at = new Date(Math.floor(timeUs / 1_000)).toISOString();
  return isTrusted
    ? `TIMESTAMPED: the first ${size} leaves existed at ${at}, says ${authority}`
    : `of the first ${size} leaves; its authority is not known (--tsa-ca)`;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
