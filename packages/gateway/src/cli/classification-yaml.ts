import type { ClassificationProposal, ProposedColumn } from '../api/classify.ts';
import type { ClassBinding } from '../config/masking-grants.ts';

/** Comments hold no more of what could not be read. */
const MAX_UNREAD = 20;

/**
 * What `countersign classify` proposes, as the part of a configuration that takes the place of `targets.<t>.classes`: what that has already, and what was
 * found besides. Evidence stands in comments: counts and fixed words, never a value.
 *
 * @param configured `targets.<t>.classes` as it is.
 */
export function formatClassification(
  proposal: ClassificationProposal,
  configured: readonly ClassBinding[],
): string {
  const { target, database, epoch, sample, relations, unread } = proposal;
  const read = sample === 0 ? 'names and types alone' : `at most ${sample} rows of each`;
  const lines = [
    `# Proposed by countersign classify ${target}: ${relations} tables of ${commentText(database)}, ${read}; catalog ${epoch}.`,
    `# Nothing of this is in force. Review it, and put it in place of targets.${target}.classes.`,
    ...unread
      .slice(0, MAX_UNREAD)
      .map(
        ({ schema, relation, reason }) => `# Not read: ${commentText(`${schema}.${relation}`)} (${reason})`,
      ),
    ...(proposal.recogniser === undefined ? [] : [`# The recogniser: ${proposal.recogniser}.`]),
    ...(unread.length > MAX_UNREAD ? [`# Not read: ${unread.length - MAX_UNREAD} more`] : []),
  ];
  const entries = entriesOf(proposal.columns, configured);
  if (entries.size === 0) return [...lines, 'targets:', `  ${target}:`, '    classes: {}', ''].join('\n');
  lines.push('targets:', `  ${target}:`, '    classes:');
  for (const [relation, columns] of [...entries].toSorted(([one], [other]) => byText(one, other))) {
    // A relation all of whose columns have their class in the target itself is nothing but a comment.
    const isComment = columns.every(({ setting }) => setting === undefined);
    lines.push(`      ${isComment ? '# ' : ''}${yamlText(relation)}:`);
    for (const { setting, note } of columns)
      lines.push(setting === undefined ? `        # ${note}` : `        ${setting} # ${note}`);
  }
  return [...lines, ''].join('\n');
}

interface Entry {
  /** `column: class`; absent: the class stands in the target itself. */
  readonly setting?: string;
  readonly note: string;
}

function entriesOf(
  columns: readonly ProposedColumn[],
  configured: readonly ClassBinding[],
): ReadonlyMap<string, readonly Entry[]> {
  const entries = new Map<string, Entry[]>();
  const add = (schema: string, relation: string, entry: Entry): void => {
    const key = qualifiedText(schema, relation);
    const known = entries.get(key);
    if (known === undefined) entries.set(key, [entry]);
    else known.push(entry);
  };
  const found = new Map(columns.map((each) => [keyOf(each), each]));
  for (const binding of configured) {
    const { schema, relation, column, class: name } = binding;
    const seen = found.get(keyOf(binding));
    found.delete(keyOf(binding));
    const note = configuredNote(name, seen);
    add(schema, relation, { setting: `${yamlText(column)}: ${name}`, note });
  }
  for (const each of found.values()) {
    const { schema, relation, column, class: name, current } = each;
    if (current === undefined && name !== undefined)
      add(schema, relation, { setting: `${yamlText(column)}: ${name}`, note: evidence(each) });
    else if (current !== undefined) add(schema, relation, { note: inTheTarget(each) });
  }
  return entries;
}

/** Views are not looked at, and another database may have what this one has not. */
function configuredNote(name: string, seen: ProposedColumn | undefined): string {
  if (seen === undefined) return 'as configured; no table of this database has such a column';
  return seen.class === undefined || seen.class === name
    ? 'in force'
    : `in force; looks like ${seen.class}: ${evidence(seen)}`;
}

/** By a comment, a label, or a parent's class. */
function inTheTarget(column: ProposedColumn): string {
  const { column: name, current = '', class: proposed } = column;
  const said = `${commentText(name)} has its class without this: ${current === '*' ? 'one that is not known, so any' : current}`;
  return proposed === undefined || proposed === current
    ? said
    : `${said}; looks like ${proposed}: ${evidence(column)}`;
}

function evidence({ why, type }: ProposedColumn): string {
  return [...why, type].map(commentText).join(', ');
}

function keyOf({ schema, relation, column }: { schema: string; relation: string; column: string }): string {
  return JSON.stringify([schema, relation, column]);
}

/** As scopes and classes write it: odd parts in double quotes. */
function qualifiedText(schema: string, name: string): string {
  return [schema, name]
    .map((part) => (/^[^"*.\s]+(?: [^"*.\s]+)*$/u.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.');
}

const YAML_WORDS = /^(?:y|n|yes|no|on|off|true|false|null|~)$/i;

/** A key as YAML reads it again: JSON strings are YAML too. */
function yamlText(text: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.$-]*$/.test(text) && !YAML_WORDS.test(text) ? text : JSON.stringify(text);
}

/** One line, whatever a name has in it. */
function commentText(text: string): string {
  return text.replaceAll(/[^\P{C} ]|[\u2028\u2029\u0085]/gu, '?');
}

function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
