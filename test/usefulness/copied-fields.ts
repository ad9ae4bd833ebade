/** Reads COPY data, of the text format (tabs) or of CSV (commas, doubled quotes), into its fields; NULL is `\N` or, in CSV, nothing. */

export function copiedFields(data: Buffer): readonly (readonly (Buffer | null)[])[] {
  const text = data.toString('utf8');
  if (text === '') return [];
  const lines = text.includes('\t') ? textLines(text) : csvLines(text);
  return lines.map((line) => line.map((field) => (field === null ? null : Buffer.from(field))));
}

function textLines(text: string): (string | null)[][] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => line.split('\t').map((field) => (field === String.raw`\N` ? null : field)));
}

function csvLines(text: string): (string | null)[][] {
  const lines: (string | null)[][] = [];
  let line: (string | null)[] = [];
  // A field, quoted or not, and what ends it.
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/gu)) {
    line.push(quoted === undefined ? (bare === '' ? null : (bare ?? null)) : quoted.replaceAll('""', '"'));
    if (end === '\n') {
      lines.push(line);
      line = [];
    }
  }
  return lines;
}
