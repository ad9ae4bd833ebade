/** The word that a statement begins with, from its tree: for statements whose first word is a bracket, and inside of PREPARE. */
import type { StatementKind } from '../classify.ts';
import { kindOf } from '../parse/tree.ts';
import type { Node } from '../parse/tree.ts';

const KINDS: Readonly<Record<string, StatementKind>> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
  CopyStmt: 'copy',
  VariableSetStmt: 'set',
  VariableShowStmt: 'show',
  ConstraintsSetStmt: 'set',
  DiscardStmt: 'discard',
  ListenStmt: 'listen',
  UnlistenStmt: 'unlisten',
  NotifyStmt: 'notify',
  LoadStmt: 'load',
  PrepareStmt: 'prepare',
  ExecuteStmt: 'execute',
  DeallocateStmt: 'deallocate',
  ExplainStmt: 'explain',
  DeclareCursorStmt: 'declare',
  FetchStmt: 'fetch',
  ClosePortalStmt: 'close',
  DoStmt: 'do',
  CallStmt: 'call',
  TruncateStmt: 'truncate',
  LockStmt: 'lock',
  VacuumStmt: 'vacuum',
  ClusterStmt: 'cluster',
  ReindexStmt: 'reindex',
  RefreshMatViewStmt: 'refresh',
  CommentStmt: 'comment',
  SecLabelStmt: 'security',
  CheckPointStmt: 'checkpoint',
  ImportForeignSchemaStmt: 'import',
  ReassignOwnedStmt: 'reassign',
};

/** CREATE, ALTER and DROP begin the names of their nodes, with a few exceptions. */
export function kindOfStatement(node: Node): StatementKind {
  const kind = kindOf(node);
  const known = KINDS[kind];
  if (known !== undefined) return known;
  if (kind.startsWith('Alter') || kind === 'RenameStmt') return 'alter';
  if (kind.startsWith('Drop')) return 'drop';
  if (kind.startsWith('Grant')) return 'grant';
  return kind === 'TransactionStmt' ? 'begin' : 'create';
}
