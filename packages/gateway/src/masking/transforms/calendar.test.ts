import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { calendarDay, dayNumber, isCalendarDay, isoDay, startOfPeriod } from './calendar.ts';

describe('the calendar', () => {
  it('agrees with that of the language where both have the day', () => {
    const epoch = Date.UTC(2000, 0, 1);
    fc.assert(
      fc.property(fc.integer({ min: -2_000_000, max: 2_000_000 }), (number) => {
        const date = new Date(epoch + number * 86_400_000);
        const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
        assert.deepEqual(calendarDay(number), day);
        assert.equal(dayNumber(day), number);
        assert.ok(isCalendarDay(day));
      }),
    );
  });

  it('goes there and back over the range that PostgreSQL has', () => {
    for (const number of [-2_451_545, -730_425, -730_120, -1, 0, 59, 60, 2_145_031_948]) {
      assert.equal(dayNumber(calendarDay(number)), number);
    }
  });

  it('knows the first day of periods', () => {
    const day = { year: 2024, month: 8, day: 31 };
    assert.equal(isoDay(startOfPeriod(day, 'month')), '2024-08-01');
    assert.equal(isoDay(startOfPeriod(day, 'quarter')), '2024-07-01');
    assert.equal(isoDay(startOfPeriod(day, 'year')), '2024-01-01');
    assert.equal(isoDay({ year: -43, month: 3, day: 15 }, ' 00:00:00'), '0044-03-15 00:00:00 BC');
  });

  it('knows which days there are', () => {
    assert.ok(isCalendarDay({ year: 2024, month: 2, day: 29 }));
    for (const [year, month, day] of [
      [2023, 2, 29],
      [1900, 2, 29],
      [2024, 4, 31],
      [2024, 13, 1],
      [2024, 0, 1],
    ] as const) {
      assert.ok(!isCalendarDay({ year, month, day }));
    }
  });
});
