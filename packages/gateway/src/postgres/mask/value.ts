/** Between the mask that walks messages and the transforms that make values: one value in, one value out. */
import type { MaskingKeys } from '../../masking/keys.ts';
import type { ColumnAction } from '../../masking/plan.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Detection } from './values/detect-value.ts';

export interface ValueType {
  /** pg_type OID. 0: not known (COPY of an expression); only null is then valid everywhere, in text format a text where nothing else can be told. */
  readonly typeOid: number;
  /** As in RowDescription: 0 text, 1 binary. */
  readonly format: number;
}

export interface ValueContext {
  readonly keys: MaskingKeys;
  /** Under which tokens are the same for equal values: the id of the grant. */
  readonly scope: string;
  /** For domains, enums, composites, arrays and ranges of own types. Undefined: their values become null. */
  readonly catalog: Catalog | undefined;
  /** For `detect`. Absent: what it would read is redacted as a whole. */
  readonly detection?: Detection | undefined;
}

/**
 * What leaves in place of a value that is not null: its bytes in the same format, valid for the type; null: SQL NULL; the very `value`: nothing had to be
 * replaced (`detect` found nothing). Never throws: what cannot be transformed is redacted, what cannot be redacted in its type is null.
 */
export type MaskValue = (
  value: Buffer,
  type: ValueType,
  action: Exclude<ColumnAction, { kind: 'pass' }>,
  context: ValueContext,
) => Buffer | null;
