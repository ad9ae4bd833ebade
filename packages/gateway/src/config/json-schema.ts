import { z } from 'zod';

import { fileSchema } from './file-schema.ts';

/** JSON Schema of `countersign.yaml`, for editors. `docs/countersign.schema.json` says the same, formatted. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ title: 'countersign.yaml', ...schema }, undefined, 2)}\n`;
}
