import type { CountersignConfig } from '../config/config.ts';
import type { CompiledPolicy } from './compile.ts';
import type { PolicyProblem } from './policy-problem.ts';

type Known = Pick<CountersignConfig, 'principals' | 'targets'>;

const KINDS = { User: 'human', Agent: 'agent', Service: 'service' } as const;

/** Things that a policy names and the configuration does not have: nothing is wrong with the policy, but it may never hold. */
export function strangersIn(
  policies: readonly CompiledPolicy[],
  { principals, targets }: Known,
  directory: string,
): PolicyProblem[] {
  const groups = new Set(principals.flatMap((principal) => principal.groups ?? []));
  const targetNames = new Set(targets.map(({ name }) => name));
  const whyStrange = (type: string, id: string): string | undefined => {
    if (type === 'Group') return groups.has(id) ? undefined : `no principal is in the group ${id}`;
    if (type === 'User' || type === 'Agent' || type === 'Service') {
      const kind = KINDS[type];
      if (type === 'Service' && id === 'gateway') return undefined;
      if (principals.some((principal) => principal.name === id && principal.kind === kind)) return undefined;
      return `there is no principal ${id} of kind ${kind}`;
    }
    const [target = ''] = id.split('/', 1);
    return targetNames.has(target) ? undefined : `there is no target ${target}`;
  };
  return policies.flatMap(({ file, id: policy, line, names }) =>
    [...new Set(names.map(({ id, type }) => whyStrange(type, id)))]
      .filter((message) => message !== undefined)
      .map((message) => ({
        severity: 'warning' as const,
        file: `${directory}/${file}`,
        line,
        column: 1,
        policy,
        message,
      })),
  );
}
