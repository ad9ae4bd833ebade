/** Ordinary statements: what programs really send (captured, `corpus/*.json`) and what people write (`reports.ts`, `changes.ts`). */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHANGES } from './changes.ts';
import { REPORTS } from './reports.ts';

export interface OrdinaryStatement {
  /** Unique in the corpus. */
  readonly id: string;
  /** `{class:schema.name}`, also of type, proc and namespace: its OID. */
  readonly sql: string;
  /** Texts, as the program bound them. */
  readonly params?: readonly (string | null)[];
  /** As the program sends it. */
  readonly protocol: 'simple' | 'extended';
  /** Default 1: a program with several connections at a time. */
  readonly session?: number;
}

/** One program, or one kind of work; its statements are played in order, each session from its beginning. */
export interface Series {
  readonly name: string;
  /** Where they come from. */
  readonly from: string;
  readonly scope: keyof typeof SCOPES;
  /** Start-up options of the session. */
  readonly options?: string;
  readonly statements: readonly OrdinaryStatement[];
}

/** What the grants of the corpus cover: each fits a kind of work, none covers everything. In YAML. */
export const SCOPES = {
  /** Looks at the structure of everything and reads what it reports on. */
  introspect:
    "{ relations: [{ on: ['bank.accounts', 'bank.customers', 'reporting.*'], verbs: [select] }], functions: [], ddl: [], allow: [] }",
  /** Reads, and computes with a function of the bank. */
  report:
    "{ relations: [{ on: ['bank.*', 'reporting.*'], verbs: [select] }], functions: ['bank.fee'], ddl: [], allow: [] }",
  /** Works with the bank's data; its triggers' function is named. */
  application:
    "{ relations: [{ on: ['bank.*'], verbs: [select, insert, update, delete] }, { on: ['reporting.*'], verbs: [select] }], functions: ['bank.fee', 'bank.touch', 'bank.close_account'], ddl: [], allow: [call] }",
  /** Makes and changes objects of its own schema. */
  migrate:
    "{ relations: [{ on: ['scratch.*'], verbs: [all] }, { on: ['bank.*', 'reporting.*'], verbs: [select, insert, update, delete] }], functions: ['bank.touch'], ddl: [scratch], allow: [create-temp] }",
} as const;

const CAPTURED = join(import.meta.dirname, 'corpus');

function captured(): readonly Series[] {
  const files = readdirSync(CAPTURED).toSorted();
  return files.map((file) => JSON.parse(readFileSync(join(CAPTURED, file), 'utf8')) as Series);
}

export const CORPUS: readonly Series[] = [...captured(), ...REPORTS, ...CHANGES];

/**
 * Refused, and why that is right or is to be borne. Each is refused still (a stale line fails), and no other is.
 */
export interface KnownRefusal {
  readonly id: string;
  readonly why: string;
}
