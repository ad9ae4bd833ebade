import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { BUILT_IN_CLASSES, ClassName, ClassRule, MaskingRules, Transform } from '../masking/rules.ts';
import type { SecretRef } from './config.ts';
import { nearestKey } from './nearest-key.ts';
import { duration, GIB, KIB, secretRef, size } from './schema-parts.ts';
import { parseQualified, problemOfQualified } from './scope-section.ts';

/** The `masking` section: what is regulated and what happens to it (docs/masking.md). */
export interface MaskingConfig {
  /** What all keys of masking are derived from: 32 bytes or more. */
  readonly key: SecretRef;
  readonly rules: MaskingRules;
  /** Absent: only the built-in detectors read texts. Answers of targets it never sees. */
  readonly recogniser?: RecogniserConfig;
}

/** A service that finds more in texts than the built-in detectors (Presidio's analyzer protocol). */
export interface RecogniserConfig {
  readonly url: string;
  readonly timeoutMs: number;
}

type BuiltInClass = (typeof BUILT_IN_CLASSES)[number];

/** The compiler notices when masking/rules.ts has another list. */
const DEFAULT_TRANSFORMS: Readonly<Record<BuiltInClass, Transform>> = {
  ssn: { kind: 'redact' },
  pan: { kind: 'keep-last', count: 4 },
  account_number: { kind: 'keep-last', count: 4 },
  email: { kind: 'email-domain' },
  phone: { kind: 'redact' },
  name: { kind: 'redact' },
  dob: { kind: 'year' },
  address: { kind: 'redact' },
  free_text: { kind: 'detect' },
  secret: { kind: 'redact' },
  ip: { kind: 'redact' },
};

const TRANSFORM_KINDS: Readonly<Record<Transform['kind'], true>> = {
  redact: true,
  null: true,
  'keep-last': true,
  'email-domain': true,
  year: true,
  bucket: true,
  token: true,
  fpe: true,
  detect: true,
};

/** Aggregates whose result over a group of some size does not tell the values of its members. */
const SAFE_AGGREGATES = [
  'avg',
  'sum',
  'stddev',
  'stddev_pop',
  'stddev_samp',
  'variance',
  'var_pop',
  'var_samp',
  'corr',
  'covar_pop',
  'covar_samp',
  'regr_avgx',
  'regr_avgy',
  'regr_intercept',
  'regr_r2',
  'regr_slope',
  'regr_sxx',
  'regr_sxy',
  'regr_syy',
] as const;

const PERIODS = ['month', 'quarter', 'year'] as const;
const CLASS_PATTERN = /^[a-z][a-z0-9_]{0,31}$/;
/** Words that stand for something else where classes are named. */
const RESERVED_CLASSES: ReadonlySet<string> = new Set(['all', 'any', 'none', 'nothing']);
const DEFAULT_KEEP = 4;
const MAX_KEEP = 64;
const MAX_CLASSES = 1_000;
const MAX_ROUTINES = 10_000;

/** A word out of a list, with the nearest one when it is mistyped. The value itself is never repeated. */
export function wordOf<Word extends string>(names: readonly [Word, ...Word[]]) {
  return z.enum(names, {
    error: ({ input }) => {
      const near = typeof input === 'string' ? nearestKey(input, names) : undefined;
      return near === undefined
        ? `must be one of ${names.join(', ')}`
        : `is not known: did you mean ${near}?`;
    },
  });
}

/** A YAML `null` is the transform of that name, which most people write without quotes. */
const transformName = z.preprocess(
  (value) => (value === null ? 'null' : value),
  wordOf(Object.keys(TRANSFORM_KINDS) as [Transform['kind'], ...Transform['kind'][]]),
);

const classSection = z
  .strictObject({
    transform: transformName
      .optional()
      .describe(
        'What takes the place of a value: redact, null, keep-last, email-domain, year, bucket, token, fpe or detect. Default: that of the built-in class; of an own class redact.',
      ),
    keep: z
      .int()
      .min(1)
      .max(MAX_KEEP)
      .optional()
      .describe('keep-last: how many letters and digits stay. Default: 4.'),
    size: z
      .union([z.number().positive().max(Number.MAX_SAFE_INTEGER), z.enum(PERIODS)], {
        error: `must be a number above 0, or one of ${PERIODS.join(', ')}`,
      })
      .optional()
      .describe(
        'bucket: numbers go down to a multiple of it; dates and times to the first of the month, quarter or year.',
      ),
    derived: wordOf(['redact', 'refuse'])
      .default('redact')
      .describe('An expression over a column of the class: its value is redacted, or the statement refused.'),
  })
  .superRefine(({ transform, keep, size: step }, context) => {
    const problem = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (keep !== undefined && transform !== undefined && transform !== 'keep-last')
      problem('keep', 'goes with transform keep-last only');
    if (step !== undefined && transform !== 'bucket') problem('size', 'goes with transform bucket only');
    if (step === undefined && transform === 'bucket')
      problem('transform', 'needs size: a number, month, quarter or year');
  });

type ClassShape = z.infer<typeof classSection>;

const className = z.string().superRefine((name, context) => {
  if (RESERVED_CLASSES.has(name)) context.addIssue({ code: 'custom', message: 'is reserved' });
  else if (!CLASS_PATTERN.test(name)) {
    const message = 'must be 1 to 32 of a-z, 0-9 and _ and begin with a letter';
    context.addIssue({ code: 'custom', message });
  }
});

export const maskingSection = z
  .strictObject({
    key: secretRef(
      'What tokens, redactions and format-preserving values are keyed by: 32 random bytes or more.',
    ),
    classes: z
      .record(z.string(), classSection)
      .superRefine((classes, context) => {
        const names = Object.keys(classes);
        for (const name of names) {
          const checked = className.safeParse(name);
          for (const { message } of checked.error?.issues ?? [])
            context.addIssue({ code: 'custom', path: [name], message });
          problemsOfClass(name, classes[name], (path, message) =>
            context.addIssue({ code: 'custom', path: [name, path], message }),
          );
        }
        if (names.length > MAX_CLASSES)
          context.addIssue({ code: 'custom', message: `must have at most ${MAX_CLASSES} classes` });
      })
      .default({})
      .describe('Own classes, and what the built-in ones do otherwise than by default.'),
    minGroup: z
      .int()
      .min(2)
      .max(1_000_000)
      .default(5)
      .describe(
        'Rows that a group must have before aggregates over regulated columns, and groups by them, are shown: HAVING count(*) >= n.',
      ),
    aggregates: z
      .array(wordOf(SAFE_AGGREGATES as unknown as [string, ...string[]]))
      .default(['avg', 'sum'])
      .describe(
        'Aggregates over regulated columns that are shown for groups of the minimum size. count always is.',
      ),
    detect: wordOf(['none', 'all'])
      .default('none')
      .describe(
        'Texts, JSON and XML without a class that the detectors read: none, or all. Columns of class free_text are always read.',
      ),
    maxRowBytes: size('16MiB', 'Longest row with a masked column.', { min: 64 * KIB, max: GIB }),
    routines: z
      .record(z.string(), wordOf(['nothing', 'arguments']))
      .superRefine((routines, context) => {
        for (const name of Object.keys(routines)) {
          const message = problemOfQualified(name);
          if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
        }
        if (Object.keys(routines).length > MAX_ROUTINES)
          context.addIssue({ code: 'custom', message: `must have at most ${MAX_ROUTINES} routines` });
      })
      .default({})
      .describe(
        'Own functions, schema.name, and what their result carries: nothing, or what their arguments carry. Any other one that is no single SELECT may carry anything.',
      ),
    recogniser: z
      .strictObject({
        url: z
          .string()
          .refine(isRecogniserUrl, { error: 'must be an http or https URL without user and fragment' })
          .describe(
            "Where the service answers, such as http://127.0.0.1:5002/analyze (Presidio's analyzer).",
          ),
        timeout: duration('2s', 'Longest wait for an answer.', {
          min: 10,
          max: 60_000,
        }),
      })
      .optional()
      .describe(
        'A service that finds more in texts than the built-in detectors: countersign classify and mask try ask it. Answers of targets are read by the built-in ones.',
      ),
  })
  .describe('What is regulated and what leaves in its place. Absent: nothing is masked.');

type MaskingShape = z.infer<typeof maskingSection>;

/** What only the class and its rule together tell: `keep` without a transform is that of the built-in class. */
function problemsOfClass(
  name: string,
  shape: ClassShape | undefined,
  report: (path: string, message: string) => void,
): void {
  if (shape === undefined || shape.transform !== undefined || shape.keep === undefined) return;
  if (defaultTransform(name).kind !== 'keep-last') report('keep', 'goes with transform keep-last only');
}

function isRecogniserUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || url.protocol === 'http:';
}

export function assembleMasking(
  shape: MaskingShape,
  secret: (reference: string) => SecretRef,
): MaskingConfig {
  const { key, recogniser } = shape;
  return {
    key: secret(key),
    rules: compileRules(shape),
    ...(recogniser === undefined
      ? {}
      : { recogniser: { url: recogniser.url, timeoutMs: recogniser.timeout } }),
  };
}

/** The rules of a section with nothing but a key. */
export function defaultRules(): MaskingRules {
  return compileRules(maskingSection.parse({ key: 'env:NONE' }));
}

function compileRules(shape: Omit<MaskingShape, 'key'>): MaskingRules {
  const names = [...new Set([...Object.keys(DEFAULT_TRANSFORMS), ...Object.keys(shape.classes)])].toSorted(
    byText,
  );
  const classes = new Map<ClassName, ClassRule>();
  for (const name of names) classes.set(name, classRule(name, shape.classes[name]));
  const aggregates = [...new Set(shape.aggregates)].toSorted(byText);
  const routines = Object.entries(shape.routines)
    .map(([name, carries]) => [parseQualified(name)?.join('.') ?? name, carries] as const)
    .toSorted(([one], [other]) => byText(one, other));
  const { minGroup, detect, maxRowBytes, recogniser } = shape;
  const canonical = [
    [...classes.values()].map(({ name, transform, derived }) => [name, orderedPairs(transform), derived]),
    minGroup,
    aggregates,
    detect,
    maxRowBytes,
    routines,
    recogniser?.url ?? null,
  ];
  return {
    version: createHash('sha256').update(JSON.stringify(canonical)).digest('base64url'),
    classes,
    minGroup,
    aggregates: new Set(aggregates),
    detect,
    maxRowBytes,
    routines: new Map(routines),
  };
}

function classRule(name: ClassName, shape: ClassShape | undefined): ClassRule {
  return { name, transform: transformOf(name, shape), derived: shape?.derived ?? 'redact' };
}

function transformOf(name: ClassName, shape: ClassShape | undefined): Transform {
  const kind = shape?.transform ?? defaultTransform(name).kind;
  if (kind === 'keep-last') return { kind, count: shape?.keep ?? DEFAULT_KEEP };
  if (kind !== 'bucket') return { kind };
  if (shape?.size === undefined) throw new Error('the schema admits no bucket without a size');
  return { kind, size: shape.size };
}

function defaultTransform(name: ClassName): Transform {
  return Object.hasOwn(DEFAULT_TRANSFORMS, name)
    ? DEFAULT_TRANSFORMS[name as BuiltInClass]
    : { kind: 'redact' };
}

/** Classes that need no definition. */
export const BUILT_IN_CLASS_NAMES: readonly ClassName[] = Object.keys(DEFAULT_TRANSFORMS);

function orderedPairs(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).toSorted(([one], [other]) => byText(one, other));
}

function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
