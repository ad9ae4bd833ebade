/** XML: made of texts it cannot fail, everything else can by its content. */
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { UNKNOWN_TYPE, derivedOf, isRegulated } from '../value.ts';
import { derivedFrom, lineageOfExpression } from './expression.ts';
import type { Scope } from './scope.ts';

/** text, varchar, char, name, xml: other types have values (infinite dates) that XML has not. */
const TEXT_TYPES: ReadonlySet<number | undefined> = new Set([UNKNOWN_TYPE, 25, 1043, 1042, 19, 142]);

const TOTAL_OPERATIONS: ReadonlySet<string | undefined> = new Set([
  'IS_XMLCONCAT',
  'IS_XMLELEMENT',
  'IS_XMLFOREST',
]);

export function valueOfXml(node: Node, scope: Scope | undefined, context: LineageContext): Value {
  const serialized = asKind(node, 'XmlSerialize');
  if (serialized !== undefined) {
    const value = derivedFrom([serialized.expr], scope, context);
    // Of what type the text is to be could make it fail.
    context.collector.oracle('fallible', value.sources);
    return value;
  }
  const xml = asKind(node, 'XmlExpr');
  if (xml === undefined) throw new UnknownLineage('XmlExpr');
  const nodes = [...(xml.named_args ?? []), ...(xml.args ?? [])].map(
    (each) => asKind(each, 'ResTarget')?.val ?? each,
  );
  const values = nodes.map((each) => lineageOfExpression(each, scope, context));
  const value = derivedOf(values);
  const isTotal =
    TOTAL_OPERATIONS.has(xml.op) &&
    values.every((each) => !isRegulated(each) || TEXT_TYPES.has(each.typeOid));
  if (!isTotal) context.collector.oracle('fallible', value.sources);
  return value;
}
