import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

import { startEngine } from './engine.ts';
import type { CedarEngine } from './engine.ts';
import type { PolicyFile } from './policy-folder.ts';
import type { PolicyProblem } from './policy-problem.ts';
import { ASKED_ACTIONS, POLICY_SCHEMA, RESERVED_PREFIX } from './schema.ts';
import type { AskedAction } from './schema.ts';

/** One policy that was understood. */
export interface CompiledPolicy {
  /** From `@id`; stands in the record as the policy that decided. */
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  /** As written, from its first annotation to its last semicolon. */
  readonly text: string;
  /** Name of the file in the folder. */
  readonly file: string;
  readonly line: number;
  /** Actions that it can be about. */
  readonly actions: ReadonlySet<AskedAction>;
  /** Principals, groups and resources that it names. */
  readonly names: readonly { readonly type: string; readonly id: string }[];
}

export interface Compiled {
  /** Those without an error, the gateway's own not among them. */
  readonly policies: readonly CompiledPolicy[];
  readonly problems: readonly PolicyProblem[];
}

export const MAX_POLICIES = 2_000;

const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Parses files and validates their policies against the product's schema, strictly. Gives every problem with its place. Never throws. */
export function compilePolicies(files: readonly PolicyFile[]): Compiled {
  const problems: PolicyProblem[] = [];
  const found: Found[] = [];
  let engine = startEngine();
  for (const file of files) {
    const own: PolicyProblem[] = [];
    try {
      found.push(...readFile(engine, file, own));
    } catch {
      own.push(tooDeep({ file, offset: 0 }));
      engine = startEngine();
    }
    problems.push(...own);
  }
  problems.push(...doubleIds(found));
  if (found.length > MAX_POLICIES && found[0] !== undefined)
    problems.push(problemAt(found[0], `there are more than ${MAX_POLICIES} policies`));
  else problems.push(...validateAll(engine, found));
  return { policies: found.map(({ policy }) => policy), problems };
}

interface Located {
  readonly file: PolicyFile;
  /** In UTF-16 code units from the beginning of the file. */
  readonly offset: number;
  readonly id?: string;
}

interface Found extends Located {
  readonly policy: CompiledPolicy;
}

function readFile(engine: CedarEngine, file: PolicyFile, problems: PolicyProblem[]): Found[] {
  const parts = engine.policySetTextToParts(file.text);
  if (parts.type === 'failure') {
    problems.push(...parts.errors.map((error) => problemOf({ file, offset: 0 }, error, file.text)));
    return [];
  }
  const places = new Finder(file.text);
  for (const template of parts.policy_templates) {
    const offset = places.find(template);
    problems.push(
      problemAt({ file, offset }, 'templates (?principal, ?resource) are not taken', 'write it out'),
    );
  }
  const found: Found[] = [];
  for (const text of parts.policies) {
    const offset = places.find(text);
    const parsed = engine.policyToJson(text);
    if (parsed.type === 'failure') {
      problems.push(...parsed.errors.map((error) => problemOf({ file, offset }, error, text)));
      continue;
    }
    const place = { file, offset };
    const id = parsed.json.annotations?.['id'];
    const wrong = wrongId(id);
    if (wrong !== undefined) problems.push(problemAt(place, wrong.message, wrong.hint));
    else if (typeof id === 'string') {
      const policy = compiledOf(id, text, place, parsed.json);
      problems.push(...unclearColumns({ ...place, id }, parsed.json));
      found.push({ ...place, id, policy });
    }
  }
  return found.toSorted((a, b) => a.offset - b.offset);
}

function wrongId(id: unknown): { readonly message: string; readonly hint?: string } | undefined {
  if (typeof id !== 'string')
    return { message: 'the policy has no @id', hint: 'write @id("…") before it: the record names it so' };
  if (!ID.test(id))
    return {
      message: '@id must be 1 to 63 of a-z, 0-9, ".", "_", "-" and begin with a letter or digit',
    };
  if (id.startsWith(RESERVED_PREFIX))
    return { message: `ids that begin with ${RESERVED_PREFIX} are reserved` };
  return undefined;
}

function compiledOf(id: string, text: string, place: Located, json: PolicyJson): CompiledPolicy {
  const seen = walk(json);
  return {
    id,
    effect: json.effect,
    text,
    file: place.file.name,
    line: placeOf(place).line,
    actions: actionsOf(json),
    names: seen.names.filter(({ type }) => type !== 'Action'),
  };
}

/** By the head of the policy alone: what its conditions say of the action cannot widen it. */
function actionsOf({ action }: PolicyJson): ReadonlySet<AskedAction> {
  const all = Object.keys(ASKED_ACTIONS) as AskedAction[];
  if (action.op === 'All') return new Set(all);
  const named = new Set(walk(action).names.map(({ id }) => id));
  return new Set(
    all.filter((name) => named.has(name) || ASKED_ACTIONS[name].some((group) => named.has(group))),
  );
}

/**
 * A statement may read all columns without naming one. A policy that looks for a name in `context.columns` and forgets that would let
 * `SELECT whole_row` pass where `SELECT the_column` is forbidden.
 */
function unclearColumns(place: Located, json: PolicyJson): PolicyProblem[] {
  const { attributes } = walk(json.conditions);
  if (!attributes.has('columns') || attributes.has('allColumns')) return [];
  return [
    problemAt(
      place,
      'it speaks of context.columns and not of context.allColumns',
      'say what holds when all columns are touched and none is named, such as context.allColumns || …',
    ),
  ];
}

interface Seen {
  readonly names: { readonly type: string; readonly id: string }[];
  /** Attributes of `context` that are read or tested for. */
  readonly attributes: Set<string>;
}

/** Without recursion: how deep a policy goes is not ours to trust. */
function walk(root: unknown): Seen {
  const seen: Seen = { names: [], attributes: new Set() };
  const open: unknown[] = [root];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const fields = node as Readonly<Record<string, unknown>>;
    const { type, id, left, attr } = fields;
    if (typeof type === 'string' && typeof id === 'string') seen.names.push({ type, id });
    if ((left as { Var?: unknown } | undefined)?.Var === 'context')
      for (const name of [attr].flat()) seen.attributes.add(String(name));
    for (const child of Object.values(fields).toReversed()) open.push(child);
  }
  return seen;
}

function doubleIds(found: readonly Found[]): PolicyProblem[] {
  const first = new Map<string, Found>();
  const problems: PolicyProblem[] = [];
  for (const one of found) {
    const other = first.get(one.policy.id);
    if (other === undefined) first.set(one.policy.id, one);
    else problems.push(problemAt(one, `the id is taken by ${other.file.name}:${other.policy.line}`));
  }
  return problems;
}

/** Together where that works, one by one where the engine gave up on the whole, so that the policy that did it is named. */
function validateAll(engine: CedarEngine, found: readonly Found[]): PolicyProblem[] {
  try {
    return validate(engine, found);
  } catch {
    return found.flatMap((one) => {
      try {
        return validate(startEngine(), [one]);
      } catch {
        return [tooDeep(one)];
      }
    });
  }
}

function validate(engine: CedarEngine, found: readonly Found[]): PolicyProblem[] {
  // Under numbers: two policies with one id are both looked at.
  const staticPolicies = Object.fromEntries(found.map(({ policy }, index) => [String(index), policy.text]));
  const answer = engine.validate({ schema: POLICY_SCHEMA, policies: { staticPolicies } });
  if (answer.type === 'failure')
    return answer.errors.map((error) => ({
      severity: 'error',
      file: '',
      line: 0,
      column: 0,
      message: error.message,
    }));
  const problems: PolicyProblem[] = [];
  const take = (id: string, error: DetailedError, severity: PolicyProblem['severity']): void => {
    const one = found[Number(id)];
    if (one === undefined) throw new Error('Cedar names a policy that it was not given');
    problems.push(problemOf(one, error, one.policy.text, severity));
  };
  for (const { policyId, error } of answer.validationErrors) take(policyId, error, 'error');
  for (const { policyId, error } of answer.validationWarnings)
    take(policyId, error, NEVER_APPLIES.test(error.message) ? 'error' : 'warning');
  return onePerPlace(problems);
}

/** A rule that somebody wrote down and that can never hold is worse than none. */
const NEVER_APPLIES = /policy is impossible|unable to find an applicable action/;

const isConsequence = ({ message }: PolicyProblem): boolean => NEVER_APPLIES.test(message);

/** A misspelt action is told three times: as unknown, as never applicable, as impossible. The first says it best. */
function onePerPlace(problems: readonly PolicyProblem[]): PolicyProblem[] {
  return problems.filter((problem, index) => {
    if (!isConsequence(problem)) return true;
    return !problems.some(
      (other, place) =>
        other.policy === problem.policy &&
        other.file === problem.file &&
        other.severity === 'error' &&
        (!isConsequence(other) || place < index),
    );
  });
}

function tooDeep(place: Located): PolicyProblem {
  return problemAt(place, 'it is nested too deeply', 'split it into several policies');
}

function problemOf(
  place: Located,
  error: DetailedError,
  text: string,
  severity: PolicyProblem['severity'] = 'error',
): PolicyProblem {
  const source = error.sourceLocations?.[0];
  const at = source === undefined ? 0 : Buffer.from(text).subarray(0, source.start).toString().length;
  const expected = source?.label === null || source?.label === undefined ? '' : `: ${source.label}`;
  const message = `${error.message.replace(/^(for policy `\d+`, |failed to parse polic[a-z ]+ from string: )/, '')}${expected}`;
  const problem = problemAt({ ...place, offset: place.offset + at }, message, error.help ?? undefined);
  return { ...problem, severity };
}

function problemAt(place: Located, message: string, hint?: string): PolicyProblem {
  return {
    severity: 'error',
    file: place.file.path,
    ...placeOf(place),
    ...(place.id === undefined ? {} : { policy: place.id }),
    message,
    ...(hint === undefined ? {} : { hint: hint.replaceAll(/for policy `\d+`, /g, '') }),
  };
}

function placeOf({ file, offset }: Located): { readonly line: number; readonly column: number } {
  const before = file.text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}

/** Where parts of a text stand; of equal parts the next one each time. */
class Finder {
  readonly #text: string;
  readonly #after = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  find(part: string): number {
    const offset = this.#text.indexOf(part, this.#after.get(part) ?? 0);
    if (offset === -1) return 0;
    this.#after.set(part, offset + 1);
    return offset;
  }
}

/** The texts of a set as Cedar takes them. */
export function textsOf(policies: readonly CompiledPolicy[]): Record<string, string> {
  return Object.fromEntries(policies.map(({ id, text }) => [id, text]));
}
