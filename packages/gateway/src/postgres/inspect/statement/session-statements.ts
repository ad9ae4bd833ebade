/** Statements that change the session alone: settings, transactions, notifications, DISCARD. */
import type { Special } from '../../../policy/access.ts';
import type { Effect } from '../classify.ts';
import type { SessionChange } from '../meaning.ts';
import { asKind } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { reachOfReadSetting } from '../routines/routine-call.ts';
import type { StatementPort } from './port.ts';

const IDENTITIES: ReadonlyMap<string, Special> = new Map([
  ['role', 'set-role'],
  ['session_authorization', 'set-session-authorization'],
]);

/** SET and RESET. Which settings may be changed and to what is the matter of `settings.ts`. */
export function analyzeSet(set: NodeOf<'VariableSetStmt'>, port: StatementPort): Effect {
  const name = set.name?.toLowerCase() ?? '';
  const identity = IDENTITIES.get(name);
  if (identity !== undefined && set.kind === 'VAR_SET_VALUE' && !isNone(name, set.args)) {
    port.demandSpecial(identity);
  }
  // "$user" and the schemas that may be used are another's now, on the way back too.
  if (identity !== undefined) port.change({ kind: 'anything' });
  if (set.kind === 'VAR_RESET_ALL') {
    port.change({ kind: 'search-path', value: 'default', local: false });
  } else if (name === 'search_path') {
    port.change({ kind: 'search-path', value: pathOf(set), local: set.is_local === true });
  }
  return 'read';
}

function isNone(name: string, args: readonly Node[] | undefined): boolean {
  return name === 'role' && constantText(args?.[0]) === 'none';
}

function constantText(node: Node | undefined): string | undefined {
  return asKind(node, 'A_Const')?.sval?.sval;
}

function pathOf(set: NodeOf<'VariableSetStmt'>): readonly string[] | 'default' | undefined {
  switch (set.kind) {
    case 'VAR_RESET':
    case 'VAR_SET_DEFAULT':
      return 'default';
    case 'VAR_SET_VALUE': {
      // Each item is one name, whatever is in it: the server quotes the items before it joins them.
      const names = (set.args ?? []).map((argument) => {
        const constant = asKind(argument, 'A_Const');
        return constant?.sval === undefined ? undefined : (constant.sval.sval ?? '');
      });
      return names.every((part) => part !== undefined) ? names : undefined;
    }
    default:
      return undefined;
  }
}

/** SHOW. Some settings are shown to superusers only; SHOW ALL shows them all. */
export function analyzeShow(show: NodeOf<'VariableShowStmt'>, port: StatementPort): Effect {
  const name = show.name ?? 'all';
  const reach = reachOfReadSetting(name.toLowerCase() === 'all' ? undefined : name);
  if (reach !== 'harmless') port.demandSpecial(reach);
  return 'read';
}

type TransactionChange = Extract<SessionChange, { readonly kind: 'transaction' }>;

const TRANSACTIONS: Readonly<
  Record<string, { readonly verb: TransactionChange['verb']; readonly effect: Effect }>
> = {
  TRANS_STMT_BEGIN: { verb: 'begin', effect: 'read' },
  TRANS_STMT_START: { verb: 'begin', effect: 'read' },
  TRANS_STMT_COMMIT: { verb: 'commit', effect: 'write' },
  TRANS_STMT_ROLLBACK: { verb: 'rollback', effect: 'read' },
  TRANS_STMT_SAVEPOINT: { verb: 'savepoint', effect: 'read' },
  TRANS_STMT_RELEASE: { verb: 'release', effect: 'read' },
  TRANS_STMT_ROLLBACK_TO: { verb: 'rollback-to', effect: 'read' },
  TRANS_STMT_PREPARE: { verb: 'prepare', effect: 'write' },
};

export function analyzeTransaction(statement: NodeOf<'TransactionStmt'>, port: StatementPort): Effect {
  const kind = statement.kind ?? 'TRANS_STMT_BEGIN';
  if (kind === 'TRANS_STMT_COMMIT_PREPARED' || kind === 'TRANS_STMT_ROLLBACK_PREPARED') {
    // They end what another session, perhaps another principal, prepared.
    port.demandSpecial('prepare-transaction');
    return 'write';
  }
  const known = TRANSACTIONS[kind];
  if (known === undefined) {
    port.unreadable('unknown-statement');
    return 'unknown';
  }
  if (known.verb === 'prepare') port.demandSpecial('prepare-transaction');
  const savepoint = statement.savepoint_name;
  port.change({
    kind: 'transaction',
    verb: known.verb,
    ...(savepoint === undefined ? {} : { savepoint }),
  });
  return known.effect;
}

export function analyzeDiscard(discard: NodeOf<'DiscardStmt'>, port: StatementPort): Effect {
  port.demandSpecial('discard');
  const target = discard.target ?? 'DISCARD_ALL';
  if (target === 'DISCARD_ALL') {
    port.change({ kind: 'search-path', value: 'default', local: false });
    port.change({ kind: 'deallocate' });
  }
  if (target === 'DISCARD_ALL' || target === 'DISCARD_TEMP') port.change({ kind: 'drop-temporary' });
  return 'write';
}

export function analyzeListen(_listen: NodeOf<'ListenStmt'>, port: StatementPort): Effect {
  port.demandSpecial('listen');
  return 'write';
}

/** Ends what LISTEN began. */
export const analyzeUnlisten = (): Effect => 'read';

export function analyzeNotify(_notify: NodeOf<'NotifyStmt'>, port: StatementPort): Effect {
  port.demandSpecial('notify');
  return 'write';
}

/** What fires then was demanded when it was written. */
export const analyzeSetConstraints = (): Effect => 'write';

export function analyzeLoad(_load: NodeOf<'LoadStmt'>, port: StatementPort): Effect {
  port.demandSpecial('load');
  return 'admin';
}
