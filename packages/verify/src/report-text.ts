/** A report as text: the verdict first, then what it rests on, then what was found. */

import type { VerifyReport } from './verify-log.ts';

function time(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString();
}

function windowLine(report: VerifyReport): string[] {
  const { unwitnessed, witnessed, witnessesRequired } = report;
  const lines = [
    `witnessed: ${witnessed}${witnessesRequired > 0 ? ` of ${witnessesRequired} required` : ''}`,
  ];
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

export function formatReport(report: VerifyReport): string {
  const { counts } = report;
  const lines: string[] = [report.verdict, `source: ${report.source}`];
  if (report.origin !== undefined) lines.push(`origin: ${report.origin}`);
  if (report.size !== undefined) lines.push(`checkpoint: ${report.size} leaves, root ${report.root}`);
  if (report.signedAtUs !== undefined) lines.push(`signed at: ${time(report.signedAtUs)}`);
  if (report.key !== undefined) lines.push(`key: ${report.key}`);
  if (!report.isKeyPinned) {
    lines.push(
      'warning: the key was read from the log itself, not given; it proves nothing about who signed (--key)',
    );
  }
  lines.push(
    ...windowLine(report),
    `read: ${counts.leaves} leaves, ${counts.sessions} sessions (${counts.openSessions} open), ${counts.calls} calls ` +
      `(${counts.openCalls} open, ${counts.denied} denied, ${counts.voided} voided, ${counts.inDoubt} in doubt)`,
  );
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
  return `${lines.join('\n')}\n`;
}
