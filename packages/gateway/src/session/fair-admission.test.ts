import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PrincipalQuota } from '../config/config.ts';
import type { Appended, Recorder, RecorderHealth } from '../record/recorder.ts';
import { FairAdmission, type Pace } from './fair-admission.ts';
import { ASSEMBLY_BYTES, COMMAND_COST, COMMIT_COST, TURN_COST } from './principal-share.ts';

/** Small commands in one turn, and in one commit. */
const TURN = TURN_COST / COMMAND_COST;
const COMMIT = COMMIT_COST / COMMAND_COST;

const NO_QUOTA: PrincipalQuota = {
  commandsPerSecond: 0,
  recordBytesPerSecond: 0,
  burstMs: 1000,
  overQuota: 'wait',
};

/** A record and an event loop that move when the test says so. */
class Bench {
  nowMs = 0;
  appended = 0;
  durable = -1;
  quota: PrincipalQuota;
  readonly crossed: string[] = [];
  readonly admission: FairAdmission;
  #onCommit: () => void = () => {};
  #onHealth: (health: RecorderHealth) => void = () => {};
  readonly #turns: (() => void)[] = [];

  constructor(quota: Partial<PrincipalQuota> = {}) {
    this.quota = { ...NO_QUOTA, ...quota };
    const recorder: Pick<Recorder, 'onCommit' | 'onHealthChange' | 'health'> = {
      onCommit: (callback) => {
        this.#onCommit = () => callback({ latencyMs: 1, leaves: 1, bytes: 1 });
      },
      onHealthChange: (callback) => {
        this.#onHealth = callback;
      },
      health: () => ({ ready: true, durableJseq: this.durable }) as RecorderHealth,
    };
    this.admission = new FairAdmission({
      recorder,
      quota: () => this.quota,
      nowMs: () => this.nowMs,
      nextTurn: (work) => this.#turns.push(work),
      onOverQuota: (principal, quota) => this.crossed.push(`${principal} ${quota}`),
    });
  }

  leaf(bytes: number): Appended {
    return { jseq: this.appended++, bytes, isDurable: false } as Appended;
  }

  turn(): void {
    for (const work of this.#turns.splice(0)) work();
  }

  commit(): void {
    this.durable = this.appended - 1;
    this.#onCommit();
  }

  health(ready: boolean, takesCommands = ready): void {
    this.#onHealth({ ready, takesCommands } as RecorderHealth);
  }
}

/** A session that always has another command, as in a pipelined flood. */
class Flooder {
  taken = 0;
  readonly #bench: Bench;
  readonly #pace: Pace;
  readonly #bytes: number;

  constructor(bench: Bench, principal: string, bytes = 600) {
    this.#bench = bench;
    this.#pace = bench.admission.enter(principal);
    this.#bytes = bytes;
  }

  run(): void {
    while (!this.#pace.mustWait) {
      this.taken += 1;
      this.#pace.chargeCommand(this.#bench.leaf(this.#bytes));
    }
    this.#pace.wait(() => this.run());
  }
}

test('a principal has a slice of each turn, over all its sessions', () => {
  const bench = new Bench();
  const sessions = Array.from({ length: 50 }, () => new Flooder(bench, 'flood', 0));
  for (const session of sessions) session.run();
  const taken = (): number => sessions.reduce((sum, session) => sum + session.taken, 0);
  assert.equal(taken(), TURN);
  bench.turn();
  assert.equal(taken(), 2 * TURN);
  bench.turn();
  assert.equal(taken(), 3 * TURN);
  // Its sessions take turns, too.
  assert.deepEqual(
    sessions.slice(0, 3).map((session) => session.taken),
    [2 * TURN, TURN, 0],
  );
});

test('in every turn everybody is served, however much one of them sends', () => {
  const bench = new Bench();
  const flood = new Flooder(bench, 'flood', 0);
  flood.run();
  for (let turn = 1; turn <= 5; turn++) {
    const other = bench.admission.enter('other');
    assert.equal(other.mustWait, false);
    other.chargeCommand(bench.leaf(600));
    bench.turn();
    bench.commit();
    assert.equal(flood.taken, TURN * (turn + 1));
  }
});

test('a statement that costs more than a slice is paid off in later turns', () => {
  const bench = new Bench();
  const pace = bench.admission.enter('p');
  pace.chargeCommand(bench.leaf(1024 * 1024));
  let turns = 0;
  pace.wait(() => {
    turns = -turns;
  });
  bench.commit();
  while (turns >= 0 && turns < 100) {
    turns += 1;
    bench.turn();
  }
  assert.equal(turns, -Math.ceil((1024 * 1024) / TURN_COST));
});

test('no group commit is filled by one principal', () => {
  const bench = new Bench();
  const flood = new Flooder(bench, 'flood', 0);
  flood.run();
  for (let i = 0; i < 100; i++) bench.turn();
  assert.equal(flood.taken, COMMIT);
  bench.commit();
  for (let i = 0; i < 100; i++) bench.turn();
  assert.equal(flood.taken, 2 * COMMIT);
  assert.equal(bench.admission.waiting, 1);
});

test('while the record takes nothing nobody waits for it: everybody is to be refused', () => {
  const bench = new Bench();
  const flood = new Flooder(bench, 'flood', 0);
  flood.run();
  for (let i = 0; i < 100; i++) bench.turn();
  bench.health(false);
  for (let i = 0; i < 10; i++) bench.turn();
  assert.ok(flood.taken > COMMIT);
});

test('while only the log waits, commands are taken as ever: no group commit is filled by one principal', () => {
  const bench = new Bench();
  const flood = new Flooder(bench, 'flood', 0);
  flood.run();
  bench.health(false, true);
  for (let i = 0; i < 100; i++) bench.turn();
  assert.equal(flood.taken, COMMIT);
});

test('commands per second: the burst at once, then the rate', () => {
  const bench = new Bench({ commandsPerSecond: 10, burstMs: 2000 });
  const pace = bench.admission.enter('p');
  const take = (): number => {
    let taken = 0;
    for (; !pace.mustWait; taken++) {
      pace.chargeCommand(bench.leaf(0));
      bench.turn();
      bench.commit();
    }
    return taken;
  };
  assert.equal(take(), 21);
  assert.equal(take(), 0);
  bench.nowMs += 1000;
  assert.equal(take(), 10);
  assert.deepEqual(bench.crossed, ['p commands']);
  bench.nowMs += 61_000;
  assert.equal(take(), 21);
  assert.deepEqual(bench.crossed, ['p commands', 'p commands']);
});

test('a refusal that is only counted costs ten commands', () => {
  const bench = new Bench({ commandsPerSecond: 10, burstMs: 2000 });
  const pace = bench.admission.enter('p');
  for (let i = 0; i < 3; i++) pace.chargeCommand(undefined);
  bench.turn();
  bench.nowMs = 999;
  assert.equal(pace.mustWait, true);
  bench.nowMs = 1000;
  assert.equal(pace.mustWait, false);
});

test('record bytes per second: debt is paid before anything else is had', () => {
  const bench = new Bench({ recordBytesPerSecond: 1000, burstMs: 1000 });
  const pace = bench.admission.enter('p');
  pace.chargeCommand(bench.leaf(6000));
  bench.turn();
  bench.commit();
  assert.equal(pace.mustWait, true);
  bench.nowMs = 4999;
  assert.equal(pace.mustWait, true);
  bench.nowMs = 5000;
  assert.equal(pace.mustWait, false);
  assert.equal(bench.admission.enter('other').mustWait, false);
  assert.deepEqual(bench.crossed, ['p record-bytes']);
});

test('with `refuse`, a principal over its quota does not wait and is refused', () => {
  const bench = new Bench({ commandsPerSecond: 1, burstMs: 1000, overQuota: 'refuse' });
  const pace = bench.admission.enter('p');
  for (let i = 0; i < 3; i++) pace.chargeCommand(bench.leaf(0));
  assert.equal(pace.mustWait, false);
  assert.equal(pace.isRefused, true);
  bench.nowMs = 2000;
  assert.equal(pace.isRefused, false);
});

test('who read answers for a whole turn goes on in a later one, whatever its quota', () => {
  const bench = new Bench({ commandsPerSecond: 1, burstMs: 1000 });
  const pace = bench.admission.enter('p');
  for (let i = 0; i < TURN; i++) pace.chargeCommand(bench.leaf(0));
  assert.equal(pace.isOutOfTurn, true);
  let goesOn = 0;
  pace.waitForTurn(() => goesOn++);
  bench.turn();
  assert.equal(goesOn, 1);
  assert.equal(pace.mustWait, true);
});

test('who no longer wants to go on is not continued', () => {
  const bench = new Bench();
  const pace = bench.admission.enter('p');
  for (let i = 0; i < TURN; i++) pace.chargeCommand(bench.leaf(0));
  const forget = pace.wait(() => assert.fail('continued'));
  forget();
  bench.turn();
  assert.equal(bench.admission.waiting, 0);
});

test('a hundred refusals are recorded one by one, then one a second', () => {
  const bench = new Bench();
  const pace = bench.admission.enter('p');
  const recorded = (): number => {
    let sum = 0;
    for (let i = 0; i < 1000; i++) if (bench.admission.enter('p').mayRecordDenial()) sum += 1;
    return sum;
  };
  assert.equal(recorded(), 100);
  assert.equal(pace.mayRecordDenial(), false);
  bench.nowMs = 3000;
  assert.equal(recorded(), 3);
});

test('long messages are put together as far as there is room, first come first served, and always one', () => {
  const bench = new Bench();
  const started: string[] = [];
  const begin = (name: string, bytes: number, principal = 'p'): (() => void) =>
    bench.admission.enter(principal).assemble(bytes, () => started.push(name));
  const enormous = begin('enormous', 2 * ASSEMBLY_BYTES);
  const half = begin('half', ASSEMBLY_BYTES / 2);
  const other = begin('other half', ASSEMBLY_BYTES / 2);
  const tooMuch = begin('too much', ASSEMBLY_BYTES);
  const small = begin('small', 1);
  begin('of another', ASSEMBLY_BYTES, 'another');
  assert.deepEqual(started, ['enormous', 'of another']);
  enormous();
  enormous();
  assert.deepEqual(started.slice(2), ['half', 'other half']);
  half();
  assert.equal(started.length, 4);
  // Who gives up waiting lets the next one in.
  tooMuch();
  assert.deepEqual(started.slice(4), ['small']);
  other();
  small();
  begin('last', ASSEMBLY_BYTES);
  assert.equal(started.at(-1), 'last');
});
