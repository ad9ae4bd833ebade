import { writeFile } from 'node:fs/promises';

import { formatProof, proveLeaf } from 'countersign-verify';
import type { Command } from 'commander';

import { addConfigOption, addJsonOption, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { parseCount, withLogErrors } from '../log-errors.ts';
import { createOutput } from '../output.ts';

interface ProveOptions extends CommonOptions {
  readonly output?: string;
}

export function addLogProveCommand(log: Command): void {
  const command = log
    .command('prove')
    .argument('<index>', 'log index of the leaf, as log show prints it')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('a proof that one leaf is in the log')
    .description(
      'Prints the leaf, its inclusion proof and the signed checkpoint: checked offline by countersign-verify --proof.',
    )
    .option('-o, --output <file>', 'write it to a file')
    .addHelpText(
      'after',
      `
Examples:
  countersign log prove 41 -o leaf-41.proof
  countersign-verify --proof leaf-41.proof --key log.vkey`,
    )
    .action(async (indexText: string, place: string | undefined, options: ProveOptions) => {
      const index = parseCount(indexText, 'the index');
      const proof = await withLogErrors(() => proveLeaf(logSourceOf(place, options), index));
      const text = formatProof(proof);
      const output = createOutput(options.json ?? false);
      const { size, origin } = proof.checkpoint;
      if (options.output !== undefined) await writeFile(options.output, text);
      output.result(
        {
          index,
          size,
          origin,
          ...(options.output === undefined ? { proof: text } : { file: options.output }),
        },
        () =>
          options.output === undefined ? text : `proof of leaf ${index} of ${size} in ${options.output}`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}
