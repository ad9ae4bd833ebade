import { z } from 'zod';

import type { RelationVerb, Special } from '../policy/access.ts';
import { nearestKey } from './nearest-key.ts';
import type { SectionProblem } from './problem.ts';

/** `grants[].scope`: what a grant covers (docs/configuration.md). Everything it does not name is not covered. */

/** A part that is absent stands for any name: `*`. Names are exact, as the catalog has them. */
export interface NamePattern {
  readonly schema?: string;
  readonly name?: string;
}

/** Relations that match one of `on` may be used with each of `verbs`, `columns` only. */
export interface ScopeRule {
  readonly on: readonly NamePattern[];
  /** Without repetition, in the order of the file; `all` stands for each there is now. */
  readonly verbs: readonly RelationVerb[];
  readonly columns: readonly string[] | '*';
}

export interface ScopeConfig {
  readonly relations: readonly ScopeRule[];
  readonly functions: readonly NamePattern[];
  /** Schemas in which objects may be made, altered and dropped; `any`: each there is. */
  readonly ddl: readonly string[] | 'any';
  /** `all`: each there is, those of later versions too. */
  readonly allow: readonly Special[] | 'all';
}

/** The compiler notices when policy/access.ts has another list. */
const VERBS: Readonly<Record<RelationVerb, true>> = {
  select: true,
  insert: true,
  update: true,
  delete: true,
  truncate: true,
  maintain: true,
};

const SPECIAL_NAMES: Readonly<Record<Special, true>> = {
  admin: true,
  'file-access': true,
  network: true,
  'dynamic-sql': true,
  'large-objects': true,
  do: true,
  call: true,
  'create-function': true,
  'set-role': true,
  'set-session-authorization': true,
  'copy-program': true,
  'copy-file': true,
  load: true,
  listen: true,
  notify: true,
  'advisory-locks': true,
  'prepare-transaction': true,
  'hold-cursor': true,
  'create-temp': true,
  discard: true,
  signals: true,
  replication: true,
  'server-control': true,
  'catalog-values': true,
  'security-definer': true,
  'security-label': true,
  'function-call-message': true,
};

const ALL_VERBS = Object.keys(VERBS) as readonly RelationVerb[];

/** Those that say something of single columns. */
const VERBS_OF_COLUMNS: readonly RelationVerb[] = ['select', 'insert', 'update'];

/** NAMEDATALEN - 1: no object of a server as it is built has a longer name. */
const MAX_NAME_BYTES = 63;
const MAX_ENTRIES = 4_096;

/** A list of words of which each has a nearest one when it is mistyped. The value itself is never repeated. */
function words<Word extends string>(names: readonly [Word, ...Word[]], what: string) {
  return z.array(z.enum(names, { error: ({ input }) => notAWord(input, names) })).describe(what);
}

function notAWord(input: unknown, names: readonly string[]): string {
  const near = typeof input === 'string' ? nearestKey(input, names) : undefined;
  return near === undefined ? `must be one of ${names.join(', ')}` : `is not known: did you mean ${near}?`;
}

const pattern = (what: string) =>
  z
    .array(
      z.string().superRefine((text, context) => {
        const problem = problemOfName(text, 2);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      }),
    )
    .max(MAX_ENTRIES)
    .describe(what);

const columnName = z.string().superRefine((text, context) => {
  const problem = text === '*' ? 'must be a name; leave columns out for all of them' : problemOfPlain(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

export const scopeSection = z
  .strictObject({
    relations: z
      .array(
        z
          .strictObject({
            on: pattern(
              'Tables, views and sequences, schema.name as the catalog has them. * stands for any name, in either place.',
            ).min(1),
            verbs: words(
              ['all', ...(ALL_VERBS as [RelationVerb, ...RelationVerb[]])],
              'select, insert, update, delete, truncate, maintain, or all.',
            ).min(1),
            columns: z
              .array(columnName)
              .min(1)
              .max(MAX_ENTRIES)
              .optional()
              .describe('Columns it is about: for select, insert and update. Absent: all.'),
          })
          .superRefine(({ verbs, columns }, context) => {
            const whole = verbs.find((verb) => !(VERBS_OF_COLUMNS as readonly string[]).includes(verb));
            if (columns === undefined || whole === undefined) return;
            context.addIssue({
              code: 'custom',
              path: ['columns'],
              message: `${whole} is about whole rows: columns go with select, insert and update only`,
            });
          }),
      )
      .max(MAX_ENTRIES)
      .default([])
      .describe('What may be read and written.'),
    functions: pattern(
      "Own functions, schema.name. * never stands for a SECURITY DEFINER function or one of pg_catalog's: those by their names.",
    ).default([]),
    ddl: z
      .array(
        z.string().superRefine((text, context) => {
          const problem = problemOfName(text, 1) ?? problemOfDdlSchema(text);
          if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
        }),
      )
      .max(MAX_ENTRIES)
      .default([])
      .describe('Schemas in which objects may be made, altered and dropped. *: any.'),
    allow: words(
      ['all', ...(Object.keys(SPECIAL_NAMES) as [Special, ...Special[]])],
      'What no list of relations can say, by its name; all for every one.',
    ).default([]),
  })
  .describe('What the grant covers. Absent: nothing, every command is refused.');

type ScopeShape = z.infer<typeof scopeSection>;

export function assembleScope(shape: ScopeShape): ScopeConfig {
  const ddl = shape.ddl.map((text) => parseParts(text)?.[0]);
  return {
    relations: shape.relations.map(({ on, verbs, columns }) => ({
      on: on.map((text) => namePattern(text)),
      verbs: verbs.includes('all')
        ? ALL_VERBS
        : [...new Set(verbs.filter((verb): verb is RelationVerb => verb !== 'all'))],
      columns: columns === undefined ? '*' : [...new Set(columns)],
    })),
    functions: shape.functions.map((text) => namePattern(text)),
    ddl: ddl.some((part) => part === ANY)
      ? 'any'
      : [...new Set(ddl.filter((part): part is string => typeof part === 'string'))],
    allow: shape.allow.includes('all')
      ? 'all'
      : [...new Set(shape.allow.filter((each): each is Special => each !== 'all'))],
  };
}

function namePattern(text: string): NamePattern {
  const [schema, name] = parseParts(text) ?? [];
  if (schema === undefined || name === undefined) throw new Error('the schema admits only names that parse');
  return { ...(schema === ANY ? {} : { schema }), ...(name === ANY ? {} : { name }) };
}

/** `schema.name` without wildcards, in the spelling of scopes; undefined when it is none. */
export function parseQualified(text: string): readonly [schema: string, name: string] | undefined {
  const parts = parseParts(text);
  if (parts?.length !== 2) return undefined;
  const [schema, name] = parts;
  return typeof schema === 'string' && typeof name === 'string' ? [schema, name] : undefined;
}

/** Of what is no `schema.name` without wildcards, a sentence without the text itself. */
export function problemOfQualified(text: string): string | undefined {
  const problem = problemOfName(text, 2);
  if (problem !== undefined) return problem;
  return parseQualified(text) === undefined ? 'must be one schema.name: * stands for none here' : undefined;
}

const ANY = Symbol('any name');
type Part = string | typeof ANY;

/** Of what cannot stand there, a sentence without the text itself. */
function problemOfName(text: string, count: 1 | 2): string | undefined {
  const parts = parseParts(text);
  const form = count === 2 ? 'schema.name' : 'the name of a schema';
  if (parts?.length !== count)
    return `must be ${form}; a part that contains a dot, a double quote or a * stands in double quotes`;
  for (const part of parts) {
    const problem = part === ANY ? undefined : problemOfPlain(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** `pg_temp` comes with `allow: [create-temp]`. */
function problemOfDdlSchema(text: string): string | undefined {
  const [schema] = parseParts(text) ?? [];
  if (typeof schema !== 'string' || !/^(pg_|information_schema$)/.test(schema)) return undefined;
  return "must not be one of the server's own schemas (temporary objects: allow create-temp)";
}

/** Of what cannot be the name of an object; undefined: it can. */
export function problemOfPlain(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (name.includes('\0')) return 'must not contain NUL';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    return `must have at most ${MAX_NAME_BYTES} bytes: no object has a longer name`;
  return undefined;
}

/** Parts between dots, each bare or in double quotes (a quote inside is doubled). Undefined when it is not written so. */
function parseParts(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^."*\s](?:[^."*]*[^."*\s])?)|(\*))(\.|$)/u.exec(rest);
    if (match === null) return undefined;
    const [whole, quoted, bare] = match;
    parts.push(quoted === undefined ? (bare ?? ANY) : quoted.replaceAll('""', '"'));
    if (match[4] === '') return parts;
    rest = rest.slice(whole.length);
  }
}

interface GrantShape {
  readonly id: string;
  readonly target: string;
  readonly login?: string;
  readonly scope?: ScopeConfig;
}

/** What the schema cannot see: grants that cover nothing, and grants whose sessions would have no login. */
export function checkScopes(
  grants: readonly GrantShape[],
  targets: readonly { readonly name: string; readonly roles?: unknown }[],
): readonly SectionProblem[] {
  return grants.flatMap(({ id, target, login, scope }, index) => {
    const problems: SectionProblem[] = [];
    if (scope === undefined || coversNothing(scope)) {
      problems.push({
        severity: 'warning',
        path: scope === undefined ? ['grants', index] : ['grants', index, 'scope'],
        message: `${id} covers nothing: every command is refused`,
        hint: 'say in scope what it is for',
      });
    }
    const found = targets.find(({ name }) => name === target);
    if (login === undefined && found !== undefined && found.roles === undefined) {
      problems.push({
        severity: 'error',
        path: ['grants', index],
        message: `${id} has no login, and ${target} has no section roles that could make one for its scope`,
        hint: 'name one of the logins of the target',
      });
    }
    return problems;
  });
}

function coversNothing({ relations, functions, ddl, allow }: ScopeConfig): boolean {
  return [relations, functions, ddl, allow].every((list) => list.length === 0);
}
