import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

export const CONTROL_SOCKET = 'control.sock';

/** `sockaddr_un.sun_path` has 108 bytes, the last of which is NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

export interface ControlPath {
  /** What to bind or connect to. */
  readonly path: string;
  /** Call when the socket was bound, or the connection made. */
  release(): void;
}

/** The path of a state directory's control socket, also where the directory's own path is too long for a socket. */
export function openControlPath(stateDirectory: string): ControlPath {
  const path = join(stateDirectory, CONTROL_SOCKET);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, release: () => {} };
  const descriptor = openSync(stateDirectory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${descriptor}/${CONTROL_SOCKET}`, release: () => closeSync(descriptor) };
}
