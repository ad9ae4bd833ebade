import type { CountersignConfig } from '../config/config.ts';
import { ConfigError } from '../config/problem.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { LiveGrant } from '../grants/live-grant.ts';
import { SystemClock } from '../grants/system-clock.ts';
import { ANY_CLASS } from '../masking/rules.ts';
import { diffPolicies } from '../policy/policy-diff.ts';
import { formatPolicyProblem, PolicyError } from '../policy/policy-problem.ts';
import type { PolicyProblem } from '../policy/policy-problem.ts';
import { loadPoliciesApart } from '../policy/load-thread.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import type { LoadedPolicies, PolicySet } from '../policy/policy-set.ts';
import { strangersIn } from '../policy/strangers.ts';
import type { Payload, Recorder } from '../record/recorder.ts';
import { Authorizer } from '../session/authorizer.ts';

export interface ReadPolicies {
  /** Absent when one of the problems is an error. */
  readonly set?: PolicySet;
  readonly problems: readonly ConfigProblem[];
}

/** Reads the folder of the configuration. `check`, the start and a reload ask the same and are told it in the same words. */
export function readPolicies(config: CountersignConfig): ReadPolicies {
  try {
    return judged(config, loadPolicies(config.policies?.directory));
  } catch (error) {
    return refused(error);
  }
}

function judged(config: CountersignConfig, { set, warnings }: LoadedPolicies): ReadPolicies {
  const found = [...warnings, ...strangersIn(set.policies, config, config.policies?.directory ?? '')];
  return {
    set,
    problems: [...found.map(asConfigProblem), ...nothingPermitted(config, set), ...notUnmasked(config, set)],
  };
}

function refused(error: unknown): ReadPolicies {
  if (!(error instanceof PolicyError)) throw error;
  return { problems: error.problems.map(asConfigProblem) };
}

/** Throws `ConfigError` (`CS_POLICY_INVALID`) with everything that {@link readPolicies} finds, if one of them is an error. */
export function loadPoliciesOf(config: CountersignConfig): PoliciesInForce {
  return inForce(config, readPolicies(config));
}

/** The same while commands are served: the work is done on a thread of its own. */
export async function reloadPoliciesOf(config: CountersignConfig): Promise<PoliciesInForce> {
  const loaded = await loadPoliciesApart(config.policies?.directory).catch((error: unknown) => ({ error }));
  return inForce(config, 'error' in loaded ? refused(loaded.error) : judged(config, loaded));
}

export interface PoliciesInForce {
  readonly set: PolicySet;
  readonly warnings: readonly ConfigProblem[];
}

function inForce(config: CountersignConfig, { problems, set }: ReadPolicies): PoliciesInForce {
  if (set === undefined) throw new ConfigError(config.file, problems);
  return { set, warnings: problems };
}

/** A gateway that starts and lets nobody do anything looks broken: the first thing to be told is why. */
function nothingPermitted(config: CountersignConfig, { policies }: PolicySet): ConfigProblem[] {
  if (policies.some(({ effect }) => effect === 'permit')) return [];
  const hint =
    config.policies === undefined
      ? 'name a folder of Cedar policies as policies:'
      : `write one to ${config.policies.directory}`;
  return [
    {
      severity: 'warning',
      code: 'CS_POLICY_INVALID',
      path: 'policies',
      line: 0,
      column: 0,
      message: 'no policy permits anything: every command of everybody will be refused',
      hint,
    },
  ];
}

/** A reload asks on the thread that serves: beyond so many grants nothing more is said. */
const MAX_GRANTS_ASKED_OF = 100;

/** A class that a grant unmasks and no policy does stays masked, and nothing else would say why. */
function notUnmasked(config: CountersignConfig, set: PolicySet): ConfigProblem[] {
  const authorizer = new Authorizer(() => set);
  let left = MAX_GRANTS_ASKED_OF;
  return config.grants.flatMap((each, index) => {
    const principal = config.principals.find(({ name }) => name === each.principal);
    const target = config.targets.find(({ name }) => name === each.target);
    const unmask = each.masking?.unmask;
    if (config.masking === undefined || unmask === undefined) return [];
    if (principal === undefined || target === undefined || (unmask !== 'all' && unmask.size === 0)) return [];
    if (left === 0) return [];
    left -= 1;
    const grant = new LiveGrant(each, new SystemClock());
    const classes = unmask === 'all' ? [...config.masking.rules.classes.keys(), ANY_CLASS] : [...unmask];
    const databases = each.databases.length === 0 ? [target.database] : each.databases;
    return databases.flatMap((database): ConfigProblem[] => {
      const authorization = authorizer.authorize({ principal, grant, database });
      const masked = classes.filter((name) => !authorization.mayUnmask(name));
      if (masked.length === 0) return [];
      const resource = `Class::"${target.name}/${database}/${masked[0]}"`;
      return [
        {
          severity: 'warning',
          code: 'CS_POLICY_INVALID',
          path: `grants[${index}].unmask`,
          line: 0,
          column: 0,
          message: `no policy permits ${each.principal} the action unmask on ${masked.map(classText).join(', ')} of ${target.name}/${database}: such values stay masked`,
          hint: `permit it: action == Action::"unmask", resource == ${resource}`,
        },
      ];
    });
  });
}

const classText = (name: string): string => (name === ANY_CLASS ? 'values of unknown origin (*)' : name);

function asConfigProblem(problem: PolicyProblem): ConfigProblem {
  return {
    severity: problem.severity,
    code: 'CS_POLICY_INVALID',
    path: 'policies',
    line: 0,
    column: 0,
    // The file has its own place in the file: the compiler's form, without saying the severity twice.
    message: formatPolicyProblem(problem).replace(`: ${problem.severity}: `, ': '),
  };
}

/**
 * Puts a set of policies on the record before it is applied: the sealed text of all files and, at a reload, what changed. Resolves when
 * it is on disk. Control events have their own room in the journal (decision 20).
 */
export async function recordPolicies(
  recorder: Recorder,
  set: PolicySet,
  cause: 'start' | 'reload',
  previous?: PolicySet,
): Promise<void> {
  const text = recorder.commit(Buffer.from(set.text));
  const payloads: Payload[] = [{ field: 'text', commitment: text }];
  const diff =
    previous === undefined
      ? undefined
      : recorder.commit(Buffer.from(diffPolicies(previous.policies, set.policies)));
  if (diff !== undefined) payloads.push({ field: 'diff', commitment: diff });
  const leaf = recorder.append(
    {
      type: 'policy.activated',
      policies: set.digest,
      text: text.digest,
      ...(diff === undefined ? {} : { diff: diff.digest }),
      count: set.count,
      cause,
    },
    payloads,
    { control: true },
  );
  await leaf.durable();
}
