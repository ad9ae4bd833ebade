import type { CanonicalObject } from 'countersign-verify';
import type { Command } from 'commander';

import { parseMoment } from '../../config/units.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { approve, makeRequest, readOfficerKey, writeRequestFile } from '../custody-file.ts';
import { createOutput, formatTable, usageError } from '../output.ts';
import {
  addApproveCommand,
  addExamples,
  addRequestOptions,
  addSubmitCommand,
  custodyStatus,
  submitFile,
  writeRequest,
  type RequestCommandOptions,
} from './custody.ts';

export function addHoldCommand(program: Command): void {
  const hold = program
    .command('hold')
    .summary('keep contents from being erased')
    .description(
      'What is held is not erased, by nobody and by no schedule. One officer places a hold; releasing it needs as many as an erasure.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign hold place --period 2026-11 --reason "case 4711" --officer legal --key legal.pem
  countersign hold place --principal report-agent --reason "inquiry" --officer legal --key legal.pem
  countersign hold list
  countersign hold release hold-Fq2rJ0aV8mXc --reason "case closed" -o release.json`,
    );
  addPlace(hold);
  addRelease(hold);
  addApproveCommand(hold);
  addSubmitCommand(hold);
  addList(hold);
  addExamples(hold, {
    place: '--session 0193d2c4-… --reason "case 4711" --officer legal --key legal.pem',
    release: 'hold-Fq2rJ0aV8mXc --reason "case closed" -o release.json',
    approve: 'release.json --officer legal --key legal.pem',
    submit: 'release.json',
    list: '--json',
  });
}

interface PlaceOptions extends CommonOptions {
  readonly all?: boolean;
  readonly class?: string;
  readonly period?: string;
  readonly session?: string;
  readonly principal?: string;
  readonly from?: string;
  readonly to?: string;
  readonly reason: string;
  readonly officer?: string;
  readonly key?: string;
  readonly output?: string;
}

function addPlace(hold: Command): void {
  const command = hold
    .command('place')
    .option('--all', 'everything')
    .option('--class <class>', 'a retention class')
    .option('--period <YYYY-MM>', 'a month')
    .option('--session <id>', 'one session')
    .option('--principal <name>', 'everything of a principal')
    .option('--from <moment>', 'from this moment on, such as 2026-11-01T08:00:00Z')
    .option('--to <moment>', 'up to this moment')
    .requiredOption('--reason <text>', 'why; sealed with the record')
    .option('--officer <name>', 'your name in the configuration')
    .option('--key <file>', 'your private key, PEM')
    .option('-o, --output <file>', 'only write the request, for an officer elsewhere')
    .summary('hold contents')
    .description(
      'Signs as one officer and has the running gateway record the hold. From then on nothing of it is erased.',
    )
    .action(async (options: PlaceOptions) => {
      const request = makeRequest(configOf(options).log.origin, 'place-hold', scopeOf(options), {
        reason: options.reason,
        expires: '7d',
      });
      const output = createOutput(options.json ?? false);
      if (options.output !== undefined) {
        writeRequestFile(options.output, { request, approvals: [] }, false);
        output.result({ request: request.digest, file: options.output }, () => options.output!);
        return;
      }
      if (options.officer === undefined || options.key === undefined)
        throw usageError('a hold needs --officer and --key, or --output to be signed elsewhere');
      const key = await readOfficerKey(options.key);
      const answer = await submitFile(approve({ request, approvals: [] }, options.officer, key), options);
      output.result(answer, () => (answer as { readonly hold: string }).hold);
    });
  addConfigOption(command);
  addJsonOption(command);
}

function scopeOf(options: PlaceOptions): CanonicalObject {
  const { all, class: name, from, period, principal, session, to } = options;
  const scopes: CanonicalObject[] = [];
  if (all === true) scopes.push({ kind: 'all' });
  if (session !== undefined) scopes.push({ kind: 'session', session });
  if (principal !== undefined) scopes.push({ kind: 'principal', principal });
  if (name !== undefined || period !== undefined)
    scopes.push({
      kind: 'period',
      ...(name !== undefined && { class: name }),
      ...(period !== undefined && { period }),
    });
  if (from !== undefined || to !== undefined)
    scopes.push({
      kind: 'time',
      from_us: from === undefined ? 0 : momentUs(from),
      to_us: to === undefined ? Number.MAX_SAFE_INTEGER : momentUs(to),
    });
  const [scope] = scopes;
  if (scope === undefined || scopes.length > 1)
    throw usageError(
      'a hold keeps one of: --all, --session, --principal, --class with or without --period, --from with or without --to',
      'For several, place several holds.',
    );
  return scope;
}

function momentUs(text: string): number {
  const us = parseMoment(text);
  if (us === undefined) throw usageError('a moment is written as 2026-11-01T08:00:00Z or 2026-11-01');
  return Number(us);
}

function addRelease(hold: Command): void {
  const command = hold
    .command('release')
    .argument('<hold>', 'its name, as hold list shows it')
    .summary('request that a hold be released')
    .description(
      'Writes a request; it is carried out when enough officers have signed it and it is submitted.',
    );
  addRequestOptions(command);
  addConfigOption(command);
  addJsonOption(command);
  command.action((name: string, options: RequestCommandOptions) =>
    writeRequest('release-hold', { hold: name }, options),
  );
}

function addList(hold: Command): void {
  const command = hold
    .command('list')
    .summary('holds in force')
    .description('What the record says is held.')
    .action(async (options: CommonOptions) => {
      const { holds } = await custodyStatus(options);
      createOutput(options.json ?? false).result({ holds }, () =>
        holds.length === 0
          ? 'nothing is held'
          : formatTable(
              holds.map(({ hold: name, placedAtUs, scope }) => [
                name,
                new Date(Math.floor(placedAtUs / 1000)).toISOString(),
                JSON.stringify(scope),
              ]),
            ),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}
