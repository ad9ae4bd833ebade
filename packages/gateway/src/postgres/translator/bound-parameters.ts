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
  /** A masked value was found in values too large to hold. */
  readonly holdsMasked: boolean;
  readonly #parameters: readonly (Parameter | undefined)[];

  /** Which catalog is in force: for types of its own. */
  readonly #catalog: () => Catalog | undefined;

  constructor(
    values: BoundValues,
    statement: PreparedStatement | undefined,
    catalog: () => Catalog | undefined,
  ) {
    this.#catalog = catalog;
    this.holdsMasked = values.kind === 'spooled' && values.holdsMasked;
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
