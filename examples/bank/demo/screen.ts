/** What the demo prints for people. */
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import type { ToolAnswer } from './agent.ts';
import type { DemoFacts } from './facts.ts';
import type { DemoFolder } from './folder.ts';
import type { RecordedCall, Verification } from './record.ts';

const WIDTH = 78;

/** Colours only on a terminal, and not with NO_COLOR. */
const colour = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout });

const heading = (text: string): string => `\n${colour('bold', text)}`;

const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;

/** Breaks at blanks; lines after the first begin with `indent`. */
function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines.join(`\n${indent}`);
}

export function print(lines: readonly string[] | string): void {
  process.stdout.write(`${typeof lines === 'string' ? lines : lines.join('\n')}\n`);
}

export function progress(text: string): void {
  print(colour('dim', `  ${text}`));
}

export function partsLines(facts: DemoFacts): readonly string[] {
  return [
    heading('Running'),
    `  database     127.0.0.1:${facts.ports.database}   PostgreSQL 18, 100,000 transactions`,
    `  gateway      127.0.0.1:${facts.ports.gateway}   records every statement before it has effect`,
    `  MCP server   ${facts.mcp.url}   run_report, run_sql`,
  ];
}

function answerLines(answer: ToolAnswer): readonly string[] {
  const given = Object.values(answer.arguments).join(' … ');
  const mark = answer.ok ? colour('green', '✔') : colour('red', '✖');
  const outcome = answer.ok
    ? `${answer.rows ?? 0} rows`
    : wrap(answer.text.split('\n')[0] ?? '', WIDTH - 6, '      ');
  return [
    `  ${mark} ${answer.tool.padEnd(10)} ${shorten(given, WIDTH - 14)}`,
    colour('dim', `    ${answer.what}`),
    `    → ${outcome}`,
  ];
}

export function trafficLines(answers: readonly ToolAnswer[]): readonly string[] {
  return [heading('Tool calls of the agent, over MCP'), ...answers.flatMap(answerLines)];
}

export function recordLines(calls: readonly RecordedCall[], verification: Verification): readonly string[] {
  const rows = calls.map(({ index, principal, statement, outcome }) => [
    `  ${String(index).padStart(5)}  ${principal.padEnd(13)} ${shorten(statement, WIDTH - 22)}`,
    colour('dim', `                       ${outcome}`),
  ]);
  const report = verification.text.split('\n').map((line, place) => {
    const text = `  ${line}`;
    return place === 0 ? colour(line.startsWith('VERIFIED') ? ['green', 'bold'] : 'bold', text) : text;
  });
  return [
    heading('The same on the record (leaf, principal, statement, outcome)'),
    ...rows.flat(),
    heading('countersign log verify'),
    ...report,
  ];
}

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A path as it is typed where npm was called: that is where `npm run countersign` looks for it. */
function typed(path: string): string {
  const near = relative(process.env['INIT_CWD'] ?? ROOT, path);
  return near.startsWith('..') ? path : near;
}

export function nextLines(facts: DemoFacts, folder: DemoFolder): readonly string[] {
  const log = typed(folder.logDirectory);
  const password = folder.passwords.operator;
  const command = (text: string): string => `  ${colour('cyan', text)}`;
  return [
    heading('Try'),
    '  as a person, with psql:',
    command(`PGPASSWORD=${password} \\\n    psql -h 127.0.0.1 -p ${facts.ports.gateway} -U operator bank`),
    '  as an agent, with the MCP Inspector:',
    command(
      `npx -y @modelcontextprotocol/inspector --cli ${facts.mcp.url} \\\n    --transport http --method tools/call --tool-name run_sql \\\n    ` +
        `--tool-arg "sql=SELECT count(*) FROM bank.transactions"`,
    ),
    '  then look at the record, and check all of it:',
    command(
      `npm run -s countersign -- log show ${log} --last 8 \\\n    --custodian-key ${typed(folder.custodianKeyFile)}`,
    ),
    command(`npm run -s countersign -- log verify ${log}`),
    '',
    `  Addresses and credentials for scripts: ${typed(folder.demoFile)}`,
    `  ${colour('bold', 'Ctrl-C')} stops everything; the next start goes on with the same data.`,
  ];
}
