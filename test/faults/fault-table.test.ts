/** Every row of the fault table, against a real record on files that fail as the row says. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runFault } from './fault-run.ts';
import { ROWS, tableText } from './fault-table.ts';

for (const { expected, fault } of ROWS) {
  test(`${fault.place}, ${fault.moment}: ${fault.call} ${fault.kind}`, async () => {
    assert.deepEqual(await runFault(fault), expected);
  });
}

test('docs/faults.md has the table as it is tested', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs/faults.md'), 'utf8');
  assert.ok(text.includes(tableText()), 'node test/faults/fault-table.ts prints it');
});
