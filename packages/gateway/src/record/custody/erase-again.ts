/** A vault that was put back from an older backup has contents that the log says were erased since. */

import { directorySource, readErasures, type VaultScope } from 'countersign-verify';
import { join } from 'node:path';
import { readBlockFiles, type BlockFile } from './block-index.ts';
import { erasePeriod } from './erase-files.ts';

export interface ErasedAgain {
  /** Months of a class that were destroyed once more. */
  readonly periods: number;
  /**
   * Erasures whose contents are there again and cannot be taken out here: single contents, which the custodian must open first. Ids of
   * `erasure.started`.
   */
  readonly cameBack: readonly string[];
}

/** Destroys again what the log says was destroyed. No gateway runs. Throws `SourceError`, `FormatError`, and errors of the system. */
export async function eraseAgain(stateDirectory: string): Promise<ErasedAgain> {
  const vaultDirectory = join(stateDirectory, 'vault');
  const { erasures } = await readErasures(directorySource(join(stateDirectory, 'log')));
  let periods = 0;
  const cameBack: string[] = [];
  for (const { id, keys, ranges, scope } of erasures) {
    const files = await readBlockFiles(vaultDirectory);
    if (scope['kind'] !== 'period') {
      if (files.some((file) => file.keys.some((key) => keys.includes(key)))) cameBack.push(id);
      continue;
    }
    const place = { retentionClass: scope['class'] as string, period: scope['period'] as string };
    const own = files.filter((file) => isOf(place, file));
    if (own.length === 0) continue;
    const isMeant = ({ firstJseq, journal }: BlockFile): boolean =>
      ranges.some((range) => range.journal === journal && firstJseq >= range.from && firstJseq <= range.to);
    // Written since under a clock that was set back: not what was erased.
    if (!own.every(isMeant)) {
      if (own.some(isMeant)) cameBack.push(id);
      continue;
    }
    await erasePeriod(place, 0, { vaultDirectory });
    periods++;
  }
  return { periods, cameBack };
}

function isOf(place: VaultScope, file: VaultScope): boolean {
  return place.retentionClass === file.retentionClass && place.period === file.period;
}
