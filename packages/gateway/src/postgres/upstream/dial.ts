import { CountersignError, isCountersignError } from '../../errors.ts';
import type { LoginConfig, PostgresTargetConfig, TargetSessionAttrs } from '../../config/config.ts';
import { connectHost, type Host, TryNextHost } from './connect-host.ts';
import { loadCredentials } from './credentials.ts';
import { hasSessionAttrs } from './session-attrs.ts';
import type { DialOptions, TargetConnection } from './target-connection.ts';

/**
 * Opens a session in the target as `login`. Hosts are tried in the order of the configuration, each for at most
 * `connectTimeoutMs`; an error that another host may not have (cannot be reached, starting up, full, wrong session
 * attributes) goes on to the next one, any other ends the dial. What it throws: see `DialTarget`.
 */
export async function dialTarget(
  target: PostgresTargetConfig,
  login: LoginConfig,
  options: DialOptions,
): Promise<TargetConnection> {
  const credentials = await loadCredentials(target, login, options.secrets);
  let last: CountersignError | undefined;
  for (const attrs of passes(target.targetSessionAttrs)) {
    for (const host of target.hosts) {
      try {
        return await dialHost({ target, login, options, credentials, host }, attrs);
      } catch (error) {
        last = asTargetError(error);
        if (!(error instanceof TryNextHost) || options.signal?.aborted === true) throw last;
      }
    }
  }
  throw last ?? new CountersignError('CS_TARGET_UNAVAILABLE', { detail: 'no host is configured' });
}

/** `prefer-standby`: a standby if there is one, else any. */
function passes(attrs: TargetSessionAttrs): readonly Exclude<TargetSessionAttrs, 'prefer-standby'>[] {
  return attrs === 'prefer-standby' ? ['standby', 'any'] : [attrs];
}

async function dialHost(
  host: Host,
  attrs: Exclude<TargetSessionAttrs, 'prefer-standby'>,
): Promise<TargetConnection> {
  const session = await connectHost(host);
  try {
    if (!(await hasSessionAttrs(session, attrs))) {
      throw new TryNextHost(
        new CountersignError('CS_TARGET_UNAVAILABLE', { detail: `no host is ${attrs} at present` }),
      );
    }
    return session.handOver(await session.introduce());
  } catch (error) {
    session.end();
    throw error;
  }
}

function asTargetError(error: unknown): CountersignError {
  if (error instanceof TryNextHost) return error.error;
  if (isCountersignError(error)) {
    // A target that does not speak the protocol is a target that cannot be used; our client broke nothing.
    return error.code === 'CS_PROTOCOL_VIOLATION'
      ? new CountersignError('CS_TARGET_UNAVAILABLE', {
          detail: 'the target broke the protocol',
          cause: error,
        })
      : error;
  }
  return new CountersignError('CS_TARGET_UNAVAILABLE', { cause: error });
}
