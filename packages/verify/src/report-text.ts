/** A report as text: the verdict first, then what it rests on, then what was found. */

import type { VerifyReport } from './verify-log.ts';

/** Characters that move a terminal's cursor or turn its text around: what a log says of itself must not repaint the verdict. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** The text with such characters as escapes of JSON. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (characters) =>
    characters
      .split('')
      .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Columns of a line for people. */
const WIDTH = 80;

/**
 * A line as several of at most {@link WIDTH} columns, broken at spaces and indented after the first. What has no space, such
 * as a key or a path, stays in one piece: it is there to be copied.
 */
function wrap(text: string): string {
  const lead = /^ */.exec(text)![0];
  const [first = '', ...words] = text.slice(lead.length).split(' ');
  const lines: string[] = [];
  let line = `${lead}${first}`;
  for (const word of words) {
    if (line.length + 1 + word.length <= WIDTH) {
      line += ` ${word}`;
    } else {
      lines.push(line);
      line = `${lead}  ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

function time(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString();
}

/** What others vouch for, and what is left that nobody does. */
function witnessLines(report: VerifyReport): string[] {
  const { unwitnessed, witnessed, witnessedAt, witnessesNamed, witnessesRequired } = report;
  const required = witnessesRequired > 0 ? ` of ${witnessesRequired} required` : '';
  const at = witnessedAt === undefined ? '' : `, newest cosignature ${time(witnessedAt * 1_000_000)}`;
  const lines = [`witnessed: ${witnessed}${required}${at}`];
  if (witnessed === 0 && witnessesRequired === 0 && witnessesNamed.length === 0)
    lines.push('  no witness was asked for (--witness), and the log names none');
  if (unwitnessed === undefined) return lines;
  const { fromUs, toUs } = unwitnessed;
  const span = fromUs === undefined || toUs === undefined ? '' : ` (${time(fromUs)} to ${time(toUs)})`;
  lines.push(`unwitnessed window: ${unwitnessed.leaves} leaves, ${unwitnessed.seconds} seconds${span}`);
  if (unwitnessed.leaves > 0) {
    lines.push(
      '  whoever holds the log key could have rewritten this window; compare with an earlier checkpoint (--earlier)',
    );
  }
  return lines;
}

function timestampLines({ timestamps }: VerifyReport): string[] {
  if (timestamps === undefined || timestamps.recorded === 0) return [];
  const { newest, recorded, trusted } = timestamps;
  if (newest === undefined)
    return [`time stamps: ${recorded} recorded, their authority not checked (--tsa-ca)`];
  const { authority, size, timeUs } = newest;
  return [
    `TIMESTAMPED: ${trusted} of ${recorded} time stamps; the first ${size} leaves existed at ${time(timeUs)}, says ${authority}`,
  ];
}

export function formatReport(report: VerifyReport): string {
  const { counts } = report;
  const lines: string[] = [report.verdict, `source: ${report.source}`];
  if (report.origin !== undefined) lines.push(`origin: ${report.origin}`);
  if (report.size !== undefined) lines.push(`checkpoint: ${report.size} leaves, root ${report.root}`);
  if (report.signedAtUs !== undefined) lines.push(`signed at: ${time(report.signedAtUs)}`);
  if (report.key !== undefined) lines.push(`key: ${report.key}`);
  // Where none was read, that is a finding of its own.
  if (!report.isKeyPinned && report.key !== undefined) {
    lines.push(
      'warning: the key was read from the log itself, not given; it proves nothing about who signed (--key)',
    );
  }
  lines.push(
    ...witnessLines(report),
    ...timestampLines(report),
    `read: ${counts.leaves} leaves, ${counts.sessions} sessions (${counts.openSessions} open), ${counts.calls} calls ` +
      `(${counts.openCalls} open, ${counts.denied} denied, ${counts.voided} voided, ${counts.inDoubt} in doubt)`,
  );
  if (counts.erasures > 0) {
    lines.push(`erasures: ${counts.erasures}; the contents are gone as the record states, the proofs stay`);
  }
  for (const [journal, jseq] of Object.entries(report.journals))
    lines.push(`journal ${journal}: 0 to ${jseq}`);
  for (const gap of report.gaps) {
    lines.push(
      `gap: ${gap.kind} (${gap.cause}) at leaf ${gap.index}, ${time(gap.atUs)}, ${gap.lost} leaves lost`,
    );
  }
  for (const { code, index, message, verdict } of report.findings) {
    lines.push(`${verdict}: ${code}${index === undefined ? '' : ` at leaf ${index}`}: ${message}`);
  }
  const rest = report.findingsTotal - report.findings.length;
  if (rest > 0) lines.push(`${rest} further findings are not listed`);
  return `${lines.map((line) => wrap(printable(line.replaceAll('\n', ' ')))).join('\n')}\n`;
}
