/** The elements of an array as a constant has them: `{a,"b c",{d,NULL}}` (arrayfuncs.c). */

/**
 * In order, those of inner arrays too; NULL left out. What is no array is one element: the server will say so, or casts it first.
 */
export function elementsOfLiteral(text: string): readonly string[] {
  const start = text.indexOf('{');
  if (start === -1) return [text];
  const elements: string[] = [];
  const part = /[{},\s]+|"((?:[^"\\]|\\.)*)"|((?:[^{},"\\]|\\.)+)/suy;
  part.lastIndex = start;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return [text];
    const [, quoted, plain] = match;
    if (quoted !== undefined) elements.push(quoted.replaceAll(/\\(.)/gsu, '$1'));
    else if (plain !== undefined && !/^\s*null\s*$/iu.test(plain))
      elements.push(plain.trim().replaceAll(/\\(.)/gsu, '$1'));
  }
  return elements;
}
