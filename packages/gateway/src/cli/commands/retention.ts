import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, formatTable, usageError } from '../output.ts';
import {
  addExamples,
  addRequestOptions,
  custodyStatus,
  writeRequest,
  type RequestCommandOptions,
} from './custody.ts';

export function addRetentionCommand(program: Command): void {
  const retention = program
    .command('retention')
    .summary('how long contents are kept')
    .description(
      'Contents are kept by class and month. What is due is erased when officers approve it, or by itself where they let the schedule do so.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign retention show
  countersign retention due
  countersign retention run
  countersign retention set standard 180 --reason "new policy" -o shorter.json`,
    );
  addShow(retention);
  addDue(retention);
  addRun(retention);
  addSet(retention);
  addExamples(retention, {
    show: '--json',
    due: '--json',
    run: '--json',
    set: 'standard 180 --reason "new policy" -o shorter.json',
  });
}

function addShow(retention: Command): void {
  const command = retention
    .command('show')
    .summary('what is in force')
    .description(
      'How long each class is kept, as the record says; a class that is not named is kept for ever.',
    )
    .action(async (options: CommonOptions) => {
      const { proposals, retention: classes, unattended } = await custodyStatus(options);
      createOutput(options.json ?? false).result({ classes, unattended, proposals }, () =>
        [
          ...classes.map(
            ({ class: name, keepDays }) => `${name}: ${keepDays} days after the end of the month`,
          ),
          unattended ? 'what is due is erased by itself' : 'each disposal needs the approval of officers',
          ...proposals.map((proposal) => `waits for approval: ${proposal}`),
        ].join('\n'),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function addDue(retention: Command): void {
  const command = retention
    .command('due')
    .summary('what need not be kept any longer')
    .description(
      'Classes and months whose time is over. Whether something of them is held is found out when they are erased.',
    )
    .action(async (options: CommonOptions) => {
      const { due } = await custodyStatus(options);
      createOutput(options.json ?? false).result({ due }, () =>
        due.length === 0
          ? 'nothing is due'
          : formatTable(
              due.map(({ class: name, dueSinceUs, period }) => [
                name,
                period,
                `since ${new Date(Math.floor(dueSinceUs / 1000)).toISOString()}`,
              ]),
            ),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

interface RunAnswer {
  readonly erased: readonly { readonly erasure: string; readonly contents: number; readonly keys: number }[];
}

function addRun(retention: Command): void {
  const command = retention
    .command('run')
    .summary('erase what is due now')
    .description(
      'Where the officers let the schedule erase by itself; the gateway does the same every hour. Else: countersign erase request --class … --period ….',
    )
    .action(async (options: CommonOptions) => {
      const { due, unattended } = await custodyStatus(options);
      if (due.length > 0 && !unattended) {
        throw usageError(
          'each disposal needs the approval of officers',
          due
            .map((each) => `countersign erase request --class ${each.class} --period ${each.period}`)
            .join('\n  '),
        );
      }
      const answer = await new ControlClient(configOf(options).stateDirectory).post<RunAnswer>(
        '/v1/custody/schedule',
        {},
      );
      createOutput(options.json ?? false).result(answer, () =>
        answer.erased.length === 0
          ? 'nothing was erased'
          : answer.erased.map((each) => `${each.erasure}: ${each.contents} contents`).join('\n'),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function addSet(retention: Command): void {
  const command = retention
    .command('set')
    .argument('<class>', 'retention class')
    .argument('<days>', 'days after the end of the month')
    .summary('request another time for a class')
    .description('Writes a request; needed for a shorter time, and for a class that had none.');
  addRequestOptions(command);
  addConfigOption(command);
  addJsonOption(command);
  command.action((name: string, days: string, options: RequestCommandOptions) => {
    if (!/^[1-9]\d{0,4}$/.test(days)) throw usageError('days is a number from 1 to 36500');
    writeRequest('set-retention', { class: name, keep_days: Number(days) }, options);
  });
}
