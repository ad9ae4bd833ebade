/** Unit tests of policies, written in YAML: who asks for what, and what is expected. docs/policy.md describes the file. */

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { SPECIALS } from './access.ts';
import type { Access, RelationAccess } from './access.ts';
import type { PolicyDecider, PolicyDecision, PolicyRequest } from './policy-request.ts';
import { questionOf } from './question.ts';

const RELATION_VERBS = ['select', 'insert', 'update', 'delete', 'truncate', 'maintain'] as const;

const principal = z.strictObject({
  name: z.string().min(1),
  kind: z.enum(['human', 'agent', 'service']),
  groups: z.array(z.string()).optional(),
});

const grant = z.strictObject({
  id: z.string().min(1),
  purpose: z.string().optional(),
});

const subject = {
  principal: principal.optional(),
  grant: grant.optional(),
  target: z.string().min(1).optional(),
  database: z.string().min(1).optional(),
};

/** `schema.name`; written apart where one of them holds a dot. */
const inSchema = z.union([
  z.string().regex(/^[^.]+\.[^.]+$/),
  z.strictObject({ schema: z.string().min(1), name: z.string().min(1) }),
]);

/** What is asked for; also the form in which `explain` takes it. */
const accessFields = {
  action: z.enum([...RELATION_VERBS, 'connect', 'execute', 'ddl', 'special', 'admin', 'unmask']),
  resource: z.union([inSchema, z.string().min(1)]).optional(),
  class: z.enum(['data', 'structure', 'values', 'temp', 'own', ...SPECIALS]).optional(),
  columns: z.union([z.literal('*'), z.array(z.string())]).optional(),
  via: z.string().optional(),
};

const oneTest = z.strictObject({
  name: z.string().min(1),
  ...subject,
  ...accessFields,
  expect: z.enum(['permit', 'deny']),
  by: z.array(z.string()).optional(),
});

const testFile = z.strictObject({
  policies: z.string().min(1).optional(),
  defaults: z.strictObject(subject).optional(),
  tests: z.array(oneTest).min(1),
});

export interface AccessWords {
  readonly action: z.infer<typeof accessFields.action>;
  readonly resource?: z.infer<typeof accessFields.resource>;
  readonly class?: z.infer<typeof accessFields.class>;
  readonly columns?: z.infer<typeof accessFields.columns>;
  readonly via?: string | undefined;
}

export interface PolicyTest {
  readonly name: string;
  /** Line in the file, from 1. */
  readonly line: number;
  readonly request: PolicyRequest;
  readonly expect: 'permit' | 'deny';
  /** Ids of just the policies that have to decide. Absent: any. */
  readonly by?: readonly string[];
}

export interface PolicyTestFile {
  /** Folder of the policies, relative to the file. Absent: that of the configuration. */
  readonly policies?: string;
  readonly tests: readonly PolicyTest[];
}

export interface PolicyTestResult {
  readonly test: PolicyTest;
  readonly decision: PolicyDecision;
  readonly isAsExpected: boolean;
}

/** The text is not a file of tests. `message` names place and cause. */
export class PolicyTestFileError extends Error {
  override readonly name = 'PolicyTestFileError';
}

/** Throws {@link PolicyTestFileError} with every problem, a line each. */
export function parsePolicyTests(text: string): PolicyTestFile {
  const document = parseDocument(text, {
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
  });
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined)
    throw new PolicyTestFileError(`line ${lineAt(broken.pos[0])}: not valid YAML: ${broken.code}`);
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true) as
        | { readonly range?: readonly number[] }
        | undefined;
      if (node?.range?.[0] !== undefined) return lineAt(node.range[0]);
    }
    return 1;
  };
  const parsed = testFile.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success)
    throw new PolicyTestFileError(
      parsed.error.issues
        .map(({ message, path }) => [`line ${lineOf(path)}`, ...inWords(path), message].join(': '))
        .join('\n'),
    );
  const { defaults = {}, policies, tests } = parsed.data;
  return {
    ...(policies === undefined ? {} : { policies }),
    tests: tests.map((written, index) => {
      const line = lineOf(['tests', index]);
      try {
        return testOf(written, defaults, line);
      } catch (error) {
        throw new PolicyTestFileError(`line ${line}: ${written.name}: ${(error as Error).message}`);
      }
    }),
  };
}

function inWords(path: readonly PropertyKey[]): readonly string[] {
  return path.length === 0 ? [] : [path.map(String).join('.')];
}

type Defaults = NonNullable<z.infer<typeof testFile>['defaults']>;

function testOf(written: z.infer<typeof oneTest>, defaults: Defaults, line: number): PolicyTest {
  const { by, expect, name } = written;
  const who = written.principal ?? defaults.principal;
  const target = written.target ?? defaults.target;
  if (who === undefined) throw new Error('there is no principal, in the test or in defaults');
  if (target === undefined) throw new Error('there is no target, in the test or in defaults');
  const { id = 'test', purpose } = written.grant ?? defaults.grant ?? {};
  return {
    name,
    line,
    expect,
    ...(by === undefined ? {} : { by }),
    request: {
      principal: {
        name: who.name,
        kind: who.kind,
        ...(who.groups === undefined ? {} : { groups: who.groups }),
      },
      grant: { id, standing: true, ...(purpose === undefined ? {} : { purpose }) },
      target,
      database: written.database ?? defaults.database ?? target,
      access: accessOf(written),
    },
  };
}

/** Checks words that were not written in a file. Throws an `Error` that says what cannot be. */
export function parseAccessWords(words: Readonly<Record<string, unknown>>): AccessWords {
  const parsed = z.object(accessFields).safeParse(words);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map(({ message, path }) => `${path.join('.')}: ${message}`).join('\n'));
}

/** Throws an `Error` that says what is missing or too much. */
export function accessOf(words: AccessWords): PolicyRequest['access'] {
  const { action, resource } = words;
  switch (action) {
    case 'connect':
      return { kind: 'connect' };
    case 'admin':
      return { kind: 'special', verb: 'admin' };
    case 'special':
      return { kind: 'special', verb: specialOf(resource) };
    case 'unmask':
      if (typeof resource !== 'string') throw new Error('unmask needs a resource: the name of a class, or *');
      return { kind: 'unmask', class: resource };
    case 'ddl':
      if (typeof resource !== 'string') throw new Error('ddl needs a resource: the name of a schema');
      return { kind: 'schema', verb: 'ddl', schema: resource };
    case 'execute':
      return {
        kind: 'routine',
        verb: 'execute',
        ...namesOf(words),
        class: routineClassOf(words),
        ...viaOf(words),
      };
    default:
      return relationOf(action, words);
  }
}

function relationOf(verb: (typeof RELATION_VERBS)[number], words: AccessWords): Access {
  const names = namesOf(words);
  const { columns = '*' } = words;
  const kind = words.class ?? CLASSES.get(names.schema) ?? 'data';
  if (kind !== 'data' && kind !== 'structure' && kind !== 'values' && kind !== 'temp')
    throw new Error('class of a relation is data, structure, values or temp');
  return {
    kind: 'relation',
    verb,
    ...names,
    columns: columns === '*' ? '*' : columns.toSorted(),
    class: kind,
    ...viaOf(words),
  };
}

/** Of relations whose class is not given. */
const CLASSES: ReadonlyMap<string, RelationAccess['class']> = new Map([
  ['pg_catalog', 'structure'],
  ['information_schema', 'structure'],
  ['pg_temp', 'temp'],
]);

function routineClassOf({ class: kind = 'own' }: AccessWords): 'own' | (typeof SPECIALS)[number] {
  if (kind === 'own') return kind;
  const found = SPECIALS.find((name) => name === kind);
  if (found === undefined) throw new Error(`class of a function is own, or one of ${SPECIALS.join(', ')}`);
  return found;
}

function specialOf(resource: AccessWords['resource']): (typeof SPECIALS)[number] {
  const found = SPECIALS.find((name) => name === resource);
  if (found === undefined) throw new Error(`special needs a resource: one of ${SPECIALS.join(', ')}`);
  return found;
}

function namesOf({ resource }: AccessWords): { readonly schema: string; readonly name: string } {
  if (typeof resource === 'object') return resource;
  const [schema, name, ...more] = (resource ?? '').split('.');
  if (schema === undefined || name === undefined || schema === '' || name === '' || more.length > 0)
    throw new Error('resource must be schema.name, or { schema: …, name: … }');
  return { schema, name };
}

function viaOf({ via }: AccessWords): { via?: string } {
  return via === undefined ? {} : { via };
}

export function runPolicyTests(
  { tests }: PolicyTestFile,
  policies: PolicyDecider,
): readonly PolicyTestResult[] {
  return tests.map((test) => {
    const decision = policies.decide(test.request);
    const isExpectedEffect = decision.effect === (test.expect === 'permit' ? 'permit' : 'forbid');
    const isBy = test.by === undefined || sameNames(test.by, decision.policies);
    // A test that expects a denial is not passed by policies that break.
    return { test, decision, isAsExpected: isExpectedEffect && isBy && decision.errors.length === 0 };
  });
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify(one.toSorted()) === JSON.stringify(other.toSorted());
}

/** The question as a policy sees it, such as `Agent::"bot" select Relation::"bank/bank/public/accounts"`. */
export function describeQuestion(request: PolicyRequest): string {
  const { action, principal: who, resource } = questionOf(request);
  return `${who.type}::${JSON.stringify(who.id)} ${action} ${resource.type}::${JSON.stringify(resource.id)}`;
}
