import { CountersignError } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'the gateway may not listen there',
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no such host name',
};

/** Runs `listen`; the system's refusal becomes `CS_CONFIG_INVALID` naming the key of the configuration. */
export async function naming<T>(
  key: string,
  place: { readonly host: string; readonly port: number },
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const reason = REASONS[code];
    if (reason === undefined) throw error;
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `${key}: ${reason}: ${place.host}:${place.port} (${code})`,
      cause: error,
    });
  }
}
