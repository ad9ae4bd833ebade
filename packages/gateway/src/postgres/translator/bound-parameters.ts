import type { MaskingKeys } from '../../masking/keys.ts';
import { findMasked } from '../../masking/transforms/find-masked.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { parameterElements, parameterText } from '../mask/values/parameter-text.ts';
import { parameterFormat } from '../wire/frontend/bind.ts';
import type { PreparedStatement } from './prepared-statements.ts';
import type { BoundValues } from './series-window.ts';

interface Parameter {
  readonly bytes: Buffer;
  readonly typeOid: number;
  readonly format: number;
}

/** The parameters of one portal, as far as they can be read: for counting what they probe, and finding masked values that come back in them. Numbered from 1. */
export class BoundParameters {
  readonly #parameters: readonly (Parameter | undefined)[];
  readonly #isSpooledMasked: boolean;

  /** Which catalog is in force: for types of its own. */
  readonly #catalog: () => Catalog | undefined;

  constructor(
    values: BoundValues,
    statement: PreparedStatement | undefined,
    catalog: () => Catalog | undefined,
  ) {
    this.#catalog = catalog;
    this.#isSpooledMasked = values.kind === 'spooled' && values.holdsMasked;
    if (values.kind === 'spooled') {
      this.#parameters = [];
      return;
    }
    const { buffer, bind } = values;
    // As the server does: what the Parse left open is what it said itself when it was asked.
    this.#parameters = bind.parameters.map((range, index) => {
      if (range === undefined) return undefined;
      const given = statement?.parameterTypes[index] ?? 0;
      return {
        // A copy: a portal may live long, and the message is a piece of a larger chunk.
        bytes: Buffer.from(buffer.subarray(range.start, range.end)),
        typeOid: given === 0 ? (statement?.toldTypes?.[index] ?? 0) : given,
        format: parameterFormat(bind.parameterFormats, index),
      };
    });
  }

  /**
   * A masked value of ours is in values of which no text is known: too large to hold, or of a form that we do not read. A mark is the same bytes in all of them.
   * Of the others whoever is told the text sees it.
   */
  holdsMasked(keys: MaskingKeys): boolean {
    if (this.#isSpooledMasked) return true;
    return this.#parameters.some(
      (parameter, index) =>
        parameter !== undefined &&
        this.text(index + 1) === undefined &&
        findMasked(parameter.bytes, keys) !== undefined,
    );
  }

  get count(): number {
    return this.#parameters.length;
  }

  /** Undefined: null, or it cannot be read. */
  text(number: number): string | undefined {
    const parameter = this.#parameters[number - 1];
    if (parameter === undefined) return undefined;
    return parameterText(parameter.bytes, parameter.typeOid, parameter.format, this.#catalog());
  }

  /** Of an array. Undefined: it is none, or cannot be read. */
  elements(number: number): readonly (string | null)[] | undefined {
    const parameter = this.#parameters[number - 1];
    if (parameter === undefined) return undefined;
    return parameterElements(parameter.bytes, parameter.typeOid, parameter.format, this.#catalog());
  }
}
