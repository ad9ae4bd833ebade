import { writeFileSync } from 'node:fs';

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';

import { type ClassificationProposal, DEFAULT_SAMPLE, MAX_SAMPLE } from '../../api/classify.ts';
import { ControlClient } from '../../api/control-client.ts';
import { CountersignError } from '../../errors.ts';
import { formatClassification } from '../classification-yaml.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput } from '../output.ts';
import { targetOf } from './target-setup.ts';

interface ClassifyOptions extends CommonOptions {
  readonly database?: string;
  readonly login?: string;
  readonly sample: number;
  readonly output?: string;
}

export function addClassifyCommand(program: Command): void {
  const command = program
    .command('classify <target>')
    .summary('propose which columns are regulated, for review')
    .description(
      'Asks the running gateway to read the catalog of a database and a sample of the rows of each table, on the record, under a grant of its own that ends with it. Prints classes of columns as YAML with the evidence as comments: counts, never values. Nothing applies itself.',
    )
    .option('--database <name>', 'database of the target (default: the configured one)')
    .option('--login <name>', 'login of the target that reads (default: the one that reads the catalog)')
    .option(
      '--sample <rows>',
      `rows of each table that are looked at, at most ${MAX_SAMPLE}; 0: names and types have to do`,
      sampleSize,
      DEFAULT_SAMPLE,
    )
    .option('-o, --output <file>', 'write the YAML to a new file, mode 0600')
    .addHelpText(
      'after',
      `
Examples:
  countersign classify bank
  countersign classify bank --login reporting --sample 1000 --output bank-classes.yaml
  countersign classify bank --sample 0 --json`,
    )
    .action(async (name: string, options: ClassifyOptions) => {
      const config = configOf(options);
      const target = targetOf(config, name);
      const { database, login, sample, output } = options;
      const proposal = await new ControlClient(config.stateDirectory).post<ClassificationProposal>(
        '/v1/classify',
        {
          target: name,
          sample,
          ...(database === undefined ? {} : { database }),
          ...(login === undefined ? {} : { login }),
        },
      );
      const yaml = formatClassification(proposal, target.classes ?? []);
      if (output !== undefined) writeNew(output, yaml);
      createOutput(options.json ?? false).result(proposal, () =>
        output === undefined ? yaml : `${output}: ${summary(proposal)}`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function sampleSize(text: string): number {
  const rows = Number(text);
  if (/^\d{1,4}$/.test(text) && rows <= MAX_SAMPLE) return rows;
  throw new InvalidArgumentError(`It is a number of rows, 0 to ${MAX_SAMPLE}.`);
}

function summary({ columns, relations, unread }: ClassificationProposal): string {
  const fresh = columns.filter((column) => column.current === undefined).length;
  return `${fresh} columns proposed, ${columns.length - fresh} have a class; ${relations} tables, ${unread.length} not read`;
}

function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    if (isThere) throw new CountersignError('CS_FILE_EXISTS', { detail: path });
    throw new CountersignError('CS_INPUT_UNUSABLE', { detail: `${path} cannot be written`, cause });
  }
}
