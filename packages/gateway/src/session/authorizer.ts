import type { LiveGrant } from '../grants/live-grant.ts';
import type { Principal } from '../identity/principal.ts';
import type { Access } from '../policy/access.ts';
import type { PolicyDecider, PolicyDecision, PolicyRequest } from '../policy/policy-request.ts';
import type { Decision } from '../record/events.ts';

/** Whom a decision is about. Two subjects never share one. */
export interface Subject {
  readonly principal: Pick<Principal, 'name' | 'kind' | 'groups'>;
  readonly grant: LiveGrant;
  readonly database: string;
}

export interface SessionDecision {
  /** As the record has it. The same object for the same decision. */
  readonly decision: Decision;
  /** Why not: what the scope does not cover or no policy permits. Empty when it is permitted, or when the session itself is not any more. */
  readonly missing: readonly Access[];
}

/** More subjects than configurations have; beyond it nothing is remembered between sessions. */
const MAX_SUBJECTS_OF_A_GRANT = 256;

/** Answers that a subject keeps: about as many as it touches relations and routines. Beyond it they are asked for anew. */
const MAX_ANSWERS = 4096;

/**
 * Decides what may run: the scope of the grant first, then the policies in force, once for each access (decision 12). Everything that is asked for must be
 * covered and permitted; whatever cannot be decided is refused.
 */
export class Authorizer {
  readonly #policies: () => PolicyDecider;
  readonly #known = new WeakMap<LiveGrant, Map<string, Authorization>>();

  /** @param policies those in force now; asked at every command, so that a reload counts from the next one on. */
  constructor(policies: () => PolicyDecider) {
    this.#policies = policies;
  }

  /** Sessions of the same principal under the same grant share what was decided. */
  authorize(subject: Subject): Authorization {
    const { principal, grant, database } = subject;
    const key = JSON.stringify([principal.name, principal.kind, principal.groups ?? [], database]);
    let subjects = this.#known.get(grant);
    if (subjects === undefined) this.#known.set(grant, (subjects = new Map()));
    let known = subjects.get(key);
    if (known === undefined) {
      if (subjects.size >= MAX_SUBJECTS_OF_A_GRANT) subjects.clear();
      known = new Authorization(subject, this.#policies);
      subjects.set(key, known);
    }
    return known;
  }
}

/** What one subject may do, under the policies in force. Decisions are remembered for as long as the array of demands lives. */
export class Authorization {
  readonly #subject: Subject;
  readonly #policies: () => PolicyDecider;
  #decider: PolicyDecider;
  #connect: SessionDecision;
  #decisions = new WeakMap<readonly Access[], SessionDecision>();
  /** By what was asked: statements that differ in a constant only touch the same. */
  readonly #answers = new Map<string, PolicyDecision>();

  constructor(subject: Subject, policies: () => PolicyDecider) {
    this.#subject = subject;
    this.#policies = policies;
    this.#decider = policies();
    this.#connect = this.#decideConnect();
  }

  /** Digest of the policies in force. */
  get policyDigest(): string {
    this.#refresh();
    return this.#decider.digest;
  }

  /** Whether a session may be opened, or go on. */
  connect(): SessionDecision {
    this.#refresh();
    return this.#connect;
  }

  decide(demands: readonly Access[]): SessionDecision {
    this.#refresh();
    const known = this.#decisions.get(demands);
    if (known !== undefined) return known;
    // Before it is judged: what was judged must be what is remembered.
    freezeAll(demands);
    const decided = this.#decideNew(demands);
    this.#decisions.set(demands, decided);
    return decided;
  }

  /**
   * Whether values of a class may leave unmasked, where the grant says so; `*`: values that may be of any class. What cannot be decided stays masked.
   */
  mayUnmask(className: string): boolean {
    this.#refresh();
    return isPermitted(this.#ask({ kind: 'unmask', class: className }));
  }

  /** A reload brings another object, and nothing decided before counts any more. */
  #refresh(): void {
    const decider = this.#policies();
    if (decider === this.#decider) return;
    this.#decider = decider;
    this.#decisions = new WeakMap();
    this.#answers.clear();
    this.#connect = this.#decideConnect();
  }

  #decideNew(demands: readonly Access[]): SessionDecision {
    const { grant } = this.#subject;
    const missing = grant.scope.missing(demands);
    if (missing.length > 0) return forbidden(grant, [], ['scope'], missing);
    if (this.#connect.decision.effect === 'forbid') return this.#connect;
    if (demands.length === 0) return this.#connect;
    const answers = demands.map((access) => ({ access, answer: this.#ask(access) }));
    const refused = answers.filter(({ answer }) => !isPermitted(answer));
    if (refused.length === 0) return permitted(grant, policiesOf(answers.map(({ answer }) => answer)));
    return forbidden(
      grant,
      policiesOf(refused.map(({ answer }) => answer)),
      reasonsOf(refused.map(({ answer }) => answer)),
      refused.map(({ access }) => access),
    );
  }

  #decideConnect(): SessionDecision {
    const { grant } = this.#subject;
    const answer = this.#ask({ kind: 'connect' });
    return isPermitted(answer)
      ? permitted(grant, policiesOf([answer]))
      : forbidden(grant, policiesOf([answer]), ['connect', ...reasonsOf([answer])], []);
  }

  #ask(access: PolicyRequest['access']): PolicyDecision {
    const question = JSON.stringify(access);
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = this.#askPolicies(access);
    // What failed is tried again.
    if (answer.errors.length > 0) return answer;
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(question, answer);
    return answer;
  }

  #askPolicies(access: PolicyRequest['access']): PolicyDecision {
    const { principal, grant, database } = this.#subject;
    return this.#decider.decide({
      principal,
      grant: {
        id: grant.id,
        standing: true,
        ...(grant.purpose === undefined ? {} : { purpose: grant.purpose }),
      },
      target: grant.target,
      database,
      access,
    });
  }
}

function isPermitted({ effect, errors }: PolicyDecision): boolean {
  return effect === 'permit' && errors.length === 0;
}

function permitted(grant: LiveGrant, policies: readonly string[]): SessionDecision {
  const decision: Decision = { effect: 'permit', policies: [grant.id, ...policies], reasons: [] };
  return Object.freeze({ decision, missing: [] });
}

function forbidden(
  grant: LiveGrant,
  policies: readonly string[],
  reasons: readonly string[],
  missing: readonly Access[],
): SessionDecision {
  const decision: Decision = { effect: 'forbid', policies: [grant.id, ...policies], reasons };
  return Object.freeze({ decision, missing });
}

/** Each once, sorted. */
function policiesOf(answers: readonly PolicyDecision[]): readonly string[] {
  return [...new Set(answers.flatMap(({ policies }) => policies))].toSorted();
}

function reasonsOf(answers: readonly PolicyDecision[]): readonly string[] {
  return answers.some(({ errors }) => errors.length > 0) ? ['policy', 'policy-error'] : ['policy'];
}

function freezeAll(demands: readonly Access[]): void {
  for (const access of demands) {
    if (access.kind === 'relation' && access.columns !== '*') Object.freeze(access.columns);
    Object.freeze(access);
  }
  Object.freeze(demands);
}
