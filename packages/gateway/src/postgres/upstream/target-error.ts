import { CountersignError } from '../../errors.ts';
import { FIELD, type ResponseFields } from '../wire/index.ts';
import { TryNextHost } from './try-next-host.ts';

/** What we say for a SQLSTATE of the target at start-up. Fixed sentences: the target's own words stay with us. */
const SENTENCES: Readonly<Record<string, string>> = {
  '53300': 'too many connections in the target',
  '57P03': 'the target is starting up or shutting down',
  '57P01': 'the target is shutting down',
  '57P02': 'the target is recovering from a crash',
  '3D000': 'the database does not exist in the target',
  '42501': 'the login may not connect to this database',
  '55000': 'the database does not accept connections',
};

/** Another host may do better. */
const PASSING = new Set(['53300', '57P03', '57P01', '57P02']);

/**
 * An ErrorResponse of the target before the session is ready. Class 28 (invalid authorization) is `CS_TARGET_AUTHN`, all
 * others `CS_TARGET_UNAVAILABLE`; those that are a matter of this host come wrapped in `TryNextHost`.
 */
export function targetError(fields: ResponseFields): Error {
  const sqlState = fields.get(FIELD.sqlState) ?? '';
  const isKnown = /^[0-9A-Z]{5}$/.test(sqlState);
  if (isKnown && sqlState.startsWith('28')) {
    return new CountersignError('CS_TARGET_AUTHN', { detail: `SQLSTATE ${sqlState} from the target` });
  }
  const sentence = SENTENCES[sqlState];
  const state = isKnown ? `SQLSTATE ${sqlState} from the target` : 'the target answered with an error';
  const error = new CountersignError('CS_TARGET_UNAVAILABLE', {
    detail: sentence === undefined ? state : `${sentence} (${state})`,
  });
  return PASSING.has(sqlState) ? new TryNextHost(error) : error;
}
