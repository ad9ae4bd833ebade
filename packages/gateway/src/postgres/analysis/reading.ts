import type { Lineage } from '../../masking/lineage.ts';
import type { Meaning } from '../inspect/meaning.ts';
import type { SettingChange } from '../inspect/setting-changes.ts';

/**
 * Everything that a text alone, with catalog and session names, tells. Plain data and never changed: it is shared by all sessions, and its identity (that
 * of `meaning.demands`) is what decisions are kept under.
 */
export interface StatementReading {
  readonly meaning: Meaning;
  /** What it does to settings; each session judges them by its own allow-list. */
  readonly settings: readonly SettingChange[];
  /** Where its values come from and go. Absent: nothing is classified in the target. */
  readonly lineage?: Lineage;
}
