import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Command } from 'commander';
import { formatVerifierKey, isKeyName } from 'countersign-verify';

import { realFileLayer } from '../../record/journal/file-layer.ts';
import { parseWitnessConfig } from '../../witness/witness-config.ts';
import { generateWitnessKey } from '../../witness/witness-key.ts';
import { WitnessStore } from '../../witness/witness-store.ts';
import { addJsonOption } from '../common-options.ts';
import { createOutput, fileExists, usageError } from '../output.ts';
import { writePrivateFile } from '../private-file.ts';

interface WitnessInitOptions {
  readonly name: string;
  readonly listen: string;
  readonly state: string;
  readonly json?: boolean;
}

export function addWitnessInitCommand(witness: Command): void {
  const command = witness
    .command('init')
    .argument('<directory>', 'where to write')
    .summary('write a configuration, a key and an empty memory')
    .description(
      'Writes witness.yaml, the key of the witness, its verifier key and its state. Overwrites nothing.',
    )
    .requiredOption('--name <key name>', 'name of the witness: a URL without scheme')
    .option('--state <directory>', 'where its memory goes, relative to <directory>', 'state')
    .option('--listen <host:port>', 'where logs submit checkpoints', '127.0.0.1:7380')
    .addHelpText(
      'after',
      `
Examples:
  countersign witness init /etc/countersign-witness --name witness.example/w1`,
    )
    .action((directory: string, options: WitnessInitOptions) => {
      init(resolve(directory), options);
    });
  addJsonOption(command);
}

function init(directory: string, options: WitnessInitOptions): void {
  const { name } = options;
  if (!isKeyName(name)) throw usageError('--name needs a URL without scheme, such as witness.example/w1');
  const config = initialConfig(name, options);
  const file = join(directory, 'witness.yaml');
  // A wrong address is found before anything is written.
  const { stateDirectory } = parseWitnessConfig(config, file);
  const { cosigner, text } = generateWitnessKey(name);
  const vkey = formatVerifierKey(cosigner, cosigner.algorithm);
  const files: readonly (readonly [string, string])[] = [
    [file, config],
    [join(directory, 'keys', 'witness.key'), text],
    [join(directory, 'witness.vkey'), `${vkey}\n`],
  ];
  const existing = files.filter(([path]) => existsSync(path)).map(([path]) => path);
  if (existing.length > 0)
    throw fileExists(existing.join(', '), 'init overwrites nothing; choose another directory.');
  WitnessStore.create(realFileLayer, stateDirectory);
  for (const [path, content] of files) writePrivateFile(path, content, false);
  createOutput(options.json ?? false).result(
    { file, name, key: vkey },
    () => `Wrote ${directory}/witness.yaml, keys/witness.key (0600), witness.vkey and the memory ${stateDirectory}.

Who asks this witness, and who verifies what it says, needs its verifier key:

  ${vkey}

Next:
  1. put the logs that it shall cosign into ${file}, under logs
  2. countersign witness run ${directory}
`,
  );
}

function initialConfig(name: string, { listen, state }: WitnessInitOptions): string {
  return `# A witness of Countersign logs and of any other C2SP log; every key: docs/witness.md
version: 1
state: ${JSON.stringify(state)}
listen:
  address: ${JSON.stringify(listen)}
keys:
  - name: ${JSON.stringify(name)}
    key: file:keys/witness.key
# The logs that are cosigned: first line of their checkpoints, and their verifier keys as you got them from their owners.
#   - origin: bank.example/countersign
#     keys: [bank.example/countersign+a0b1c2d3+AQ…]
logs: []
`;
}
