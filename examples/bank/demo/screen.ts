/** What the demo prints for people. */
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import { AGENTS } from './agent.ts';
import type { AgentName, ToolAnswer } from './agent.ts';
import type { DemoFacts } from './facts.ts';
import type { DemoFolder } from './folder.ts';
import type { MaskedColumn, RecordedCall, Verification } from './record.ts';

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
    `  MCP servers  ${facts.mcp['report-agent']}   run_report, run_sql`,
    `               ${facts.mcp['service-agent']}   the same for another agent`,
  ];
}

/** What the model sees of a refusal. The document for programs is cut: it says what the lines before it say. */
function refusalLines(text: string): readonly string[] {
  const lines = text.split('\n');
  const hasDocument = lines.some((line) => line.startsWith('{'));
  return (hasDocument ? lines : lines.slice(0, 1)).map((line) =>
    line.startsWith('{') ? shorten(line, WIDTH - 6) : wrap(line, WIDTH - 6, '      '),
  );
}

/** How many, and the first one where something in it was masked. */
function rowsLines({ agent, firstRow = {}, rows = 0 }: ToolAnswer): readonly string[] {
  const count = `${rows} ${rows === 1 ? 'row' : 'rows'}`;
  if (agent !== 'service-agent') return [count];
  const columns = Object.entries(firstRow);
  const width = Math.max(...columns.map(([name]) => name.length));
  const values = columns.map(
    ([name, value]) => `${name.padEnd(width)}  ${shorten(String(value), WIDTH - 10 - width)}`,
  );
  return [`${count}, the first:`, ...values.map((line) => `  ${line}`)];
}

function answerLines(answer: ToolAnswer): readonly string[] {
  const given = Object.values(answer.arguments).join(' … ');
  const mark = answer.ok ? colour('green', '✔') : colour('red', '✖');
  const [outcome = '', ...more] = answer.ok ? rowsLines(answer) : refusalLines(answer.text);
  return [
    `  ${mark} ${answer.tool.padEnd(10)} ${shorten(given.replaceAll(/\s+/g, ' '), WIDTH - 14)}`,
    colour('dim', `    ${answer.what}`),
    `    → ${outcome}`,
    ...more.map((line) => `      ${line}`),
  ];
}

export function trafficLines(answers: readonly ToolAnswer[]): readonly string[] {
  const linesOf = (name: AgentName): readonly string[] =>
    [heading(`Tool calls of ${name}, over MCP`)].concat(
      answers.filter(({ agent }) => agent === name).flatMap(answerLines),
    );
  return AGENTS.flatMap(linesOf);
}

/** What left masked: class, how, how many values, and from where. */
function maskedLines(masked: readonly MaskedColumn[]): readonly string[] {
  return masked.map(({ class: name, count, object, transform }) =>
    shorten(`masked ${name}: ${transform}, ${count} of ${object}`, WIDTH - 23),
  );
}

function callLines(call: RecordedCall): readonly string[] {
  const { decidedBy, denied, index, masked, objects, outcome, principal, statement } = call;
  const touched = objects.length === 0 ? [] : [shorten(objects.join(', '), WIDTH - 23)];
  return [
    `  ${String(index).padStart(5)}  ${principal.padEnd(13)} ${shorten(statement, WIDTH - 22)}`,
    ...[
      ...touched,
      wrap(
        `${denied ? 'denied' : 'permitted'} by ${decidedBy.join(', ')}: ${outcome}`,
        WIDTH - 23,
        ' '.repeat(23),
      ),
      ...maskedLines(masked),
    ].map((line) => colour('dim', `${' '.repeat(23)}${line}`)),
  ];
}

/** Of the report: how much was read, and who else has seen it. */
const ESSENTIAL = /^(?:checkpoint|witnessed|unwitnessed window|read):/;

/** The verdict, and the essential lines with those that are indented under them. */
function verdictLines({ text, verdict }: Verification): readonly string[] {
  let isShown = false;
  const shown = text.split('\n').filter((line) => {
    if (!line.startsWith('  ')) isShown = ESSENTIAL.test(line);
    return isShown;
  });
  return [
    colour(verdict.startsWith('VERIFIED') ? ['green', 'bold'] : 'bold', `  ${verdict}`),
    ...shown.map((line) => `  ${line}`),
  ];
}

export function recordLines(calls: readonly RecordedCall[], verification: Verification): readonly string[] {
  return [
    heading('On the record (leaf, principal, statement; what it touches; who decided)'),
    ...calls.flatMap(callLines),
    heading('countersign log verify, in short'),
    ...verdictLines(verification),
  ];
}

/** `text` is what `countersign explain` printed of `sql`. */
export function explainLines(sql: string, text: string): readonly string[] {
  const lines = text.split('\n').map((line) => {
    const indent = /^ */.exec(line)?.[0] ?? '';
    return line === '' ? line : `  ${indent}${wrap(line.trim(), WIDTH - indent.length, `    ${indent}`)}`;
  });
  return [heading(`countersign explain bank "${sql}"`), ...lines];
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
    '  ask what a statement would do, without running it:',
    command(
      `npm run -s countersign -- explain bank "DELETE FROM bank.cards" \\\n    --config ${typed(folder.configFile)}`,
    ),
    '  then look at the record, and check all of it:',
    command(
      `npm run -s countersign -- log show ${log} --principal operator --last 8 \\\n    --custodian-key ${typed(folder.custodianKeyFile)}`,
    ),
    command(`npm run -s countersign -- log verify ${log}`),
    '',
    `  Addresses and credentials for scripts: ${typed(folder.demoFile)}`,
    `  ${colour('bold', 'Ctrl-C')} stops everything; the next start goes on with the same data.`,
  ];
}
