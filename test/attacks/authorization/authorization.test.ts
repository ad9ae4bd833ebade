/**
 * Every attack through the real gateway: first with a superuser behind, so that only the analysis can stop it, then with the role of the scope.
 */
import { strict as assert } from 'node:assert';
import { after, test } from 'node:test';
import { THROUGH_ANALYSIS } from './known.ts';
import { passedIn, runLane, stopWorlds, unexplainedIn, type LaneResult } from './lanes.ts';
import { passesOf, tableOf } from './table.ts';

after(stopWorlds);

/** The limit. */
const MOST_THROUGH_ANALYSIS = 5;

let analysis: LaneResult | undefined;

test('the analysis alone stops all but what is known, and why', async (t) => {
  analysis = await runLane('analysis');
  assert.deepEqual(analysis.refusedControls, []);
  assert.deepEqual(unexplainedIn(analysis), [], 'neither stopped nor executed');
  for (const line of passesOf(analysis, THROUGH_ANALYSIS)) t.diagnostic(line);
  assert.deepEqual(passedIn(analysis), Object.keys(THROUGH_ANALYSIS).toSorted());
  assert.ok(passedIn(analysis).length <= MOST_THROUGH_ANALYSIS);
});

test('no attack passes both walls', async (t) => {
  const both = await runLane('both');
  assert.deepEqual(both.refusedControls, []);
  assert.deepEqual(passedIn(both), []);
  assert.deepEqual(unexplainedIn(both), []);
  for (const line of tableOf({ both, ...(analysis === undefined ? {} : { analysis }) }).split('\n'))
    t.diagnostic(line);
});
