/**
 * Checked by the compiler: every event that the gateway can record has a schema with just its fields, in snake_case.
 * A field that is added on one side only makes one of the assignments below an error.
 */

import type { EVENTS, EventType } from 'countersign-verify';
import type { OwnEvent, RecordEvent } from '../../packages/gateway/src/record/events.ts';

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Snake<Tail>}`
    : `_${Lowercase<Head>}${Snake<Tail>}`
  : S;

type AnyEvent = RecordEvent | OwnEvent;
type TypeOf<E> = E extends { readonly type: infer T extends string } ? T : never;
type EventOf<T, E = AnyEvent> = E extends { readonly type: infer U } ? (T extends U ? E : never) : never;
type Keys<T> = T extends unknown ? Exclude<keyof T, 'type'> & string : never;

type FieldsRecorded<T extends EventType> = Snake<Keys<EventOf<T>>>;
/** `rolling` is added by the recorder; a result is recorded without the context that its type would allow. */
type FieldsInSchema<T extends EventType> = Exclude<keyof (typeof EVENTS)[T] & string, 'rolling'>;
type Allowed<T extends EventType> = T extends 'call.result' ? 'context' : never;

type Unknown = {
  readonly [T in EventType]: Exclude<FieldsRecorded<T>, FieldsInSchema<T> | Allowed<T>>;
}[EventType];
type Unused = { readonly [T in EventType]: Exclude<FieldsInSchema<T>, FieldsRecorded<T>> }[EventType];

/** Each must be `never`; the error message of the compiler names the field. */
export type Agreement = [
  Expect<Exclude<TypeOf<AnyEvent>, EventType>>,
  Expect<Exclude<EventType, TypeOf<AnyEvent>>>,
  Expect<Unknown>,
  Expect<Unused>,
];
type Expect<T extends never> = T;
