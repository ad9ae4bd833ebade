/** A sound leaf of every event type, made from the schema of leaves: with all optional fields, and with none. */

import { ENVELOPE, EVENTS, type EventType, type Fields, type Leaf, type Shape } from 'countersign-verify';

export const SESSION = '0190a000-0000-7000-8000-000000000001';

/** Marks every commitment and digest, so that a test can find where they go. */
const DIGEST = 'A'.repeat(43);

function sampleOf(shape: Shape, all: boolean, choice: number): unknown {
  switch (shape.kind) {
    case 'uuid':
      return SESSION;
    case 'digest':
    case 'commitment':
      return DIGEST;
    case 'count':
    case 'integer':
      return 4_711;
    case 'boolean':
      return true;
    case 'sqlstate':
      return '42501';
    case 'choice':
      return shape.of[choice % shape.of.length];
    case 'list':
      return [sampleOf(shape.of, all, choice)];
    case 'object':
      return fieldsOf(shape.fields, all, choice);
    default:
      return 'name-1';
  }
}

function fieldsOf(fields: Fields, all: boolean, choice: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, field]) => all || !field.isOptional)
      .map(([key, field]) => [key, sampleOf(field.shape, all, choice)]),
  );
}

export interface Sample {
  readonly type: EventType;
  readonly leaf: Leaf;
}

/** `choice`: which alternative to take where a field has several. */
export function* sampleLeaves(): Generator<Sample> {
  for (const type of Object.keys(EVENTS) as EventType[]) {
    for (const all of [false, true]) {
      for (let choice = 0; choice < 6; choice++) {
        const { id: _id, ...envelope } = fieldsOf(ENVELOPE, true, choice);
        const leaf = {
          ...envelope,
          ...(type === 'call.result' ? {} : { id: SESSION }),
          ...fieldsOf(EVENTS[type], all, choice),
          v: 1,
          type,
          at: 1_790_000_000_123_456,
        };
        yield { type, leaf: leaf as unknown as Leaf };
      }
    }
  }
}
