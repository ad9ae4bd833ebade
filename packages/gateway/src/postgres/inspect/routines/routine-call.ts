/** The few built-ins whose arguments decide what a call reaches. */
import type { Special } from '../../../policy/access.ts';
import { isSecretSetting } from './secret-settings.ts';

/** Settings that say who acts: changing one is the special of its statement. */
const IDENTITY_SETTINGS: ReadonlyMap<string, Special> = new Map([
  ['role', 'set-role'],
  ['session_authorization', 'set-session-authorization'],
]);

/**
 * What a call of a `setting` or `rewrite` built-in reaches.
 *
 * @param constants the arguments in order: the text of a string constant (casts to text and name aside), undefined for all else.
 * @param isOwners whether the call stands in a text of the catalog (a policy, a view), not in the caller's.
 */
export function reachOfCall(
  name: string,
  constants: readonly (string | undefined)[],
  isOwners = false,
): 'harmless' | Special {
  switch (name) {
    case 'current_setting':
      return isOwners && constants[0]?.includes('.') === true ? 'harmless' : reachOfReadSetting(constants[0]);
    case 'set_config':
      return reachOfChangedSetting(constants[0]);
    case 'ts_rewrite':
      // (tsquery, text) runs the text as a query; (tsquery, tsquery, tsquery) computes.
      return constants.length === 3 ? 'harmless' : 'dynamic-sql';
    default:
      return 'dynamic-sql';
  }
}

/**
 * Settings with a point in their names are an application's or an extension's; configurations keep keys and tokens in them. Row security policies
 * read them to know who asks: that is their owner's doing.
 *
 * @param setting undefined: its name is not known, so it may be any.
 */
export function reachOfReadSetting(setting: string | undefined): 'harmless' | 'catalog-values' {
  const isOpen = setting !== undefined && !setting.includes('.') && !isSecretSetting(setting);
  return isOpen ? 'harmless' : 'catalog-values';
}

/** Which settings may be changed at all is judged elsewhere (`settings.ts`); here, whether the change is one of identity. */
export function reachOfChangedSetting(setting: string | undefined): 'harmless' | Special {
  if (setting === undefined) return 'set-role';
  return IDENTITY_SETTINGS.get(setting.toLowerCase()) ?? 'harmless';
}
