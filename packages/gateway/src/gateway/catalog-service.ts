import type { CatalogRequest, CatalogService } from '../api/catalogs.ts';
import type { CountersignConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { CatalogData } from '../postgres/catalog/catalog.ts';
import type { Catalogs } from './catalogs.ts';

/** For the control socket: the snapshot in force, read from the target if no session has needed it yet. */
export function catalogService(catalogs: Catalogs, config: () => CountersignConfig): CatalogService {
  return {
    read: async ({ target: name, database }: CatalogRequest): Promise<CatalogData> => {
      const target = config().targets.find((each) => each.name === name);
      if (target === undefined) {
        throw new CountersignError('CS_REQUEST_INVALID', { detail: 'no such target is configured' });
      }
      const lease = catalogs.lease(target, database);
      try {
        return (await lease.get()).data;
      } finally {
        lease.release();
      }
    },
  };
}
