import type { CompiledPolicy } from './compile.ts';

type Written = Pick<CompiledPolicy, 'id' | 'text'>;

/**
 * What one set of policies has and the other has not, policy by policy: removed lines begin with `-`, added ones with `+`. Where a
 * policy stands, in which file and between which comments, makes no difference. Empty when the policies are the same.
 */
export function diffPolicies(before: readonly Written[], after: readonly Written[]): string {
  const old = new Map(before.map(({ id, text }) => [id, text]));
  const now = new Map(after.map(({ id, text }) => [id, text]));
  const ids = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return ids
    .filter((id) => old.get(id) !== now.get(id))
    .map((id) => `@@ ${id} @@\n${marked('-', old.get(id))}${marked('+', now.get(id))}`)
    .join('');
}

function marked(sign: string, text: string | undefined): string {
  if (text === undefined) return '';
  return text
    .split('\n')
    .map((line) => `${sign}${line}\n`)
    .join('');
}
