/** Every event against the published OCSF schema, and what must never be in one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodeCanonical, hashLeaf, type EventType, type Leaf } from 'countersign-verify';

import { mapLeaf } from '../../packages/gateway/src/export/ocsf/map-leaf.ts';
import { OCSF_VERSION, type OcsfEvent } from '../../packages/gateway/src/export/ocsf/ocsf-event.ts';
import { checkEvent } from './ocsf-check.ts';
import type { ToolTest } from '../foreign/tools.ts';
import { publishedSchema, type OcsfSchema } from './published-schema.ts';
import { sampleLeaves, SESSION } from './sample-leaves.ts';

const ACTORS = [
  {},
  { principal: 'teller', kind: 'agent', grant: 'g-1', target: 'bank', login: 'reader', peer: 'P'.repeat(43) },
  { principal: 'jane', kind: 'human', target: 'bank' },
] as const;

function eventOf(leaf: Leaf, actor: (typeof ACTORS)[number] = ACTORS[1], kind = 'select'): OcsfEvent {
  const bytes = Buffer.from(encodeCanonical(leaf));
  return mapLeaf({
    index: 7,
    bytes,
    leaf,
    leafHash: hashLeaf(bytes),
    provenance: { origin: 'log.test/a', treeSize: 9, isWitnessed: false, unwitnessedSeconds: 3 },
    actor,
    call: { session: SESSION, kind, effect: 'write' },
    version: '0.1.0',
  });
}

function leafOf(wanted: EventType): Leaf {
  for (const { type, leaf } of sampleLeaves()) if (type === wanted) return leaf;
  throw new Error(`there is no ${wanted}`);
}

const published = await publishedSchema();
const needsSchema: ToolTest = 'skip' in published ? published : { skip: false };

/** Only for tests that are not skipped. */
function schemaOf(): OcsfSchema {
  if ('skip' in published) throw new Error('there is no schema');
  return published;
}

test('the schema is of the version that events name', needsSchema, () => {
  assert.equal(schemaOf().version, OCSF_VERSION);
});

test('the check finds what it is for', needsSchema, () => {
  const leaf = leafOf('call.intent');
  const event = eventOf(leaf);
  assert.deepEqual(checkEvent(schemaOf(), event), []);
  const { actor: _actor, ...withoutActor } = event;
  const broken: readonly [OcsfEvent, RegExp][] = [
    [withoutActor, /actor is missing/],
    [{ ...event, activity_id: 77 }, /activity_id is none of its values/],
    [{ ...event, activity_name: 'Nothing' }, /activity_id and its name disagree/],
    [{ ...event, severity_id: '1' }, /severity_id is not a integer_t/],
    [{ ...event, statement: 'select 1' }, /statement is not an attribute here/],
    [{ ...event, database: { type_id: 1 } }, /database\. has none of name, uid/],
    [{ ...event, query_info: { uid: 'x' } }, /query_info\.query_string is missing/],
    [{ ...event, authorizations: {} }, /authorizations is not a list/],
    [
      { ...event, metadata: { ...(event['metadata'] as object), profiles: [] } },
      /disposition_id is not an attribute here/,
    ],
    [{ ...event, metadata: { ...(event['metadata'] as object), version: '1.7.0' } }, /metadata\.version/],
  ];
  for (const [wrong, said] of broken) assert.match(checkEvent(schemaOf(), wrong).join('\n'), said);
});

test('every leaf of every type becomes a valid event', needsSchema, () => {
  let count = 0;
  for (const { type, leaf } of sampleLeaves()) {
    for (const actor of ACTORS) {
      assert.deepEqual(checkEvent(schemaOf(), eventOf(leaf, actor)), [], type);
      count++;
    }
  }
  assert.ok(count > 500);
});

test('a type of a later version becomes a valid event by its own name', needsSchema, () => {
  const leaf = leafOf('heartbeat');
  const event = eventOf({ ...leaf, type: 'thing.of.tomorrow' });
  assert.deepEqual(checkEvent(schemaOf(), event), []);
  assert.equal(event['activity_name'], 'thing.of.tomorrow');
});

test('every kind and effect of a call has a valid activity', needsSchema, () => {
  const leaf = leafOf('call.intent');
  const kinds =
    'select fetch insert copy update merge delete truncate drop create grant vacuum prepare plan multi empty function'.split(
      ' ',
    );
  for (const kind of kinds) {
    for (const effect of ['read', 'write', 'admin', 'unknown']) {
      assert.deepEqual(checkEvent(schemaOf(), eventOf({ ...leaf, kind, effect })), [], `${kind} ${effect}`);
    }
  }
  const writing = eventOf({ ...leaf, kind: 'select', effect: 'write' });
  assert.equal(writing['activity_name'], 'Write');
});

test('intent and result of a call carry the same correlation', () => {
  const intent = leafOf('call.intent');
  const result = leafOf('call.result');
  const uidOf = (leaf: Leaf): unknown =>
    (eventOf(leaf)['metadata'] as { correlation_uid?: string }).correlation_uid;
  assert.equal(uidOf(intent), SESSION);
  assert.equal(uidOf(result), SESSION);
  assert.equal((eventOf(result)['metadata'] as { uid: string }).uid, `${SESSION}.result`);
});

test('an event holds the leaf byte for byte: enough to begin an inclusion proof', () => {
  for (const { leaf } of sampleLeaves()) {
    const event = eventOf(leaf);
    const { leaf_hash: stated } = (event['unmapped'] as { countersign: { leaf_hash: string } }).countersign;
    assert.equal(hashLeaf(Buffer.from(event['raw_data'] as string)).toString('base64'), stated);
  }
});

test('a call that names one relation has it as its table', needsSchema, () => {
  const leaf = leafOf('call.intent');
  const cases: readonly (readonly [readonly string[], string | undefined])[] = [
    [['select bank.accounts(id,status)'], 'bank.accounts'],
    [['select bank.accounts(id)', 'update bank.accounts(status)', 'execute app.f'], 'bank.accounts'],
    [['select bank."odd. (name\\""(*)'], 'bank."odd. (name\\""'],
    [['select reporting.daily(day)', 'select bank.transactions(day) via reporting.daily'], 'reporting.daily'],
    [['select bank.accounts(id)', 'select bank.cards(id)'], undefined],
    [['special listen', 'ddl scratch'], undefined],
  ];
  for (const [objects, name] of cases) {
    const event = eventOf({ ...leaf, objects });
    assert.deepEqual(event['table'], name === undefined ? undefined : { name });
    assert.deepEqual(checkEvent(schemaOf(), event), []);
  }
});
