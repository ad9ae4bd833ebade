import { CountersignError } from '../errors.ts';

/** One thing that is wrong, or doubtful, in a configuration file. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  readonly code: 'CS_CONFIG_INVALID' | 'CS_CONFIG_NOT_BUILT' | 'CS_POLICY_INVALID' | 'CS_SECRET_UNAVAILABLE';
  /** `targets.bank.tls.mode`, `grants[2].expires`; empty for the file as a whole. */
  readonly path: string;
  /** From 1; 0 when the problem has no place in the file. */
  readonly line: number;
  readonly column: number;
  /** Names keys, never values: somebody may have pasted a password in the wrong place. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** What the check of one section finds, before it has a place in the file. */
export interface SectionProblem {
  readonly severity: ConfigProblem['severity'];
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint?: string;
}

/** The configuration cannot be used. Carries every problem that was found, not only the first. */
export class ConfigError extends CountersignError {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, found: readonly ConfigProblem[], cause?: unknown) {
    // In the order of the file, so that they can be worked through from top to bottom.
    const problems = found.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const errors = problems.filter((problem) => problem.severity === 'error');
    const code = errors[0]?.code ?? 'CS_CONFIG_INVALID';
    const same = errors.every((problem) => problem.code === code);
    super(same ? code : 'CS_CONFIG_INVALID', {
      detail: errors.map((problem) => formatProblem(file, problem)).join('\n'),
      cause,
    });
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

/** One line, as compilers write it: `file:line:column: error: path: message (hint)`. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${file}:${problem.line}:${problem.column}` : file;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place}: ${problem.severity}: ${path}${problem.message}${hint}`;
}

/** `['grants', 2, 'expires']` → `grants[2].expires`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text;
}
