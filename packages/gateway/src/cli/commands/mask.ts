import type { Command } from 'commander';

import { addMaskClassesCommand } from './mask-classes.ts';
import { addMaskTryCommand } from './mask-try.ts';

export function addMaskCommand(program: Command): void {
  const mask = program
    .command('mask')
    .summary('show what would be masked, and which classes there are')
    .description('Works offline, on the configuration or on the defaults; changes nothing.')
    .addHelpText(
      'after',
      `
Examples:
  countersign mask try notes.txt
  echo '4111 1111 1111 1111' | countersign mask try --class pan --transform fpe
  countersign mask classes`,
    );
  addMaskTryCommand(mask);
  addMaskClassesCommand(mask);
}
