/** What of a judgement is the same however often the statement comes: its plan, what refuses it, and what has to be counted each time. */
import { FREE, noResult, SourceJudge, type Held } from './judge-columns.ts';
import type {
  ClassifiedWrite,
  Flow,
  Lineage,
  OutputColumn,
  Probe,
  Source,
  StatementLineage,
  TemporaryDestination,
} from './lineage.ts';
import { EVERY } from './masking-session.ts';
import type { Carried, ColumnForm, MaskingSession } from './masking-session.ts';
import type { MaskPlan, ResultPlan, StatementPlan } from './plan.ts';
import type { MaskRefusal } from './refusal.ts';
import type { ClassName, MaskingGrant, MaskingRules } from './rules.ts';

/** A probe for values that the grant does not let out. */
export interface HeldProbe {
  readonly probe: Probe;
  readonly classes: readonly ClassName[];
  readonly objects: readonly string[];
}

export interface Shape {
  readonly plan: MaskPlan;
  readonly refusals: readonly MaskRefusal[];
  readonly probes: readonly HeldProbe[];
  /** Columns written of classes that neither `unmask` nor `writeClasses` names. */
  readonly writes: readonly ClassifiedWrite[];
  /** The same in every session: no temporary relation had a say. */
  readonly isLasting: boolean;
}

export interface ShapeOptions {
  readonly rules: MaskingRules;
  /** What is let out, policies considered. */
  readonly grant: MaskingGrant;
  readonly session: MaskingSession;
  /** False: it is only prepared. Then what it would do to temporary relations is not noted. */
  readonly isExecuted: boolean;
  /** Where a masked value of ours is in a text constant: its class. */
  readonly findMasked: (constants: readonly string[] | '*') => readonly ClassName[];
}

/** What it would put into temporary relations is noted as it goes: the next statement of the same text reads it. */
export function shapeOf(lineage: Lineage, options: ShapeOptions): Shape {
  const { rules, grant, session } = options;
  const sources = new SourceJudge(rules, grant, session);
  const shaper = new Shaper(sources, options);
  const statements = lineage.statements.map((statement) => shaper.take(statement));
  const plan: MaskPlan = {
    statements,
    isFree: statements.every(isFree),
    unmasked: sources.unmasked,
  };
  const { refusals, probes, writes, notesTemporary } = shaper;
  const isLasting = !sources.usesTemporary && !notesTemporary;
  return { plan, refusals: refusals.toSorted(byWeight), probes, writes, isLasting };
}

/** The first gives the refusal its code: what no grant allows, then what takes more than a budget. */
const WEIGHTS: readonly MaskRefusal['code'][] = [
  'CS_MASK_WRITE_BACK',
  'CS_MASK_FLOW',
  'CS_MASK_ORACLE',
  'CS_MASK_DERIVED',
  'CS_MASK_BUDGET',
];

function byWeight(one: MaskRefusal, other: MaskRefusal): number {
  return WEIGHTS.indexOf(one.code) - WEIGHTS.indexOf(other.code);
}

class Shaper {
  readonly refusals: MaskRefusal[] = [];
  readonly probes: HeldProbe[] = [];
  readonly writes: ClassifiedWrite[] = [];
  notesTemporary = false;
  readonly #sources: SourceJudge;
  readonly #options: ShapeOptions;

  constructor(sources: SourceJudge, options: ShapeOptions) {
    this.#sources = sources;
    this.#options = options;
  }

  take(statement: StatementLineage): StatementPlan {
    const touched = this.#sources.hold(statement.touched);
    this.#judge(statement, this.#options.isExecuted);
    return {
      ...this.#rowsOf(statement, touched),
      isCopyOut: statement.isCopyOut ?? false,
      withholdMessages: touched.classes.length > 0,
      ...this.#copyInOf(statement),
    };
  }

  /** All but its rows. What a PREPARE prepares is judged when it is prepared, too: it would only be refused later. */
  #judge(statement: StatementLineage, isExecuted: boolean): void {
    for (const { reason, sources } of statement.oracles) {
      const { classes, objects } = this.#sources.hold(sources);
      if (classes.length > 0) this.refusals.push({ code: 'CS_MASK_ORACLE', reason, classes, objects });
    }
    for (const flow of statement.flows) this.#judgeFlow(flow, isExecuted);
    for (const probe of statement.probes) this.#judgeProbe(probe);
    for (const write of statement.writes) this.#noteWrite(write);
    for (const write of statement.copyIn ?? []) if (write !== undefined) this.#noteWrite(write);
    const classes = this.#options.findMasked(statement.constants);
    if (classes.length > 0)
      this.refusals.push({ code: 'CS_MASK_WRITE_BACK', reason: 'masked-value', classes, objects: [] });
    const inner = statement.prepares?.inner;
    if (inner === undefined) return;
    if (Array.isArray(inner.outputs)) this.#sources.resultOf(inner.outputs, FREE, this.refusals);
    this.#judge(inner, false);
  }

  #judgeFlow({ sources, how, to: written }: Flow, isExecuted: boolean): void {
    const to = this.#placed(written);
    const held = this.#sources.hold(sources);
    if (to.kind === 'temporary') {
      this.notesTemporary = true;
      // Also what the grant lets out now: it may not for as long as the session lasts.
      const moved: Carried = {
        sources: held.sources,
        how: how === 'direct' && held.isDirect ? 'direct' : 'derived',
      };
      const form = this.#formOf(sources, moved, to);
      this.#judgeTemporary(held, form, to);
      if (isExecuted) this.#noteTemporary(moved, form, to);
      return;
    }
    const { classes, objects } = held;
    if (classes.length === 0) return;
    const isOfSameClass = to.kind === 'column' && classes.every((each) => each === to.class);
    if (isOfSameClass && how === 'direct' && held.isDirect) return;
    const reason = to.kind === 'column' ? 'column' : to.what;
    this.refusals.push({ code: 'CS_MASK_FLOW', reason, classes, objects });
  }

  /** INSERT without a list of columns. */
  #placed(to: Flow['to']): Flow['to'] {
    if (to.kind !== 'temporary' || to.position === undefined) return to;
    const column = this.#options.session.columnAt(to.relation, to.position);
    return column === undefined ? to : { ...to, column };
  }

  /** Rows are written: whether a column takes a value, and what becomes of it behind a view, tells of the value. */
  #judgeTemporary({ classes, objects }: Held, form: ColumnForm, to: TemporaryDestination): void {
    const { session } = this.#options;
    if (to.defines !== undefined || to.relation === EVERY) return;
    if (session.isView(to.relation)) {
      const behind = this.#sources.hold([{ kind: 'temporary', relation: to.relation, column: EVERY }]);
      if (behind.classes.length > 0)
        this.refusals.push({
          code: 'CS_MASK_ORACLE',
          reason: 'control',
          classes: behind.classes,
          objects: behind.objects,
        });
    }
    if (classes.length === 0) return;
    if (session.takes(to.relation, to.column, form)) return;
    this.refusals.push({ code: 'CS_MASK_ORACLE', reason: 'fallible', classes, objects });
  }

  /** What is known of the type of a value that is moved, or of a column that is made. */
  #formOf(sources: readonly Source[], { how, sources: from }: Carried, to: TemporaryDestination): ColumnForm {
    const { typeOid, like } = to;
    const [first, ...others] = sources;
    if (how === 'derived' || first === undefined || others.length > 0) return { typeOid, like };
    if (first.kind === 'temporary')
      return this.#options.session.formOf(first.relation, first.column) ?? { typeOid, like };
    return { typeOid, like: to.defines === undefined ? from[0]?.object : like };
  }

  #noteTemporary(
    moved: Carried,
    form: ColumnForm,
    { relation, column, defines }: TemporaryDestination,
  ): void {
    const { session } = this.#options;
    session.noteTemporary(relation, column, moved);
    if (defines === 'column') session.noteForm(relation, column, form);
    else if (defines !== undefined) session.noteDefinition(relation, defines);
  }

  #judgeProbe(probe: Probe): void {
    const { classes, objects } = this.#sources.hold(probe.sources);
    if (classes.length === 0) return;
    const { budgets } = this.#options.grant;
    const without = classes.filter((each) => (budgets.get(each)?.values ?? 0) === 0);
    const isCountable = probe.constants.length > 0 || probe.parameters.length > 0;
    if (without.length > 0) {
      this.refusals.push({ code: 'CS_MASK_BUDGET', reason: 'budget', classes: without, objects });
    } else if (isCountable) this.probes.push({ probe, classes, objects });
    else this.refusals.push({ code: 'CS_MASK_BUDGET', reason: 'uncountable', classes, objects });
  }

  #noteWrite(write: ClassifiedWrite): void {
    const { writeClasses } = this.#options.grant;
    const isGranted =
      this.#sources.letsOut(write.class) || writeClasses === 'all' || writeClasses.has(write.class);
    if (!isGranted) this.writes.push(write);
  }

  #rowsOf(statement: StatementLineage, touched: Held): PlannedRows {
    const { outputs } = statement;
    if (outputs === 'none') {
      const result = noResult(this.#sources.otherwise(touched));
      return statement.declares === undefined
        ? { result }
        : { result, declares: statement.declares, cursor: this.#cursorOf(statement, touched) };
    }
    if (outputs === 'unknown') return { result: this.#sources.unknownResult(touched) };
    if (isList(outputs)) return { result: this.#sources.resultOf(outputs, touched, this.refusals) };
    const otherwise = this.#sources.otherwise(touched);
    // What it lets out without exception, it lets out of cursors.
    if (this.#sources.letsOutEverything)
      return { result: { columns: 'unknown', origins: [], otherwise, isFree: true } };
    const result: ResultPlan = { columns: 'unknown', origins: [], otherwise, isFree: false };
    return 'rowsOf' in outputs ? { result, rowsOf: outputs.rowsOf } : { result, resultOf: outputs.resultOf };
  }

  #cursorOf({ cursorOutputs = 'unknown' }: StatementLineage, touched: Held): ResultPlan {
    if (cursorOutputs === 'unknown') return this.#sources.unknownResult(touched);
    return this.#sources.resultOf(cursorOutputs, touched, this.refusals);
  }

  #copyInOf({ copyIn }: StatementLineage): Pick<StatementPlan, 'copyIn'> {
    return copyIn?.some((each) => each !== undefined) === true ? { copyIn } : {};
  }
}

type PlannedRows = Pick<StatementPlan, 'result' | 'rowsOf' | 'resultOf' | 'declares' | 'cursor'>;

function isList(outputs: StatementLineage['outputs']): outputs is readonly OutputColumn[] {
  return Array.isArray(outputs);
}

function isFree(plan: StatementPlan): boolean {
  const { copyIn, declares, result, resultOf, rowsOf, withholdMessages } = plan;
  const namesRows = declares ?? rowsOf ?? resultOf;
  return result.isFree && !withholdMessages && copyIn === undefined && namesRows === undefined;
}
