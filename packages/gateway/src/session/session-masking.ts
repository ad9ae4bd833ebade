import { MaskingJudge, UNREAD_STATEMENT, type Verdict } from '../masking/judge.ts';
import type { MaskingKeys } from '../masking/keys.ts';
import type { Lineage } from '../masking/lineage.ts';
import { MaskingSession } from '../masking/masking-session.ts';
import type { ProbeBudget } from '../masking/probe-budget.ts';
import { ANY_CLASS, type MaskingGrant, type MaskingRules } from '../masking/rules.ts';
import { findMasked } from '../masking/transforms/find-masked.ts';
import type { Authorization } from './authorizer.ts';
import type { Touched } from './touched.ts';

/** What a session needs to judge what leaves it. */
export interface SessionMaskingOptions {
  /** In force now: read at every use, because a reload may bring others. */
  readonly rules: MaskingRules;
  /** By which masked values that come back are found. */
  readonly keys: MaskingKeys;
  /** Of the accountable owner of the session's principal. */
  readonly budget: ProbeBudget;
}

/** Nothing came of it where the target has classified columns: then nothing is known of it either. */
const UNREAD: Lineage = { statements: [UNREAD_STATEMENT], isFree: false };

interface Shared {
  readonly policy: string;
  readonly rules: MaskingRules;
  readonly keys: MaskingKeys;
  readonly judge: MaskingJudge;
}

const shared = new WeakMap<Authorization, WeakMap<MaskingGrant, Shared>>();

/** Judges the commands of one session, by the policies that are in force at each of them. */
export class SessionMasking {
  /** What was delivered so far, and what temporary relations hold. */
  readonly session = new MaskingSession();
  readonly #options: SessionMaskingOptions;
  readonly #grant: MaskingGrant;
  readonly #authorization: Authorization | undefined;
  #shared: Shared | undefined;

  /** @param authorization absent: policies have no say, which only tests of other rooms want. */
  constructor(options: SessionMaskingOptions, grant: MaskingGrant, authorization: Authorization | undefined) {
    this.#options = options;
    this.#grant = grant;
    this.#authorization = authorization;
  }

  get rules(): MaskingRules {
    return this.#options.rules;
  }

  /** What is in force for the session: also for whoever masks what no lineage knows, like notifications. */
  get judge(): MaskingJudge {
    const policy = this.#authorization?.policyDigest ?? '';
    const known = this.#shared;
    if (known?.policy === policy && known.rules === this.rules) return known.judge;
    this.#shared = this.#obtain(policy);
    return this.#shared.judge;
  }

  /** @param kind of the command, as the record has it. */
  verdictOf(kind: string, touched: Touched): Verdict | undefined {
    const isExecuted = kind !== 'prepare';
    let { lineage } = touched;
    if (lineage === undefined) {
      if (touched.classification === undefined || !isExecuted) return undefined;
      lineage = UNREAD;
    }
    return this.judge.judge({
      lineage,
      session: this.session,
      budget: this.#options.budget,
      isExecuted,
      parameter: touched.parameter,
      parameterElements: touched.parameterElements,
      parameterCount: touched.parameterCount,
      text: touched.text,
    });
  }

  #obtain(policy: string): Shared {
    const { rules, keys } = this.#options;
    const authorization = this.#authorization;
    const make = (): Shared => {
      const grant = effectiveGrant(this.#grant, rules, authorization);
      const finder = { find: (text: string) => findMasked(text, keys) };
      return { policy, rules, keys, judge: new MaskingJudge({ rules, grant, finder }) };
    };
    if (authorization === undefined) return make();
    let byGrant = shared.get(authorization);
    if (byGrant === undefined) shared.set(authorization, (byGrant = new WeakMap()));
    const known = byGrant.get(this.#grant);
    if (known?.policy === policy && known.rules === rules && known.keys === keys) return known;
    const made = make();
    byGrant.set(this.#grant, made);
    return made;
  }
}

/** What of the grant the policies permit. Asked once for each class; what is not permitted stays masked. */
export function effectiveGrant(
  grant: MaskingGrant,
  rules: MaskingRules,
  authorization: Authorization | undefined,
): MaskingGrant {
  const { unmask } = grant;
  if (authorization === undefined || (unmask !== 'all' && unmask.size === 0)) return grant;
  const classes = unmask === 'all' ? [...rules.classes.keys(), ANY_CLASS] : [...unmask];
  const permitted = classes.filter((name) => authorization.mayUnmask(name));
  if (unmask === 'all' && permitted.length === classes.length) return grant;
  // A value that may be of any class is let out only where every class is.
  return { ...grant, unmask: new Set(permitted.filter((name) => name !== ANY_CLASS)) };
}
