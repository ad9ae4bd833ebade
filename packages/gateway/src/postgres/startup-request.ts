import { CountersignError } from '../errors.ts';
import type { ClientProtocolVersion } from './authenticated-client.ts';
import { isPinnedValue, PINNED_SETTINGS } from './inspect/settings.ts';
import { parseStartupOptions } from './startup-options.ts';
import { PROTOCOL_3_2, type StartupMessage } from './wire/index.ts';

/** What a client asks for at start-up (decision 31), before anything of it is believed. */
export interface StartupRequest {
  readonly user: string;
  readonly targetName: string;
  readonly database?: string;
  readonly grantId?: string;
  /** `-c countersign.auth=token`. */
  readonly wantsToken: boolean;
  readonly applicationName?: string;
  /** All other settings, names in lower case. */
  readonly settings: ReadonlyMap<string, string>;
  readonly protocolVersion: ClientProtocolVersion;
}

/** PostgreSQL's `NAMEDATALEN - 1`. */
const MAX_NAME_BYTES = 63;

const NOT_SETTINGS = new Set(['user', 'database', 'options', 'replication', 'application_name']);

/**
 * Throws `CS_PROTOCOL_VIOLATION` without a user name, `CS_PROTOCOL_UNSUPPORTED` for replication, `CS_SETTING_DENIED` for options
 * that are not settings, unknown `countersign.*` ones, and pins with another value.
 */
export function readStartupRequest(startup: StartupMessage): StartupRequest {
  const { parameters } = startup;
  const user = parameters.get('user') ?? '';
  if (user === '')
    throw new CountersignError('CS_PROTOCOL_VIOLATION', { detail: 'no user name in the start-up packet' });
  refuseReplication(parameters.get('replication'));
  const settings = collectSettings(parameters);
  const grantId = take(settings, 'countersign.grant');
  const auth = take(settings, 'countersign.auth');
  if (auth !== undefined && auth !== 'token' && auth !== 'scram')
    throw denied('countersign.auth', 'It takes token or scram.');
  for (const name of settings.keys()) {
    if (name.startsWith('countersign.'))
      throw denied('countersign.*', 'Known: countersign.grant, countersign.auth.');
  }
  takePins(settings);
  const applicationName = parameters.get('application_name') ?? take(settings, 'application_name') ?? '';
  settings.delete('application_name');
  const { targetName, database } = splitDatabaseName(parameters.get('database') || user);
  return {
    user,
    targetName,
    ...(database === undefined ? {} : { database }),
    ...(grantId === undefined ? {} : { grantId }),
    wantsToken: auth === 'token',
    ...(applicationName === '' ? {} : { applicationName: cleanApplicationName(applicationName) }),
    settings,
    protocolVersion: startup.protocolVersion >= PROTOCOL_3_2 ? '3.2' : '3.0',
  };
}

/** `<target>[/<database>]`. A target's name has no slash; a database's may. */
function splitDatabaseName(name: string): { readonly targetName: string; readonly database?: string } {
  const slash = name.indexOf('/');
  if (slash < 0) return { targetName: name };
  const database = name.slice(slash + 1);
  const targetName = name.slice(0, slash);
  return database === '' ? { targetName } : { targetName, database };
}

function refuseReplication(value: string | undefined): void {
  if (value === undefined || /^(f|false|off|no|n|0)$/i.test(value)) return;
  throw new CountersignError('CS_PROTOCOL_UNSUPPORTED', { detail: 'replication connections' });
}

/** As the server applies them: `options` first, then the packet's own parameters, the last one wins. */
function collectSettings(parameters: ReadonlyMap<string, string>): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of parseStartupOptions(parameters.get('options') ?? '')) settings.set(name, value);
  for (const [name, value] of parameters) {
    if (!NOT_SETTINGS.has(name) && !name.startsWith('_pq_.')) settings.set(name.toLowerCase(), value);
  }
  return settings;
}

/**
 * Decision 2. The gateway sends the pins itself; a client may repeat them. One without a locale asks for SQL_ASCII, which
 * means "no conversion": it gets UTF8, and is told so by ParameterStatus.
 */
function takePins(settings: Map<string, string>): void {
  for (const name of PINNED_SETTINGS.keys()) {
    const value = take(settings, name);
    if (value === undefined || isPinnedValue(name, value)) continue;
    if (name === 'client_encoding' && value.toUpperCase() === 'SQL_ASCII') continue;
    throw denied(name, 'Connect with client_encoding=UTF8 and leave standard_conforming_strings on.');
  }
}

function take(settings: Map<string, string>, name: string): string | undefined {
  const value = settings.get(name);
  settings.delete(name);
  return value;
}

/** As the server does (`pg_clean_ascii`): what is not printable ASCII becomes `?`; cut to a name's length. */
function cleanApplicationName(name: string): string {
  return Buffer.from(name, 'utf8')
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_NAME_BYTES);
}

function denied(setting: string, hint: string): CountersignError {
  return new CountersignError('CS_SETTING_DENIED', { detail: setting, hint });
}
