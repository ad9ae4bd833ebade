/** What policies are asked, and what they answer. Whoever authorizes a command needs this and no more of Cedar. */

import type { Principal } from '../identity/principal.ts';
import type { Access } from './access.ts';

/** Whether a session may be opened at all: the first that is asked. */
export interface ConnectAccess {
  readonly kind: 'connect';
}

/** Whether values of a class may leave as they are, where the grant says so. `*`: values that may be of any class. */
export interface UnmaskAccess {
  readonly kind: 'unmask';
  readonly class: string;
}

export interface PolicyGrant {
  readonly id: string;
  /** From the configuration: nobody approved it for this occasion. */
  readonly standing: boolean;
  readonly purpose?: string;
}

/** One question. Everything in it comes from the configuration and from the target's catalog, nothing from the caller's own text. */
export interface PolicyRequest {
  readonly principal: Pick<Principal, 'name' | 'kind' | 'groups'>;
  readonly grant: PolicyGrant;
  /** Name of the target in the configuration. */
  readonly target: string;
  readonly database: string;
  readonly access: Access | ConnectAccess | UnmaskAccess;
}

/** A policy that could not be evaluated. `policy` is empty when the question itself could not be put. */
export interface PolicyEvaluationError {
  readonly policy: string;
  /** Cedar's own sentence; it may repeat names of the request. For `explain` and tests, never for a client or the gateway's log. */
  readonly message: string;
}

export interface PolicyDecision {
  readonly effect: 'permit' | 'forbid';
  /** Ids of the policies that decided, sorted. Empty when nothing permits it: there is no policy to name. */
  readonly policies: readonly string[];
  /** Not empty: the effect is `forbid`, whatever the other policies say. */
  readonly errors: readonly PolicyEvaluationError[];
}

/** Says yes only if a policy permits, none forbids, and every policy could be evaluated. Never throws. */
export interface PolicyDecider {
  /** SHA-256 of the texts, base64url: the key of whatever is remembered of its decisions. */
  readonly digest: string;
  decide(request: PolicyRequest): PolicyDecision;
}
