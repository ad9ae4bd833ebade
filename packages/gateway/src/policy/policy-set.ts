import { bundleFiles, digestOf } from './bundle.ts';
import { compilePolicies, textsOf } from './compile.ts';
import type { CompiledPolicy } from './compile.ts';
import { startEngine } from './engine.ts';
import type { CedarEngine } from './engine.ts';
import { readPolicyFolder } from './policy-folder.ts';
import type { PolicyFile } from './policy-folder.ts';
import { PolicyError } from './policy-problem.ts';
import type { PolicyProblem } from './policy-problem.ts';
import type {
  PolicyDecider,
  PolicyDecision,
  PolicyEvaluationError,
  PolicyRequest,
} from './policy-request.ts';
import { questionOf } from './question.ts';
import type { Question } from './question.ts';
import { ASKED_ACTIONS, POLICY_SCHEMA } from './schema.ts';
import type { AskedAction } from './schema.ts';

export interface LoadedPolicies {
  readonly set: PolicySet;
  readonly warnings: readonly PolicyProblem[];
}

/**
 * Reads and compiles a folder. No folder is a set without policies, which permits nothing.
 *
 * Throws {@link PolicyError} (`CS_POLICY_INVALID`) with every problem that was found.
 */
export function loadPolicies(directory: string | undefined): LoadedPolicies {
  if (directory === undefined) return { set: PolicySet.empty(), warnings: [] };
  const { files, problems } = readPolicyFolder(directory);
  return makePolicySet(files, problems);
}

/** The same for files that were read already. */
export function makePolicySet(
  files: readonly PolicyFile[],
  before: readonly PolicyProblem[] = [],
): LoadedPolicies {
  const { policies, problems } = compilePolicies(files);
  return loadedPolicies({ files, policies, problems: [...before, ...problems] });
}

/** The set of what was read and compiled. Throws {@link PolicyError} if one of the problems is an error. */
export function loadedPolicies(read: {
  readonly files: readonly PolicyFile[];
  readonly policies: readonly CompiledPolicy[];
  readonly problems: readonly PolicyProblem[];
}): LoadedPolicies {
  const { files, policies, problems } = read;
  if (problems.some(({ severity }) => severity === 'error')) throw new PolicyError(problems);
  return { set: new PolicySet(files, policies), warnings: problems };
}

/**
 * The policies in force, as one thing that never changes: a reload makes another set. Decides on the data thread, in about 0.15 ms a
 * question; whoever asks the same again remembers the answer under {@link digest}.
 */
export class PolicySet implements PolicyDecider {
  /** SHA-256 of {@link text}, base64url. */
  readonly digest: string;
  /** Every file, each after a line `==> <name> <bytes>`: what `policy.activated` seals. */
  readonly text: string;
  /** In the order of the files. */
  readonly policies: readonly CompiledPolicy[];
  /** Replaced when it failed. */
  #engine: CedarEngine | undefined;
  /** Name of the slice that an action is judged by. */
  readonly #slices: ReadonlyMap<AskedAction, string>;

  constructor(files: readonly Pick<PolicyFile, 'name' | 'text'>[], policies: readonly CompiledPolicy[]) {
    this.text = bundleFiles(files);
    this.digest = digestOf(this.text);
    this.policies = policies;
    this.#slices = sliceNames(policies);
    this.#engine = this.#prepare();
  }

  static empty(): PolicySet {
    return new PolicySet([], []);
  }

  /** How many policies there are. */
  get count(): number {
    return this.policies.length;
  }

  decide(request: PolicyRequest): PolicyDecision {
    let question: Question;
    try {
      question = questionOf(request);
    } catch {
      return refusal([{ policy: '', message: 'the request names something that is not there' }]);
    }
    try {
      return this.#decide(question);
    } catch {
      // The instance is of no use any more after a failure of its own; the next question gets another one.
      this.#engine = undefined;
      return refusal([{ policy: '', message: 'the policy engine failed' }]);
    }
  }

  #decide({ action, ...question }: Question): PolicyDecision {
    this.#engine ??= this.#prepare();
    const answer = this.#engine.statefulIsAuthorized({
      ...question,
      action: { type: 'Action', id: action },
      preparsedPolicySetId: this.#slices.get(action) ?? '',
      preparsedSchemaName: SCHEMA_NAME,
      validateRequest: true,
    });
    if (answer.type === 'failure')
      return refusal(answer.errors.map(({ message }) => ({ policy: '', message })));
    const { decision, diagnostics } = answer.response;
    const errors = diagnostics.errors.map(({ policyId, error }) => ({
      policy: policyId,
      message: error.message,
    }));
    // Cedar leaves a policy out that it cannot evaluate. It may have been the one that forbids.
    if (errors.length > 0) return refusal(errors);
    return {
      effect: decision === 'allow' ? 'permit' : 'forbid',
      policies: diagnostics.reason.toSorted(),
      errors: NO_ERRORS,
    };
  }

  /** An engine that has the schema and a set for each action. Policies that cannot be about the action cost nothing then. */
  #prepare(): CedarEngine {
    const engine = startEngine();
    assertParsed(engine.preparseSchema(SCHEMA_NAME, POLICY_SCHEMA));
    const texts = textsOf(this.policies);
    for (const name of new Set(this.#slices.values())) {
      const ids = new Set(JSON.parse(name) as readonly number[]);
      const left = this.policies.filter((_, index) => !ids.has(index)).map(({ id }) => id);
      const staticPolicies = { ...texts };
      for (const id of left) delete staticPolicies[id];
      assertParsed(engine.preparsePolicySet(name, { staticPolicies }));
    }
    return engine;
  }
}

const SCHEMA_NAME = 'countersign';
const NO_ERRORS: readonly PolicyEvaluationError[] = [];

function refusal(errors: readonly PolicyEvaluationError[]): PolicyDecision {
  const policies = [...new Set(errors.map(({ policy }) => policy))].filter((id) => id !== '').toSorted();
  return { effect: 'forbid', policies, errors };
}

/** Actions with the same policies share a slice; its name says which they are. */
function sliceNames(policies: readonly CompiledPolicy[]): ReadonlyMap<AskedAction, string> {
  const actions = Object.keys(ASKED_ACTIONS) as AskedAction[];
  return new Map(
    actions.map((action) => [
      action,
      JSON.stringify(policies.flatMap((policy, index) => (policy.actions.has(action) ? [index] : []))),
    ]),
  );
}

function assertParsed(answer: { readonly type: string }): void {
  if (answer.type !== 'success') throw new Error('Cedar does not take what it took before');
}
