import { CountersignError } from '../errors.ts';

/** One thing that is wrong, or doubtful, in a folder of policies. */
export interface PolicyProblem {
  readonly severity: 'error' | 'warning';
  /** Path of the file, or of the folder. */
  readonly file: string;
  /** From 1; 0 when the problem has no place in the file. */
  readonly line: number;
  readonly column: number;
  /** Id of the policy, where it has one. */
  readonly policy?: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** The policies cannot be used. Carries every problem that was found, not only the first. */
export class PolicyError extends CountersignError {
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    const errors = problems.filter(({ severity }) => severity === 'error');
    super('CS_POLICY_INVALID', { detail: errors.map(formatPolicyProblem).join('\n') });
    this.name = 'PolicyError';
    this.problems = problems;
  }
}

/** One line, as compilers write it: `file:line:column: error: policy: message (hint)`. */
export function formatPolicyProblem(problem: PolicyProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const policy = problem.policy === undefined ? '' : `${problem.policy}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place}: ${problem.severity}: ${policy}${problem.message}${hint}`;
}
