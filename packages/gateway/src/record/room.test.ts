import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room } from './room.ts';

const MIB = 1024 * 1024;

test('room that runs low is one alarm, until there is a tenth more', () => {
  const alarms: number[] = [];
  const room = new Room({
    minFreeBytes: 10 * MIB,
    warnFreeBytes: 100 * MIB,
    freeBytes: () => 500 * MIB,
    open: () => ({ calls: 0, sessions: 0 }),
    onChange: () => {},
    onLow: (freeBytes) => alarms.push(freeBytes / MIB),
  });
  const seen: [number, boolean, boolean][] = [];
  for (const free of [200, 99, 90, 101, 99, 109, 50, 10, 11, 12, 111, 99]) {
    room.setFree(free * MIB);
    seen.push([free, room.isLow, room.isFull()]);
  }
  assert.deepEqual(alarms, [99, 99]);
  assert.deepEqual(
    seen.filter(([, isLow]) => !isLow).map(([free]) => free),
    [200, 111],
  );
  // A MiB is kept for control events, so there is room for commands only above 11.
  assert.deepEqual(
    seen.filter(([, , isFull]) => isFull).map(([free]) => free),
    [10],
  );
});

test('bytes on their way and what is open count before the file system is asked again', () => {
  const open = { calls: 0, sessions: 0 };
  const room = new Room({
    minFreeBytes: 10 * MIB,
    freeBytes: () => 20 * MIB,
    open: () => open,
    onChange: () => {},
  });
  room.noteWritten(2 * MIB);
  assert.equal(room.isFull(), false);
  room.noteWritten(MIB + 1);
  assert.equal(room.isFull(), true);
  room.setFree(20 * MIB);
  open.calls = 5000;
  assert.equal(room.isFull(), true);
});
