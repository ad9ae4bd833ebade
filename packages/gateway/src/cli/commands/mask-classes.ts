import { existsSync } from 'node:fs';

import type { Command } from 'commander';

import type { CountersignConfig } from '../../config/config.ts';
import { defaultRules } from '../../config/masking-section.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { describeTransform } from '../masked-text.ts';
import { createOutput, formatTable } from '../output.ts';

interface ClassOverview {
  readonly class: string;
  readonly transform: string;
  readonly derived: 'redact' | 'refuse';
  /** `target: schema.relation.column`, of the configuration only. */
  readonly columns: readonly string[];
}

export function addMaskClassesCommand(mask: Command): void {
  const command = mask
    .command('classes')
    .summary('list classes, their transforms and their columns')
    .description(
      'Lists every class with what takes the place of its values and the columns that the configuration binds to it. Comments and security labels in the target are not asked for: countersign target check shows what is in force.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign mask classes
  countersign mask classes -c new.yaml --json`,
    )
    .action((options: CommonOptions) => {
      const config = existsSync(options.config) ? configOf(options) : undefined;
      const rules = config?.masking?.rules ?? defaultRules();
      const classes = [...rules.classes.values()].map(({ name, transform, derived }): ClassOverview => ({
        class: name,
        transform: describeTransform(transform),
        derived,
        columns: columnsOf(name, config),
      }));
      const isMasking = config?.masking !== undefined;
      const output = createOutput(options.json ?? false);
      output.result({ isMasking, version: rules.version, classes }, () =>
        formatTable([
          ['class', 'transform', 'derived', 'columns in the configuration'],
          ...classes.map((each) => [
            each.class,
            each.transform,
            each.derived,
            each.columns.length === 0 ? '-' : each.columns.join(', '),
          ]),
        ]),
      );
      if (!isMasking)
        output.note(
          config === undefined
            ? `There is no ${options.config}: these are the defaults.`
            : `${config.file} has no section masking: nothing is masked. These are the defaults.`,
        );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function columnsOf(name: string, config: CountersignConfig | undefined): readonly string[] {
  return (config?.targets ?? []).flatMap((target) =>
    (target.classes ?? [])
      .filter((binding) => binding.class === name)
      .map(({ schema, relation, column }) => `${target.name}: ${schema}.${relation}.${column}`),
  );
}
