import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { CountersignError } from '../errors.ts';
import type { CountersignConfig } from './config.ts';
import { secretUses } from './custody.ts';

/**
 * `serve` refuses the demo's keys and users (decision 37): their secrets are printed on a screen and written to
 * `demo.json`. What belongs to a demo is known by a marker file in its folders.
 */
const DEMO_MARKER = '.countersign-demo';

/** Marks the folders of a demo: its state directory and every folder that holds one of its secrets. */
export function markDemo(config: CountersignConfig): void {
  for (const folder of foldersOf(config)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(
      join(folder, DEMO_MARKER),
      'Made by "countersign demo". Its keys and users are not for real use.\n',
      { mode: 0o600 },
    );
  }
}

/** Throws `CS_CONFIG_INVALID` when a configuration for real use stands on anything of a demo. */
export function refuseDemo(config: CountersignConfig): void {
  const marked = foldersOf(config).filter((folder) => existsSync(join(folder, DEMO_MARKER)));
  if (marked.length === 0) return;
  throw new CountersignError('CS_CONFIG_INVALID', {
    detail: `${config.file} uses keys or state of a demo: ${marked.join(', ')}`,
    hint: 'countersign init makes keys for real use.',
  });
}

function foldersOf(config: CountersignConfig): readonly string[] {
  const folders = new Set([config.stateDirectory]);
  for (const use of secretUses(config)) {
    if (use.reference.kind === 'file' && use.custody !== undefined) folders.add(dirname(use.reference.name));
  }
  return [...folders];
}
