import type { Lineage } from '../../masking/lineage.ts';

/** Of what a text prepared under a name, the last such. Undefined: nothing is classified. */
export function preparedLineage(text: Lineage | undefined, name: string): Lineage | undefined {
  const prepared = text?.statements.findLast(({ prepares }) => prepares?.name === name)?.prepares;
  return prepared === undefined ? undefined : { statements: [prepared.inner], isFree: false };
}
