/**
 * Holds the lineage of a command against what its grant lets out: it is refused, or it gets the plan by which its answer is masked. Only computes; what is
 * the same whenever the statement comes is computed once.
 */
import { shapeOf, type HeldProbe, type Shape } from './judge-shape.ts';
import type { ClassifiedWrite, Lineage, StatementLineage } from './lineage.ts';
import type { MaskingSession } from './masking-session.ts';
import { FREE_PLAN, type MaskPlan } from './plan.ts';
import type { ProbeAsk, ProbeBudget, ProbeClaim } from './probe-budget.ts';
import type { MaskRefusal } from './refusal.ts';
import { ANY_CLASS, type ClassName, type MaskingGrant, type MaskingRules } from './rules.ts';

/** Finds redactions and tokens of ours in texts: `transforms/recognise.ts`. */
export interface MaskedFinder {
  find(text: string): { readonly class: ClassName } | undefined;
}

export interface JudgeOptions {
  readonly rules: MaskingRules;
  /** What is let out, policies considered. */
  readonly grant: MaskingGrant;
  readonly finder: MaskedFinder;
}

/** One command. */
export interface JudgedCommand {
  readonly lineage: Lineage;
  readonly session: MaskingSession;
  readonly budget: ProbeBudget;
  /** False: it is prepared and not run. Nothing is counted then, and its parameters are not known yet. */
  readonly isExecuted: boolean;
  /** Of a bound parameter, from 1. Undefined: null or not known. */
  readonly parameter?: ((number: number) => string | undefined) | undefined;
  /** The same of an array. Undefined: not known. */
  readonly parameterElements?: ((number: number) => readonly (string | null)[] | undefined) | undefined;
  readonly parameterCount?: number | undefined;
  /** Asked for only where a statement has too many constants to list them. */
  readonly text?: (() => string) | undefined;
}

export type Verdict =
  | { readonly kind: 'refused'; readonly refusals: readonly MaskRefusal[] }
  | {
      readonly kind: 'admitted';
      readonly plan: MaskPlan;
      /** Values that have to be counted before it runs. */
      readonly claim?: ProbeClaim;
    };

/** Nothing is known of the command: whatever it answers is redacted. */
export const UNREAD_STATEMENT: StatementLineage = {
  outputs: 'unknown',
  touched: [{ kind: 'unknown', object: ANY_CLASS }],
  probes: [],
  oracles: [],
  flows: [],
  writes: [],
  constants: [],
};

const ADMITTED_FREE: Verdict = { kind: 'admitted', plan: FREE_PLAN };

/** Texts that are shorter are too short to hold one of ours. */
const MIN_MASKED_LENGTH = 9;

/** Of one grant, under one set of rules and policies. Shared by its sessions. */
export class MaskingJudge {
  readonly #options: JudgeOptions;
  readonly #shapes = new WeakMap<Lineage, Shape>();
  /** Of those shapes that need nothing each time. */
  readonly #verdicts = new WeakMap<Shape, Verdict>();

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  get rules(): MaskingRules {
    return this.#options.rules;
  }

  get letsOutEverything(): boolean {
    return this.#options.grant.unmask === 'all';
  }

  judge(command: JudgedCommand): Verdict {
    if (command.lineage.isFree) return ADMITTED_FREE;
    const shape = this.#shapeOf(command);
    if (shape.refusals.length > 0) return this.#lasting(shape);
    if (!command.isExecuted) return this.#lasting(shape);
    const refusals: MaskRefusal[] = [];
    this.#judgeParameters(command, refusals);
    for (const write of shape.writes) judgeWrite(write, command.session, refusals);
    const claim = shape.probes.length === 0 ? undefined : this.#claim(shape.probes, command, refusals);
    if (refusals.length > 0) return { kind: 'refused', refusals };
    return claim === undefined ? this.#lasting(shape) : { kind: 'admitted', plan: shape.plan, claim };
  }

  #shapeOf(command: JudgedCommand): Shape {
    const { lineage, session, isExecuted, text } = command;
    const known = this.#shapes.get(lineage);
    if (known !== undefined) return known;
    const { rules, grant } = this.#options;
    const shape = shapeOf(lineage, {
      rules,
      grant,
      session,
      isExecuted,
      findMasked: (constants) => this.#maskedAmong(constants, text),
    });
    if (shape.isLasting) this.#shapes.set(lineage, shape);
    return shape;
  }

  #lasting(shape: Shape): Verdict {
    let verdict = this.#verdicts.get(shape);
    if (verdict === undefined) {
      const { plan, refusals } = shape;
      verdict = refusals.length > 0 ? { kind: 'refused', refusals } : { kind: 'admitted', plan };
      this.#verdicts.set(shape, verdict);
    }
    return verdict;
  }

  #judgeParameters(command: JudgedCommand, refusals: MaskRefusal[]): void {
    const { parameter, parameterCount = 0 } = command;
    if (parameter === undefined) return;
    for (let number = 1; number <= parameterCount; number++) {
      const found = this.#maskedIn(parameter(number));
      if (found === undefined) continue;
      refusals.push({
        code: 'CS_MASK_WRITE_BACK',
        reason: 'masked-value',
        classes: [found],
        objects: [],
      });
      return;
    }
  }

  /** Each class once, however many probes there are: a value that two of them ask for is one. */
  #claim(
    probes: readonly HeldProbe[],
    command: JudgedCommand,
    refusals: MaskRefusal[],
  ): ProbeClaim | undefined {
    const values = new Map<ClassName, (string | undefined)[]>();
    for (const held of probes) {
      const asked = valuesOf(held, command);
      if (asked === undefined) {
        const { classes, objects } = held;
        refusals.push({ code: 'CS_MASK_BUDGET', reason: 'uncountable', classes, objects });
        return undefined;
      }
      for (const each of held.classes) values.set(each, [...(values.get(each) ?? []), ...asked]);
    }
    const asks = [...values].flatMap(([name, list]): ProbeAsk[] => {
      const budget = this.#options.grant.budgets.get(name);
      if (budget === undefined) return [];
      return [{ class: name, period: budget.period, limit: budget.values, values: list }];
    });
    const claim = command.budget.claim(asks);
    if (claim.exceeds) refusals.push(...overBudget(claim, probes));
    return claim;
  }

  #maskedAmong(constants: readonly string[] | '*', text: (() => string) | undefined): readonly ClassName[] {
    if (constants !== '*') {
      const found = new Set<ClassName>();
      for (const constant of constants) {
        const className = this.#maskedIn(constant);
        if (className !== undefined) found.add(className);
      }
      return [...found];
    }
    // More constants than are listed, and no text to look through: one of ours may be among them.
    if (text === undefined) return [ANY_CLASS];
    const className = this.#maskedIn(text());
    return className === undefined ? [] : [className];
  }

  #maskedIn(text: string | undefined): ClassName | undefined {
    if (text === undefined || text.length < MIN_MASKED_LENGTH) return undefined;
    const found = this.#options.finder.find(text);
    if (found === undefined) return undefined;
    // A mark is ours, the word before it is whatever the caller wrote there.
    return this.#options.rules.classes.has(found.class) ? found.class : ANY_CLASS;
  }
}

/** Undefined: they cannot be counted. */
function valuesOf({ probe }: HeldProbe, command: JudgedCommand): (string | undefined)[] | undefined {
  const { constants, parameters, arrays } = probe;
  const values: (string | undefined)[] = [...constants];
  for (const number of parameters) {
    if (!arrays.includes(number)) {
      values.push(command.parameter?.(number));
      continue;
    }
    const elements = command.parameterElements?.(number);
    if (elements === undefined) return undefined;
    // A null equals nothing.
    for (const element of elements) if (element !== null) values.push(element);
  }
  return values;
}

function overBudget({ counts }: ProbeClaim, probes: readonly HeldProbe[]): MaskRefusal[] {
  return counts
    .filter(({ fresh, used, limit }) => used + fresh > limit)
    .map(({ class: name, fresh: asked, limit, period, used }) => ({
      code: 'CS_MASK_BUDGET' as const,
      reason: 'budget' as const,
      classes: [name],
      objects: [
        ...new Set(probes.filter((each) => each.classes.includes(name)).flatMap((each) => each.objects)),
      ],
      budget: { values: limit, used, asked, period },
    }));
}

/** Who writes a guess into a column of a class finds the equal ones by joining it, without a budget; who writes what he was given masked loses what was there. */
function judgeWrite(write: ClassifiedWrite, session: MaskingSession, refusals: MaskRefusal[]): void {
  refusals.push({
    code: 'CS_MASK_WRITE_BACK',
    reason: session.wasDelivered(write.class) ? 'lossy' : 'write',
    classes: [write.class],
    objects: [write.object],
  });
}
