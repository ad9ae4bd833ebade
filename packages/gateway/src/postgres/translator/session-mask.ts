import type { MaskPlan } from '../../masking/plan.ts';
import type { ClassName } from '../../masking/rules.ts';
import type { Session } from '../../session/session.ts';
import type { SessionAnalysis } from '../analysis/session-analysis.ts';
import type { Masking } from '../mask/column-mask.ts';
import type { OriginBasis } from '../mask/origin-check.ts';
import { OutputSlab } from '../mask/output-slab.ts';
import type { ValueContext } from '../mask/value.ts';
import { maskValue } from '../mask/values/mask-value.ts';
import { CallMask } from './call-mask.ts';
import type { Touched } from '../../session/touched.ts';
import { withoutRows } from './no-rows.ts';
import { Cursors } from './cursors.ts';
import { detectionBy } from './detection.ts';
import type { SessionMasking } from './ports.ts';

/** What masking keeps of one session: its cursors, and whether the open transaction has read something regulated. Data thread. */
export class SessionMask implements Masking {
  readonly maskValue = maskValue;
  readonly context: ValueContext;
  readonly slab = new OutputSlab();
  readonly cursors = new Cursors();
  /** Something regulated was touched since the transaction began: what its end reports may carry it. */
  hasTouched = false;
  readonly #masking: SessionMasking;
  readonly #session: Session;
  readonly #analysis: SessionAnalysis;

  constructor(masking: SessionMasking, session: Session, analysis: SessionAnalysis) {
    this.#masking = masking;
    this.#session = session;
    this.#analysis = analysis;
    this.context = {
      keys: masking.keys,
      scope: session.grant.id,
      get catalog() {
        return analysis.catalog;
      },
      get detection() {
        return detectionBy(masking.rules);
      },
    };
  }

  /** A reload may change it. */
  get maxRowBytes(): number {
    return this.#masking.rules.maxRowBytes;
  }

  get letsOutEverything(): boolean {
    return this.#session.letsOutEverything;
  }

  /** Whether anything of the target is regulated, or may be. */
  get isClassified(): boolean {
    return this.classification?.isEmpty !== true;
  }

  /** Undefined: the catalog is not known. */
  get classification(): ReturnType<SessionMasking['classification']> | undefined {
    const { catalog } = this.#analysis;
    return catalog === undefined ? undefined : this.#masking.classification(catalog);
  }

  /** Of the classification and rules in force. */
  get digest(): string | undefined {
    return this.classification?.digest;
  }

  get originBasis(): OriginBasis {
    const { classification, letsOutEverything } = this;
    const { unmask } = this.#session.grant.masking;
    const letsOut = (name: ClassName): boolean => letsOutEverything || (unmask !== 'all' && unmask.has(name));
    return { catalog: this.#analysis.catalog, classification, letsOut };
  }

  get catalog(): ValueContext['catalog'] {
    return this.#analysis.catalog;
  }

  /** Undefined: nothing of its answer has to be looked at. */
  forCall(plan: MaskPlan, { lineage, text }: Touched): CallMask | undefined {
    if (!plan.isFree) return new CallMask(this, plan, text);
    if (lineage === undefined || this.letsOutEverything) return undefined;
    const guarded = withoutRows(lineage);
    return guarded === undefined ? undefined : new CallMask(this, guarded, undefined);
  }

  noteDelivered(name: ClassName, isAuthentic: boolean): void {
    this.#session.masking?.noteDelivered(name, isAuthentic);
  }

  /** A transaction has ended. */
  onIdle(): void {
    this.hasTouched = false;
    this.cursors.endTransaction();
  }
}
