import type { Command } from 'commander';

import { readKeyHistory, type KeyStory } from '../../record/key-history.ts';
import { addConfigOption, addJsonOption, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { withLogErrors } from '../log-errors.ts';
import { createOutput, formatTable, inputError } from '../output.ts';

interface ListOptions extends CommonOptions {
  readonly all?: boolean;
}

export function addKeyListCommand(key: Command): void {
  const command = key
    .command('list')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .option('--all', 'every data key by itself')
    .summary('the keys that the record tells of, and their state')
    .description('Reads the leaves of the log that tell of keys. Checks nothing: log verify does.')
    .addHelpText(
      'after',
      '\nExamples:\n  countersign key list\n  countersign key list /mnt/evidence/log --all --json',
    )
    .action(async (place: string | undefined, options: ListOptions) => {
      const stories = await withLogErrors(() => readKeyHistory(logSourceOf(place, options)));
      createOutput(options.json ?? false).result(stories, () =>
        formatTable([['purpose', 'state', 'since', 'key'], ...rowsOf(stories, options.all === true)]),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

export function addKeyShowCommand(key: Command): void {
  const command = key
    .command('show')
    .argument('<key>', 'a key as key list shows it, or the beginning of it')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('one key, with the leaves that tell of it')
    .addHelpText('after', '\nExamples:\n  countersign key show 3f9c2a')
    .action(async (wanted: string, place: string | undefined, options: CommonOptions) => {
      const stories = await withLogErrors(() => readKeyHistory(logSourceOf(place, options)));
      const found = stories.filter((story) => story.key.startsWith(wanted));
      if (found.length === 0) throw inputError('the record tells of no such key');
      createOutput(options.json ?? false).result(found, () => found.map(describe).join('\n\n'));
    });
  addConfigOption(command);
  addJsonOption(command);
}

function rowsOf(stories: readonly KeyStory[], isEach: boolean): string[][] {
  const rows = stories
    .filter(({ purpose }) => isEach || purpose !== 'vault-data')
    .map((story) => [story.purpose, stateText(story), timeText(story.sinceUs), keyText(story)]);
  return isEach ? rows : [...rows, ...dataKeyRows(stories)];
}

/** One line for the data keys of a class and period in one state: there is one for each segment of the journal. */
function dataKeyRows(stories: readonly KeyStory[]): string[][] {
  const groups = new Map<string, KeyStory[]>();
  for (const story of stories.filter(({ purpose }) => purpose === 'vault-data')) {
    const id = `${story.class ?? ''} ${story.period ?? ''} ${stateText(story)}`;
    const group = groups.get(id) ?? [];
    group.push(story);
    groups.set(id, group);
  }
  return Array.from(groups.values(), (group) => {
    const [first] = group;
    const keys = `${group.length} ${group.length === 1 ? 'key' : 'keys'}, ${first!.class ?? ''} ${first!.period ?? ''}`;
    return ['vault-data', stateText(first!), timeText(first!.sinceUs), keys];
  });
}

function stateText({ archivedTo, cause, state }: KeyStory): string {
  if (cause !== undefined) return `${state} (${cause})`;
  return archivedTo.length > 0 ? `${state}, archived` : state;
}

function keyText({ key, period }: KeyStory): string {
  return period === undefined ? key : `${key} (${period})`;
}

function timeText(us: number): string {
  return new Date(us / 1000).toISOString();
}

function describe(story: KeyStory): string {
  const { archivedTo, leaves, period, purpose, sinceUs } = story;
  return formatTable([
    ['purpose', purpose],
    ['key', story.key],
    ['state', stateText(story)],
    ['since', timeText(sinceUs)],
    ...(story.class === undefined ? [] : [['class', story.class]]),
    ...(period === undefined ? [] : [['period', period]]),
    ...archivedTo.map((custodian) => ['archived for', custodian]),
    ['leaves', leaves.join(', ')],
  ]);
}
