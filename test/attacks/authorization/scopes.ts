/** The scopes under which the attacks are tried: few, narrow, and of the kinds that a bank would give. */
import type { ScopeName } from './attack.ts';

export interface RelationRule {
  readonly on: readonly string[];
  readonly verbs: readonly string[];
  readonly columns?: readonly string[];
}

/** As it stands in `grants[].scope`. */
export interface AttackScope {
  readonly relations: readonly RelationRule[];
  readonly functions: readonly string[];
  readonly ddl: readonly string[];
  readonly allow: readonly string[];
}

export interface TriedScope {
  readonly scope: AttackScope;
  /** Keys of the state (`state.ts`) that it may change: a change of any other is a break. */
  readonly mayChange: RegExp;
}

const READ_PLACES: readonly RelationRule[] = [
  { on: ['bank.branches'], verbs: ['select'] },
  { on: ['bank.accounts'], verbs: ['select'], columns: ['id', 'owner', 'status'] },
  { on: ['reporting.daily'], verbs: ['select'] },
];

export const SCOPES: Readonly<Record<ScopeName, TriedScope>> = {
  /** Reads, and of some relations only some columns. */
  reader: {
    scope: {
      relations: [
        ...READ_PLACES,
        { on: ['bank.ledger_eu'], verbs: ['select'] },
        { on: ['hr.managers'], verbs: ['select'], columns: ['id', 'name'] },
        { on: ['bank.notes'], verbs: ['select'] },
        // Views and a table that reach further when read.
        {
          on: ['reporting.keys_invoker', 'reporting.wraps_invoker', 'reporting.with_function'],
          verbs: ['select'],
        },
        { on: ['app.limited'], verbs: ['select'] },
      ],
      functions: [],
      ddl: [],
      allow: [],
    },
    mayChange: /^$/,
  },
  /** Writes some tables, some of them in some columns; some of those run code of their own. */
  teller: {
    scope: {
      relations: [
        ...READ_PLACES,
        { on: ['bank.transfers'], verbs: ['insert'], columns: ['from_id', 'to_id', 'amount', 'note'] },
        { on: ['bank.transfers'], verbs: ['select'], columns: ['id'] },
        { on: ['bank.limits'], verbs: ['update'], columns: ['daily'] },
        { on: ['bank.limits'], verbs: ['select'], columns: ['account_id', 'daily'] },
        { on: ['bank.drafts'], verbs: ['delete'] },
        { on: ['bank.drafts'], verbs: ['select'], columns: ['id'] },
        {
          on: ['app.forms', 'app.made', 'app.checked', 'app.typed', 'app.indexed', 'app.inbox'],
          verbs: ['select', 'insert'],
        },
        { on: ['app.outbox', 'reporting.inbox'], verbs: ['select', 'insert'] },
        { on: ['app.chain'], verbs: ['select', 'insert', 'update', 'delete'] },
      ],
      functions: [],
      ddl: [],
      allow: [],
    },
    mayChange:
      /^(rows|sequence) (bank\.(transfers|transfers_id_seq|limits|drafts)|app\.(forms|made|checked|typed|indexed|inbox|outbox|chain))$/,
  },
  /** Makes what it likes in a schema of its own, and temporary tables. */
  builder: {
    scope: {
      relations: [
        { on: ['bank.branches'], verbs: ['select'] },
        { on: ['scratch.*'], verbs: ['all'] },
      ],
      functions: [],
      ddl: ['scratch'],
      allow: ['create-temp'],
    },
    mayChange: /^[a-z ]+ (scratch\.|pg_toast)/,
  },
  /** Runs two functions by name, one of them a SECURITY DEFINER one. */
  caller: {
    scope: {
      relations: READ_PLACES,
      functions: ['app.hello', 'bank.transfer'],
      ddl: [],
      allow: [],
    },
    mayChange: /^(rows|sequence) bank\.(transfers|transfers_id_seq)$/,
  },
};
