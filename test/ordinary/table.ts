/** Prints the tables of docs/ordinary.md: `node test/ordinary/table.ts`. The test holds the document to it. */
import { CORPUS } from './corpus.ts';
import { KNOWN_REFUSALS } from './known-refusals.ts';

export function corpusTable(): string {
  const rows = CORPUS.map(({ from, name, scope, statements }) => {
    const refused = KNOWN_REFUSALS.filter(({ id }) => statements.some((statement) => statement.id === id));
    return `| ${name}: ${from.replace(`${name} `, '')} | ${statements.length} | ${scope} | ${refused.length} |`;
  });
  const count = CORPUS.reduce((sum, { statements }) => sum + statements.length, 0);
  return [...rows, `| together | ${count} | | ${KNOWN_REFUSALS.length} |`].join('\n');
}

export function refusalTable(): string {
  return KNOWN_REFUSALS.map(({ id, why }) => `| ${id} | ${why} |`).join('\n');
}

if (import.meta.main) process.stdout.write(`${corpusTable()}\n\n${refusalTable()}\n`);
