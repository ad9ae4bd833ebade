import { z } from 'zod';

import type { ClassName, MaskingGrant } from '../masking/rules.ts';
import type { RecogniserConfig } from './masking-section.ts';
import { BUILT_IN_CLASS_NAMES, wordOf } from './masking-section.ts';
import type { MaskingConfig } from './masking-section.ts';
import { isLoopbackHost } from './addresses.ts';
import { nearestKey } from './nearest-key.ts';
import type { SectionProblem } from './problem.ts';
import { parseQualified, problemOfPlain, problemOfQualified } from './scope-section.ts';

/** What targets and grants say about masking: classes of columns, and who may see, write and ask for what. */

/** Where a class of a column may stand. */
export type ClassOrigin = 'configuration' | 'comments' | 'labels';

/** One column of `targets.<t>.classes`. Names are exact, as the catalog has them. */
export interface ClassBinding {
  readonly schema: string;
  readonly relation: string;
  readonly column: string;
  readonly class: ClassName;
  /** The relation as the file has it, for places in messages. */
  readonly written: string;
}

const ORIGINS = ['configuration', 'comments', 'labels'] as const;
export const DEFAULT_CLASS_ORIGINS: readonly ClassOrigin[] = ORIGINS;

const MAX_COLUMNS = 100_000;

/** `targets.<t>.classes`: `schema.relation` → column → class. */
export const classesSection = z
  .record(z.string(), z.record(z.string(), z.string()))
  .superRefine((relations, context) => {
    const seen = new Map<string, string>();
    let count = 0;
    for (const [relation, columns] of Object.entries(relations)) {
      const problem = problemOfQualified(relation);
      if (problem !== undefined) {
        context.addIssue({ code: 'custom', path: [relation], message: problem });
        continue;
      }
      for (const column of Object.keys(columns)) {
        count += 1;
        const message = columnProblem(column, relation, seen);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [relation, column], message });
      }
    }
    if (count > MAX_COLUMNS)
      context.addIssue({ code: 'custom', message: `must have at most ${MAX_COLUMNS} columns` });
  })
  .describe('Classes of columns: schema.relation, column, class. countersign classify proposes them.');

/** `public.t` and `"public".t` are one relation. */
function columnProblem(column: string, relation: string, seen: Map<string, string>): string | undefined {
  const problem = problemOfPlain(column);
  if (problem !== undefined) return problem;
  const key = JSON.stringify([...(parseQualified(relation) ?? []), column]);
  const before = seen.get(key);
  if (before !== undefined) return 'this column is given twice: the relation is written in two ways';
  seen.set(key, relation);
  return undefined;
}

export const classesFromSection = z
  .array(wordOf(ORIGINS as unknown as [ClassOrigin, ...ClassOrigin[]]))
  .min(1)
  .default([...ORIGINS])
  .describe(
    'Where classes of columns may stand: in this file, in comments of columns (countersign:class=ssn), in security labels.',
  );

export function assembleClasses(shape: z.infer<typeof classesSection>): readonly ClassBinding[] {
  return Object.entries(shape).flatMap(([text, columns]) => {
    const [schema, relation] = parseQualified(text) ?? [];
    if (schema === undefined || relation === undefined)
      throw new Error('the schema admits only names that parse');
    return Object.entries(columns).map(([column, name]) => ({
      schema,
      relation,
      column,
      class: name,
      written: text,
    }));
  });
}

const MAX_NAMED = 1_000;
const classList = (what: string) => z.array(z.string()).max(MAX_NAMED).describe(what);

/** Keys of a grant. */
export const maskingGrantKeys = {
  unmask: classList(
    'Classes that leave as they are, or [all]. A policy must permit the action unmask as well. Absent: none.',
  ).optional(),
  writeClasses: classList(
    'Classes whose columns may be written although masked values of the class were delivered before, or [all].',
  ).optional(),
  budgets: z
    .record(
      z.string(),
      z.strictObject({
        values: z.int().min(1).max(1_000_000).describe('How many distinct values.'),
        per: wordOf(['hour', 'day', 'week', 'month']).default('day').describe('In which time.'),
      }),
    )
    .optional()
    .describe(
      'Distinct values of a class that may be asked for by equality, counted per owner of the principal. Absent: none may.',
    ),
};

interface GrantShape {
  readonly unmask?: readonly string[] | undefined;
  readonly writeClasses?: readonly string[] | undefined;
  readonly budgets?:
    | Readonly<Record<string, { readonly values: number; readonly per: 'hour' | 'day' | 'week' | 'month' }>>
    | undefined;
}

/** Undefined: the grant says nothing of masking. */
export function assembleMaskingGrant({
  unmask,
  writeClasses,
  budgets,
}: GrantShape): MaskingGrant | undefined {
  if (unmask === undefined && writeClasses === undefined && budgets === undefined) return undefined;
  return {
    unmask: classSet(unmask),
    writeClasses: classSet(writeClasses),
    budgets: new Map(
      Object.entries(budgets ?? {}).map(([name, { values, per }]) => [name, { values, period: per }]),
    ),
  };
}

function classSet(names: readonly string[] = []): ReadonlySet<ClassName> | 'all' {
  return names.includes('all') ? 'all' : new Set(names);
}

interface TargetToCheck {
  readonly name: string;
  readonly classes?: readonly ClassBinding[];
  readonly classesFrom?: readonly ClassOrigin[];
}

interface GrantToCheck {
  readonly id: string;
  readonly target: string;
  readonly masking?: MaskingGrant;
}

/** What the schema cannot see: classes that nobody defines, rules that nothing enforces, grants that let everything out. */
export function checkMasking(
  masking: MaskingConfig | undefined,
  targets: readonly TargetToCheck[],
  grants: readonly GrantToCheck[],
): readonly SectionProblem[] {
  const known = masking === undefined ? BUILT_IN_CLASS_NAMES : [...masking.rules.classes.keys()];
  const isConfigured = masking !== undefined;
  return [
    ...(masking?.recogniser === undefined ? [] : checkRecogniser(masking.recogniser)),
    ...targets.flatMap((target) => checkClasses(target, known, isConfigured)),
    ...grants.flatMap((grant, index) => checkGrant(grant, index, known, isConfigured)),
  ];
}

function checkRecogniser({ url }: RecogniserConfig): readonly SectionProblem[] {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopbackHost(hostname.replaceAll(/^\[|\]$/g, ''))) return [];
  return [
    {
      severity: 'error',
      path: ['masking', 'recogniser', 'url'],
      message: 'plain HTTP beyond loopback: texts that may be regulated could be read on their way',
      hint: 'use https, or run the service beside the gateway',
    },
  ];
}

const NOT_MASKED = 'nothing is masked without a section masking';

function checkClasses(
  { name, classes = [], classesFrom = ORIGINS }: TargetToCheck,
  known: readonly ClassName[],
  isConfigured: boolean,
): readonly SectionProblem[] {
  const path = ['targets', name, 'classes'];
  if (classes.length > 0 && !isConfigured)
    return [{ severity: 'error', path, message: NOT_MASKED, hint: 'add one, with at least a key' }];
  const isRead = classesFrom.includes('configuration');
  if (classes.length > 0 && !isRead)
    return [
      {
        severity: 'error',
        path,
        message: 'classesFrom leaves the configuration out: these classes do not count',
      },
    ];
  if (isConfigured && classes.length === 0 && classesFrom.every((origin) => origin === 'configuration')) {
    const message = `no column of ${name} can have a class: there are none here, and comments and labels are left out`;
    return [{ severity: 'warning', path: ['targets', name, 'classesFrom'], message }];
  }
  return classes
    .filter((binding) => !known.includes(binding.class))
    .map((binding) => unknownClass([...path, binding.written, binding.column], binding.class, known));
}

function checkGrant(
  { id, masking }: GrantToCheck,
  index: number,
  known: readonly ClassName[],
  isConfigured: boolean,
): readonly SectionProblem[] {
  if (masking === undefined) return [];
  const problems: SectionProblem[] = [];
  const path = ['grants', index];
  for (const key of ['unmask', 'writeClasses'] as const) {
    const names = masking[key];
    if (names === 'all') continue;
    for (const [place, name] of [...names].entries())
      if (!known.includes(name)) problems.push(unknownClass([...path, key, place], name, known));
  }
  for (const name of masking.budgets.keys())
    if (!known.includes(name)) problems.push(unknownClass([...path, 'budgets', name], name, known));
  if (!isConfigured) {
    const key = (['unmask', 'writeClasses'] as const).find(
      (each) => masking[each] === 'all' || masking[each].size > 0,
    );
    return [
      ...problems,
      {
        severity: 'error',
        path: [...path, key ?? 'budgets'],
        message: NOT_MASKED,
        hint: 'add one, or take the key out',
      },
    ];
  }
  if (masking.unmask === 'all')
    problems.push({
      severity: 'warning',
      path: [...path, 'unmask'],
      message: `${id} lets every regulated value out, those of classes to come and of unknown origin too`,
      hint: 'name the classes that it needs',
    });
  return problems;
}

function unknownClass(
  path: readonly PropertyKey[],
  name: string,
  known: readonly ClassName[],
): SectionProblem {
  const near = nearestKey(name, known);
  return {
    severity: 'error',
    path,
    message: 'no such class',
    hint: near === undefined ? `there are: ${known.slice(0, 20).join(', ')}` : `did you mean ${near}?`,
  };
}
