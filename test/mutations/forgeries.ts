/** What somebody with the key may want of a record: each takes entries and gives others. None looks at consequences. */

import { randomBytes } from 'node:crypto';
import type { EncodableValue } from 'countersign-verify';
import { sessionOf, typeOf, type Entry, type Fields } from './forged-record.ts';

export type Forgery = (entries: readonly Entry[]) => Entry[];

function at(entries: readonly Entry[], index: number): Entry {
  const entry = entries[index];
  if (entry === undefined) throw new RangeError(`there is no leaf ${index}; the log has ${entries.length}`);
  return entry;
}

/** Sets one field, also inside of others: `rows`, `decision.effect`. Undefined takes it away. */
export function edit(index: number, path: string, value: EncodableValue | undefined): Forgery {
  return (entries) => {
    const entry = at(entries, index);
    const fields = structuredClone(entry.fields);
    const names = path.split('.');
    const last = names.pop()!;
    let inner = fields;
    for (const name of names) inner = inner[name] as Fields;
    inner[last] = value;
    const edited: Entry = { ...entry, fields };
    // Who referred to the leaf refers to what it is now.
    const follow = (one: Entry | undefined): Entry | undefined => (one === entry ? edited : one);
    return entries.map((one) =>
      one === entry
        ? edited
        : Object.assign(one, {
            context: follow(one.context),
            after: follow(one.after),
            covers: follow(one.covers),
          }),
    );
  };
}

export function drop(...indices: readonly number[]): Forgery {
  return (entries) => {
    const gone = new Set(indices.map((index) => at(entries, index)));
    return entries.filter((entry) => !gone.has(entry));
  };
}

/** A call with its result, so that nothing is left open. */
export function dropCall(index: number): Forgery {
  return (entries) => {
    const id = at(entries, index).fields['id'];
    return entries.filter(({ fields }) => !(fields['id'] === id || fields['call'] === id));
  };
}

/** A session with its context and its log-in: it never was. */
export function dropSession(session: string): Forgery {
  return (entries) => {
    const own = entries.filter(({ fields }) => fields['session'] === session);
    if (own.length === 0) throw new RangeError('there is no such session');
    const rest = entries.filter((entry) => !own.includes(entry));
    const isOrphan = (entry: Entry): boolean =>
      typeOf(entry) === 'context' &&
      own.some((one) => one.context === entry) &&
      !rest.some((one) => one.context === entry);
    return rest.filter((entry) => !isOrphan(entry));
  };
}

export function dropTail(leaves: number): Forgery {
  return (entries) => entries.slice(0, -leaves);
}

export function dropType(type: string): Forgery {
  return (entries) => entries.filter((entry) => typeOf(entry) !== type);
}

/** Exchanges two leaves. Their clocks stay where they were, so that time still goes forward. */
export function swap(a: number, b: number): Forgery {
  return (entries) => {
    const [first, second] = [at(entries, a), at(entries, b)];
    const [firstClock, secondClock] = [clockOf(first), clockOf(second)];
    Object.assign(first.fields, secondClock);
    Object.assign(second.fields, firstClock);
    return entries.map((entry) => (entry === first ? second : entry === second ? first : entry));
  };
}

function freshId(): string {
  const hex = randomBytes(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** A copy of a call, with ids of its own, right behind its result: a statement that nobody made. */
export function insertCall(index: number): Forgery {
  return (entries) => {
    const intent = at(entries, index);
    const end = entries.findIndex(({ fields }) => fields['call'] === intent.fields['id']);
    const result = at(entries, end);
    const id = freshId();
    const added: Entry[] = [
      { ...intent, missingJseq: 0, missingSeq: 0, fields: { ...intent.fields, ...clockOf(result), id } },
      { ...result, missingJseq: 0, missingSeq: 0, fields: { ...result.fields, call: id } },
    ];
    return entries.toSpliced(end + 1, 0, ...added);
  };
}

function clockOf({ fields }: Entry): Fields {
  return { at: fields['at'], mono: fields['mono'] };
}

/** A copy of a whole session behind its end, by somebody who never came. */
export function insertSession(session: string): Forgery {
  return (entries) => {
    const own = entries.filter((entry) => sessionOf(entry) === session);
    const end = entries.indexOf(own.at(-1)!);
    const ids = new Map<EncodableValue | undefined, string>();
    const idFor = (old: EncodableValue | undefined): string => {
      const id = ids.get(old) ?? freshId();
      ids.set(old, id);
      return id;
    };
    const copies: Entry[] = [];
    for (const entry of own) {
      const fields: Fields = { ...entry.fields, ...clockOf(at(entries, end)), session: idFor(session) };
      if (fields['id'] !== undefined) fields['id'] = idFor(fields['id']);
      if (fields['call'] !== undefined) fields['call'] = idFor(fields['call']);
      copies.push({ ...entry, missingJseq: 0, missingSeq: 0, fields });
    }
    return entries.toSpliced(end + 1, 0, ...copies);
  };
}
