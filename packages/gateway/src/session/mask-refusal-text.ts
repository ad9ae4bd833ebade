import type { ToldToClient } from '../errors.ts';
import type { LiveGrant } from '../grants/live-grant.ts';
import { MASK_REFUSAL_REASONS, type MaskRefusal, type MaskRefusalReason } from '../masking/refusal.ts';
import type { MaskingRules } from '../masking/rules.ts';
import { quoteName, TextNames } from './text-names.ts';

export interface MaskRefused {
  readonly grant: Pick<LiveGrant, 'id' | 'target' | 'masking'>;
  readonly rules: Pick<MaskingRules, 'minGroup'>;
  /** The command's kind, a word of the gateway. */
  readonly kind: string;
  readonly refusals: readonly MaskRefusal[];
  /** The text of the command; undefined: not at hand, then no column is named. */
  readonly text: string | undefined;
}

/** As docs/refusals.md has it. */
interface RefusedItem {
  readonly reason: MaskRefusalReason;
  readonly classes: readonly string[];
  /** Those that the text itself names. */
  readonly columns?: readonly string[];
  readonly budget?: MaskRefusal['budget'];
}

/** Where a masked value came back in data that is not read as a statement: of COPY, of parameters, of a function call. */
export const MASKED_VALUE_CAME_BACK: ToldToClient = {
  detail: 'The data has a masked value (a redaction or token) in it.',
  hint: 'A masked value is not the real one: leave the column out of the statement.',
};

const MAX_ITEMS = 20;
const MAX_COLUMNS = 20;
/** Names are looked for in the text on the data thread: beyond these bounds none is told. */
const MAX_TEXT_LENGTH = 16_384;
const MAX_NAMES = 100;

/**
 * What a client is told of a command that would let out something regulated other than through its masked answer. Depends on the text, the catalog and
 * what the owner has asked for before, never on a value in the target. Columns are told only as the caller wrote them.
 */
export function tellMaskRefusal(refused: MaskRefused): ToldToClient {
  const { grant, rules, kind } = refused;
  const all = itemsOf(refused);
  const items = all.slice(0, MAX_ITEMS);
  const more = all.length - items.length;
  const command = kind === 'unknown' ? 'statement' : kind;
  const structured = {
    refused: refused.refusals[0]?.code,
    grant: grant.id,
    target: grant.target,
    command,
    reasons: items,
    ...(more === 0 ? {} : { more }),
  };
  const lines = [
    ...items.map((item) => sentenceOf(item)),
    ...(more === 0 ? [] : [`And ${more} more.`]),
    JSON.stringify(structured),
  ];
  const advice = [...new Set(items.map((item) => adviceOf(item, rules)))].filter(isThere);
  const hint = [...advice, ...askingFor(items, grant, advice.length > 0)].join(' ');
  return hint === '' ? { detail: lines.join('\n') } : { detail: lines.join('\n'), hint };
}

function itemsOf({ refusals, text }: MaskRefused): readonly RefusedItem[] {
  const objects = new Set(refusals.flatMap((refusal) => refusal.objects));
  const isBounded = text !== undefined && text.length <= MAX_TEXT_LENGTH && objects.size <= MAX_NAMES;
  const names = isBounded ? new TextNames(text) : undefined;
  const items = new Map<string, RefusedItem>();
  for (const { reason, classes, objects: found, budget } of refusals) {
    const columns = names === undefined ? [] : columnsOf(found, names);
    const item = {
      reason,
      classes: classes.map((name) => (name === '*' ? 'any' : name)),
      ...(columns.length === 0 ? {} : { columns }),
      ...(budget === undefined ? {} : { budget }),
    };
    items.set(JSON.stringify(item), item);
  }
  return [...items].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

/** Of `schema.relation.column` the last part, if the text has it. */
function columnsOf(objects: readonly string[], names: TextNames): readonly string[] {
  const columns = objects.map((object) => object.slice(object.lastIndexOf('.') + 1));
  const written = columns.filter((column) => column !== '' && names.has(column));
  return [...new Set(written.map((column) => quoteName(column)))].toSorted().slice(0, MAX_COLUMNS);
}

function sentenceOf({ reason, classes, columns, budget }: RefusedItem): string {
  const what = `values of class ${classes.join(', ')}`;
  const named =
    columns === undefined ? '' : ` (column${columns.length === 1 ? '' : 's'} ${columns.join(', ')})`;
  const counted =
    budget === undefined
      ? ''
      : `: ${budget.asked} more, of ${budget.values} in a ${budget.period} ${budget.used} were asked for`;
  return `It ${MASK_REFUSAL_REASONS[reason]} ${what}${named}${counted}.`;
}

/** What may be written instead. */
function adviceOf({ reason, classes }: RefusedItem, { minGroup }: MaskRefused['rules']): string {
  switch (reason) {
    case 'group':
    case 'aggregate':
      return `It runs if every level that groups says GROUP BY … HAVING count(*) >= ${minGroup}; count(…) is always free.`;
    case 'range':
    case 'pattern':
    case 'comparison':
      return 'Equality with constants or parameters, within a budget, and with columns of the same class is allowed; IS NULL is free.';
    case 'order':
      return 'Order by a column that is not classified.';
    case 'fallible':
    case 'derived':
      return 'Select the column itself: it is masked in the answer.';
    case 'opaque':
      return 'What an own routine carries can be declared under masking.routines.';
    case 'lossy':
      return `Write in a session that read no masked values, or ask for writeClasses: [${classes.join(', ')}].`;
    case 'write':
      return `Leave the column out, or ask for writeClasses: [${classes.join(', ')}].`;
    case 'masked-value':
      return MASKED_VALUE_CAME_BACK.hint ?? '';
    case 'budget':
      return `Ask for budgets: { ${classes.map((name) => `${name}: { values: …, per: … }`).join(', ')} }.`;
    case 'uncountable':
      return 'Give the values as constants, parameters or an array of text.';
    default:
      return '';
  }
}

/** What lets the statement run as it is. A masked value that comes back is refused whatever is granted. */
function askingFor(
  items: readonly RefusedItem[],
  { id, masking: { unmask }, target }: MaskRefused['grant'],
  isAlternative: boolean,
): readonly string[] {
  const needed = new Set(
    items.filter(({ reason }) => reason !== 'masked-value').flatMap((item) => item.classes),
  );
  const classes = needed.has('any') ? ['all'] : [...needed].toSorted();
  // What the grant says and is not let out all the same, no policy permits: another grant would not help.
  const isSaid = (name: string): boolean => unmask === 'all' || unmask.has(name);
  const unsaid = classes.filter((name) => !isSaid(name));
  const unpermitted = classes.filter(isSaid);
  const asked = `sk the owner of target ${target} `;
  const sentences = [
    ...(unsaid.length === 0 ? [] : [`${asked}to extend grant ${id} by unmask: [${unsaid.join(', ')}].`]),
    ...(unpermitted.length === 0
      ? []
      : [
          `${asked}for a policy: grant ${id} unmasks ${unpermitted.join(', ')}, and no policy permits the action unmask for it.`,
        ]),
  ];
  return sentences.map((sentence, at) => (at === 0 && isAlternative ? `Or a${sentence}` : `A${sentence}`));
}

const isThere = (text: string): boolean => text !== '';
