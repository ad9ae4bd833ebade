/**
 * What becomes of the record when one call to the disk fails, call by call: the table of docs/faults.md, as data. Each row is a
 * test (`fault-table.test.ts`). `node test/faults/fault-table.ts` prints the table as the document has it.
 */

import { ERROR_SURFACES } from '../../packages/gateway/src/errors.ts';
import type { FaultCall } from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import type { Fault, Kind, Moment, Outcome, Place } from './fault-run.ts';

/** Calls of one place that end alike. */
interface Group {
  readonly place: Place;
  readonly moment: Moment;
  readonly calls: readonly FaultCall[];
  readonly expected: Partial<Record<Kind, Outcome>>;
}

const refused = (caller: Outcome['caller'], gap: string): Outcome => ({
  caller,
  ready: false,
  fatal: false,
  verdict: 'VERIFIED-WITH-GAPS',
  gaps: [gap],
  findings: [],
});

/** The command is refused in time and voided on the record; when the disk works again, so does the gateway. */
const JOURNAL_FAILS = {
  EIO: refused('CS_RECORD_FAILED', 'sync-failed'),
  ENOSPC: refused('CS_RECORD_FULL', 'sync-failed'),
  EROFS: refused('CS_RECORD_FAILED', 'sync-failed'),
  stalled: refused('CS_RECORD_TIMEOUT', 'sync-late'),
} as const;

const SHORT = { short: JOURNAL_FAILS.EIO } as const;

const SOUND: Outcome = {
  caller: 'accepted',
  ready: true,
  fatal: false,
  verdict: 'VERIFIED',
  gaps: [],
  findings: [],
};

/** Commands go on, because the journal has them; `/ready` says no, and the log catches up when the disk works again. */
const LOG_WAITS = { ...SOUND, ready: false } as const;
const LOG_FAILS = { EIO: LOG_WAITS, ENOSPC: LOG_WAITS, EROFS: LOG_WAITS, stalled: SOUND } as const;

/** Nobody can notice before the power is cut: `power-loss.test.ts` cuts it, and the record then says so. */
const UNNOTICED = { lying: SOUND } as const;

/** This one value is refused, and nothing of it stays; everybody else goes on. */
const valueRefused = (caller: Outcome['caller']): Outcome => ({ ...SOUND, caller });
const VALUE_FAILS = {
  EIO: valueRefused('CS_RECORD_FAILED'),
  ENOSPC: valueRefused('CS_RECORD_FULL'),
  EROFS: valueRefused('CS_RECORD_FAILED'),
  stalled: SOUND,
} as const;

const startRefused = (caller: Outcome['caller']): Outcome => ({ ...LOG_WAITS, caller });

const GROUPS: readonly Group[] = [
  {
    place: 'journal segment',
    moment: 'commit',
    calls: ['write'],
    expected: {
      ...JOURNAL_FAILS,
      ...SHORT,
      // Noticed by the integrator, which reads back what was acknowledged, before anything of it is signed.
      lying: {
        caller: 'accepted',
        ready: false,
        fatal: true,
        restart: 'CS_RECORD_CORRUPT',
        verdict: 'VERIFIED-WITH-GAPS',
        gaps: ['corruption', 'crashed', 'in-doubt'],
        findings: [],
      },
    },
  },
  {
    place: 'journal segment',
    moment: 'commit',
    calls: ['sync'],
    expected: { ...JOURNAL_FAILS, ...UNNOTICED },
  },
  {
    place: 'journal segment',
    moment: 'new segment',
    calls: ['open', 'rename'],
    expected: JOURNAL_FAILS,
  },
  { place: 'journal directory', moment: 'new segment', calls: ['allocate'], expected: JOURNAL_FAILS },
  {
    place: 'journal directory',
    moment: 'new segment',
    calls: ['syncDirectory'],
    expected: { ...JOURNAL_FAILS, ...UNNOTICED },
  },
  { place: 'data keys', moment: 'new segment', calls: ['open', 'rename'], expected: JOURNAL_FAILS },
  {
    place: 'data keys',
    moment: 'new segment',
    calls: ['write'],
    expected: {
      ...JOURNAL_FAILS,
      ...SHORT,
      // It is read back before anything is sealed with it.
      lying: JOURNAL_FAILS.EIO,
    },
  },
  {
    place: 'data keys',
    moment: 'new segment',
    calls: ['sync', 'syncDirectory'],
    expected: { ...JOURNAL_FAILS, ...UNNOTICED },
  },
  { place: 'tiles', moment: 'integration', calls: ['open', 'truncate'], expected: LOG_FAILS },
  {
    place: 'tiles',
    moment: 'integration',
    calls: ['write'],
    expected: { ...LOG_FAILS, short: LOG_WAITS },
  },
  {
    place: 'tiles',
    moment: 'integration',
    calls: ['sync', 'syncDirectory'],
    expected: { ...LOG_FAILS, ...UNNOTICED },
  },
  {
    place: 'tiles',
    moment: 'integration',
    calls: ['makeDirectory', 'rename', 'remove'],
    expected: LOG_FAILS,
  },
  { place: 'checkpoint', moment: 'integration', calls: ['open', 'rename'], expected: LOG_FAILS },
  {
    place: 'checkpoint',
    moment: 'integration',
    calls: ['write'],
    expected: { ...LOG_FAILS, short: LOG_WAITS },
  },
  { place: 'checkpoint', moment: 'integration', calls: ['sync'], expected: { ...LOG_FAILS, ...UNNOTICED } },
  {
    place: 'log directory',
    moment: 'integration',
    calls: ['syncDirectory'],
    expected: { ...LOG_FAILS, ...UNNOTICED },
  },
  { place: 'vault blocks', moment: 'integration', calls: ['open'], expected: LOG_FAILS },
  {
    place: 'vault blocks',
    moment: 'integration',
    calls: ['write'],
    expected: {
      ...LOG_FAILS,
      short: LOG_WAITS,
      lying: { ...SOUND, verdict: 'INCOMPLETE', findings: ['payload-missing'] },
    },
  },
  {
    place: 'vault blocks',
    moment: 'integration',
    calls: ['sync', 'syncDirectory'],
    expected: { ...LOG_FAILS, ...UNNOTICED },
  },
  { place: 'spooled value', moment: 'large value', calls: ['open', 'rename'], expected: VALUE_FAILS },
  {
    place: 'spooled value',
    moment: 'large value',
    calls: ['write'],
    expected: VALUE_FAILS,
  },
  {
    place: 'spooled value',
    moment: 'large value',
    calls: ['sync', 'syncDirectory'],
    expected: { ...VALUE_FAILS, ...UNNOTICED },
  },
  {
    place: "gateway's vault key",
    moment: 'start',
    calls: ['open', 'write', 'sync', 'rename'],
    expected: {
      EIO: startRefused('CS_RECORD_FAILED'),
      ENOSPC: startRefused('CS_RECORD_FULL'),
      EROFS: startRefused('CS_RECORD_FAILED'),
    },
  },
  {
    place: 'state directory',
    moment: 'start',
    calls: ['makeDirectory'],
    expected: {
      EIO: startRefused('CS_RECORD_FAILED'),
      ENOSPC: startRefused('CS_RECORD_FULL'),
      EROFS: startRefused('CS_RECORD_FAILED'),
    },
  },
  {
    place: 'journal segment',
    moment: 'start',
    calls: ['open', 'allocate', 'write', 'sync'],
    expected: { EIO: startRefused('CS_RECORD_FAILED'), ENOSPC: startRefused('CS_RECORD_FULL') },
  },
  {
    place: 'data keys',
    moment: 'start',
    calls: ['makeDirectory', 'open', 'write', 'sync'],
    expected: { EIO: startRefused('CS_RECORD_FAILED'), ENOSPC: startRefused('CS_RECORD_FULL') },
  },
];

export interface Row {
  readonly fault: Fault;
  readonly expected: Outcome;
}

export const ROWS: readonly Row[] = GROUPS.flatMap(({ place, moment, calls, expected }) =>
  calls.flatMap((call) =>
    (Object.entries(expected) as [Kind, Outcome][]).map(([kind, outcome]) => ({
      fault: { place, moment, call, kind },
      expected: outcome,
    })),
  ),
);

/** Whether commands make progress while the fault lasts. */
function progress({ fault, expected }: Row): string {
  if (fault.moment === 'start') return 'no start';
  if (expected.fatal) return 'until noticed';
  if (fault.moment === 'large value' && expected.caller !== 'accepted') return 'all but this value';
  if (fault.moment === 'large value' && fault.kind === 'stalled') return 'all but this value, which waits';
  return expected.caller === 'accepted' ? 'yes' : 'no';
}

function recordSays({ expected }: Row): string {
  const { findings, gaps, restart, verdict } = expected;
  const details = [...gaps, ...findings];
  const after = restart === undefined ? '' : `; at the next start: ${restart}`;
  return `${verdict}${details.length === 0 ? '' : ` (${details.join(', ')})`}${after}`;
}

/** Rows that differ in the call or the kind only are one line of the document. */
export function tableText(): string {
  const lines = new Map<string, { calls: Set<string>; kinds: Set<string>; rest: string; head: string }>();
  for (const row of ROWS) {
    const { call, kind, moment, place } = row.fault;
    const { caller, fatal, ready } = row.expected;
    const sees = caller === 'accepted' ? 'nothing' : `\`${caller}\` ${ERROR_SURFACES[caller].sqlState}`;
    const rest = `${progress(row)} | ${fatal ? 'yes' : 'no'} | ${sees} | ${ready ? '200' : '503'} | ${recordSays(row)}`;
    const head = `${place} | ${moment}`;
    const key = `${head} | ${kind} | ${rest}`;
    const line = lines.get(key) ?? { calls: new Set(), kinds: new Set([kind]), rest, head };
    line.calls.add(call);
    lines.set(key, line);
  }
  const merged = new Map<string, { calls: string; kinds: string[]; rest: string; head: string }>();
  for (const { calls, head, kinds, rest } of lines.values()) {
    const named = [...calls].join(', ');
    const key = `${head} | ${named} | ${rest}`;
    const line = merged.get(key) ?? { calls: named, kinds: [], rest, head };
    line.kinds.push(...kinds);
    merged.set(key, line);
  }
  return [
    '| place | met at | call | fault | commands go on | fatal | the caller sees | `/ready` | what the record says afterwards |',
    '|---|---|---|---|---|---|---|---|---|',
    ...[...merged.values()].map(
      ({ calls, head, kinds, rest }) => `| ${head} | ${calls} | ${kinds.join(', ')} | ${rest} |`,
    ),
  ].join('\n');
}

if (import.meta.main) process.stdout.write(`${tableText()}\n`);
