/**
 * What is recorded of exports. `export-stalled`: one makes no progress, or stopped because going on would lose, repeat or
 * mix up leaves. `export-moved`: an operator set its cursor; leaves `from`..`to` are skipped, or repeated when `to` is less.
 */
export interface ExportAlert {
  readonly type: 'alert';
  readonly code: 'export-stalled' | 'export-moved';
  /** Configured name of the export. */
  readonly export: string;
  /** Leaves that are not delivered. */
  readonly lag?: number;
  /** Next leaf to deliver, before and after. */
  readonly from?: number;
  readonly to?: number;
}
