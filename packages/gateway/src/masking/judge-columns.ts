/** Which of the sources of a value the grant lets out, and what becomes of the columns of a result. */
import type { OutputColumn, Source } from './lineage.ts';
import type { BaseSource, Carried, MaskingSession } from './masking-session.ts';
import type { ColumnAction, ResultPlan } from './plan.ts';
import type { MaskRefusal } from './refusal.ts';
import { ANY_CLASS, type ClassName, type ClassRule, type MaskingGrant, type MaskingRules } from './rules.ts';

/** A regulated value and what of it stays in. */
export interface Held {
  /** Followed to the end, before the grant is asked. */
  readonly sources: readonly BaseSource[];
  /** Sorted, each once: what the grant does not let out. Empty: free. */
  readonly classes: readonly ClassName[];
  readonly objects: readonly string[];
  /** Every source was a column, or a temporary one that only ever took columns as they are. */
  readonly isDirect: boolean;
}

const PASS: ColumnAction = { kind: 'pass' };
const DETECT: ColumnAction = { kind: 'detect' };
const REDACT_ANY: ColumnAction = {
  kind: 'mask',
  transform: { kind: 'redact' },
  class: ANY_CLASS,
  object: ANY_CLASS,
};
const MAX_OBJECTS = 8;

/** What a class is of which no rule says anything: a comment may name one that the configuration does not have. */
const STRICT: Omit<ClassRule, 'name'> = { transform: { kind: 'redact' }, derived: 'redact' };

/** Of one text under one grant: resolves sources, and remembers what was let out and whether temporary relations had a say. */
export class SourceJudge {
  readonly #rules: MaskingRules;
  readonly #grant: MaskingGrant;
  readonly #session: MaskingSession;
  readonly #unmasked = new Map<string, { readonly class: ClassName; readonly object: string }>();
  /** What a temporary relation carries is known of this session alone, and now. */
  usesTemporary = false;

  constructor(rules: MaskingRules, grant: MaskingGrant, session: MaskingSession) {
    this.#rules = rules;
    this.#grant = grant;
    this.#session = session;
  }

  get unmasked(): readonly { readonly class: ClassName; readonly object: string }[] {
    return [...this.#unmasked.values()];
  }

  get letsOutEverything(): boolean {
    return this.#grant.unmask === 'all';
  }

  ruleOf(className: ClassName): Omit<ClassRule, 'name'> {
    return this.#rules.classes.get(className) ?? STRICT;
  }

  letsOut(className: ClassName): boolean {
    const { unmask } = this.#grant;
    // `*` is what nobody knows the class of: a list of classes never has it.
    return unmask === 'all' || (className !== ANY_CLASS && unmask.has(className));
  }

  hold(sources: readonly Source[]): Held {
    if (sources.length === 0) return FREE;
    const followed: BaseSource[] = [];
    let isDirect = true;
    for (const source of sources) {
      if (source.kind === 'temporary') {
        const carried = this.#carried(source.relation, source.column);
        followed.push(...carried.sources);
        if (carried.how === 'derived') isDirect = false;
      } else {
        followed.push(source);
        if (source.kind === 'unknown') isDirect = false;
      }
    }
    const classes = new Set<ClassName>();
    const objects = new Set<string>();
    for (const source of followed) {
      const className = source.kind === 'unknown' ? ANY_CLASS : source.class;
      if (this.letsOut(className)) this.#noteUnmasked(className, source.object);
      else {
        classes.add(className);
        objects.add(source.object);
      }
    }
    return { sources: followed, classes: sorted(classes), objects: sorted(objects), isDirect };
  }

  resultOf(columns: readonly OutputColumn[], touched: Held, refusals: MaskRefusal[]): ResultPlan {
    const actions = columns.map((column) => this.#actionOf(column, refusals));
    return {
      columns: actions,
      origins: columns.map(({ origin }) => origin),
      otherwise: this.otherwise(touched),
      isFree: actions.every(({ kind }) => kind === 'pass'),
    };
  }

  /** Of an answer of which nothing is known. */
  unknownResult(touched: Held): ResultPlan {
    const otherwise = this.otherwise(touched);
    if (touched.classes.length > 0) return { columns: 'unknown', origins: [], otherwise, isFree: false };
    // Nothing regulated was read, so nothing of it can be in there; text may still be looked at.
    const free = this.#freeAction();
    return { columns: 'unknown', origins: [], otherwise: free, isFree: free.kind === 'pass' };
  }

  /** What a column gets that no plan was made for. */
  otherwise({ classes, objects }: Held): ColumnAction {
    const [className] = classes;
    if (className !== undefined) return redaction(className, objects);
    return this.letsOutEverything ? PASS : REDACT_ANY;
  }

  #actionOf({ sources, how, typeOid }: OutputColumn, refusals: MaskRefusal[]): ColumnAction {
    if (sources.length === 0) return this.#freeAction();
    const held = this.hold(sources);
    const [className, ...others] = held.classes;
    if (className === undefined) return held.sources.length === 0 ? this.#freeAction() : PASS;
    const isAsItIs = how === 'direct' && held.isDirect;
    if (isAsItIs && others.length === 0) {
      const { transform } = this.ruleOf(className);
      const object = joined(held.objects);
      return typeOid === undefined
        ? { kind: 'mask', transform, class: className, object }
        : { kind: 'mask', transform, class: className, object, typeOid };
    }
    const strict = isAsItIs ? [] : held.classes.filter((each) => this.#allowsNoExpression(each));
    if (strict.length > 0)
      refusals.push({ code: 'CS_MASK_DERIVED', reason: 'derived', classes: strict, objects: held.objects });
    return redaction(className, held.objects, typeOid);
  }

  #allowsNoExpression(className: ClassName): boolean {
    return this.ruleOf(className).derived === 'refuse';
  }

  #freeAction(): ColumnAction {
    return this.#rules.detect === 'all' && !this.letsOutEverything ? DETECT : PASS;
  }

  #carried(relation: string, column: string): Carried {
    this.usesTemporary = true;
    return this.#session.carriedBy(relation, column);
  }

  #noteUnmasked(className: ClassName, object: string): void {
    const key = `${className} ${object}`;
    if (!this.#unmasked.has(key)) this.#unmasked.set(key, { class: className, object });
  }
}

export const FREE: Held = { sources: [], classes: [], objects: [], isDirect: true };

/** No rows of its own. */
export function noResult(otherwise: ColumnAction): ResultPlan {
  return { columns: [], origins: [], otherwise, isFree: true };
}

function redaction(className: ClassName, objects: readonly string[], typeOid?: number): ColumnAction {
  const action = {
    kind: 'mask',
    transform: { kind: 'redact' },
    class: className,
    object: joined(objects),
  } as const;
  return typeOid === undefined ? action : { ...action, typeOid };
}

function joined(objects: readonly string[]): string {
  const more = objects.length - MAX_OBJECTS;
  return more <= 0 ? objects.join(',') : `${objects.slice(0, MAX_OBJECTS).join(',')},+${more}`;
}

/** By code units: the same on every machine. */
function sorted(texts: ReadonlySet<string>): readonly string[] {
  return texts.size < 2 ? [...texts] : [...texts].toSorted((a, b) => (a < b ? -1 : 1));
}
