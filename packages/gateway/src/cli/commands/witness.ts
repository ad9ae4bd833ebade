import type { Command } from 'commander';

import { addWitnessInitCommand } from './witness-init.ts';
import { addWitnessRunCommand } from './witness-run.ts';
import { addWitnessStatusCommand } from './witness-status.ts';

export function addWitnessCommand(program: Command): void {
  const witness = program
    .command('witness')
    .summary('cosign the logs of others')
    .description(
      'A witness (C2SP tlog-witness): a process of its own, on a machine of its own, that cosigns checkpoints of logs which only grew.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign witness init /etc/countersign-witness --name witness.example/w1
  countersign witness run /etc/countersign-witness
  countersign witness status /etc/countersign-witness`,
    );
  addWitnessInitCommand(witness);
  addWitnessRunCommand(witness);
  addWitnessStatusCommand(witness);
}
