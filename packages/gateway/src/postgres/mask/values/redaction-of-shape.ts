import { arrayHeader, encodeArray, encodeComposite } from './binary-containers.ts';
import type { Shape } from './shape.ts';
import { arrayText, compositeText } from './text-literals.ts';

/** jsonb_send puts the version of its format before the text. */
export const JSONB_VERSION = 1;

/**
 * The redaction of a type: the same for each of its values, so that neither lengths nor which parts are NULL tell anything. Text, XML, JSON (as a string) and bytea say
 * it; of an array one element does, of a composite every field of such a type. Null where the type has no value that says that it is none: a number or a date in its
 * place would be taken for one.
 */
export function redactionOfShape(shape: Shape, format: number, redaction: string): Buffer | null {
  switch (shape.kind) {
    case 'text':
      return shape.maxBytes !== undefined && redaction.length > shape.maxBytes
        ? null
        : Buffer.from(redaction);
    case 'untyped':
      return format === 0 ? Buffer.from(redaction) : null;
    case 'json':
    case 'jsonb':
      return encodeJson(redaction, shape.kind, format);
    case 'bytea':
      return encodeBytea(Buffer.from(redaction), format);
    case 'array': {
      const element = redactionOfShape(shape.element, format, redaction);
      if (element === null) return null;
      if (format === 0) {
        return Buffer.from(arrayText({ bounds: '', items: [element.toString()] }, shape.delimiter));
      }
      return encodeArray({ header: arrayHeader(shape.elementOid, 1), elements: [element] });
    }
    case 'composite': {
      const fields = shape.fields.map((field) => redactionOfShape(field.shape, format, redaction));
      if (fields.every((field) => field === null)) return null;
      if (format === 0) return Buffer.from(compositeText(fields.map((field) => field?.toString() ?? null)));
      return encodeComposite(
        fields.map((bytes, index) => ({ typeOid: shape.fields[index]!.typeOid, bytes })),
      );
    }
    default:
      return null;
  }
}

/** A string as a JSON value. */
export function encodeJson(content: string, kind: 'json' | 'jsonb', format: number): Buffer {
  return encodeJsonText(JSON.stringify(content), kind, format);
}

export function encodeJsonText(text: string, kind: 'json' | 'jsonb', format: number): Buffer {
  const bytes = Buffer.from(text);
  return kind === 'jsonb' && format !== 0 ? Buffer.concat([Buffer.of(JSONB_VERSION), bytes]) : bytes;
}

/** Its text; undefined: a version of the format that we do not know. */
export function decodeJsonText(value: Buffer, kind: 'json' | 'jsonb', format: number): string | undefined {
  if (kind === 'json' || format === 0) return value.toString('utf8');
  return value[0] === JSONB_VERSION ? value.toString('utf8', 1) : undefined;
}

/** In text format the hexadecimal form, which the server reads whatever `bytea_output` says. */
export function encodeBytea(content: Buffer, format: number): Buffer {
  return format === 0 ? Buffer.from(`\\x${content.toString('hex')}`, 'latin1') : content;
}

/** Undefined: the escape form, or malformed. */
export function decodeBytea(value: Buffer, format: number): Buffer | undefined {
  if (format !== 0) return value;
  const text = value.toString('latin1');
  return /^\\x(?:[0-9a-f]{2})*$/i.test(text) ? Buffer.from(text.slice(2), 'hex') : undefined;
}
