import type { LeafRef } from '../record/recorder.ts';
import type { SessionRequest } from './session.ts';

/** What of a context may change while a session lasts: the next call then cites another leaf. */
export interface Citing {
  /** Digest of the policies in force. */
  readonly policy: string | undefined;
  /** Epoch of the catalog, once a command was analysed. */
  readonly catalog: string | undefined;
  /** Version of the masking rules in force. */
  readonly masking?: string | undefined;
  /** Digest of which columns are regulated, once a command was analysed where some are. */
  readonly classification?: string | undefined;
}

/** Appends what is constant for the calls of a session (decision 13). */
export function openSessionContext(
  request: SessionRequest,
  { policy, catalog, masking, classification }: Citing,
): LeafRef {
  const { recorder, principal, grant } = request;
  const owner = recorder.commit(Buffer.from(principal.owner));
  return recorder.openContext(
    {
      principal: principal.name,
      owner: owner.digest,
      principalKind: principal.kind,
      grant: { id: grant.id, standing: true, expiresAtUs: grant.expiresAtUs },
      target: {
        name: grant.target,
        protocol: request.protocol,
        login: request.login ?? grant.login ?? 'none',
      },
      analysis: request.authorization === undefined ? 'lexical' : 'catalog',
      ...(policy === undefined ? {} : { policy }),
      scope: grant.scope.digest,
      ...(catalog === undefined ? {} : { catalog }),
      ...(masking === undefined ? {} : { masking }),
      ...(classification === undefined ? {} : { classification }),
      role: request.role ?? 'configured',
      class: request.retentionClass,
    },
    [{ field: 'owner', commitment: owner }],
  );
}
