/** Columns that a definition computes and stores. */
import { asKind, walkNodes } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';

/**
 * Whether a definition has an expression by which rows get what is stored in a column: GENERATED, SET EXPRESSION, or the USING of another type. What it computes of
 * columns is told where these are looked at; what code that it calls may have read is of no class once it is stored. Defaults are followed on their own.
 */
export function storesComputed(node: Node): boolean {
  let found = false;
  walkNodes(node, (kind, fields) => {
    if (kind === 'Constraint') {
      if ((fields as NodeOf<'Constraint'>).contype === 'CONSTR_GENERATED') found = true;
    } else if (kind === 'AlterTableCmd') {
      const { subtype, def } = fields as NodeOf<'AlterTableCmd'>;
      const isUsing = subtype === 'AT_AlterColumnType' && asKind(def, 'ColumnDef')?.raw_default !== undefined;
      if (isUsing || subtype === 'AT_SetExpression') found = true;
    }
  });
  return found;
}
