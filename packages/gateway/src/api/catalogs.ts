import { z } from 'zod';

/** Default database: the target's. */
export const catalogRequestSchema = z.strictObject({
  target: z.string().min(1).max(63),
  database: z.string().min(1).max(63).optional(),
});

export type CatalogRequest = z.infer<typeof catalogRequestSchema>;

/** Gives the catalog by which statements on a database are understood now, as plain data. */
export interface CatalogService {
  /** Throws `CS_REQUEST_INVALID` for a target that is not configured, `CS_CATALOG_UNAVAILABLE`, `CS_RECORD_*`. */
  read(request: CatalogRequest): Promise<unknown>;
}
