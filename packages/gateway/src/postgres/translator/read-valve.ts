import type { Socket } from 'node:net';

/** Whether a socket is read. Everyone who closes it has to open it again before it is. */
export class ReadValve {
  readonly #socket: Socket;
  #closed = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Stops reading until the returned function is called (more calls of it do nothing). */
  close(): () => void {
    this.#closed += 1;
    if (this.#closed === 1) this.#socket.pause();
    let isOpen = false;
    return () => {
      if (isOpen) return;
      isOpen = true;
      this.#closed -= 1;
      if (this.#closed === 0) this.#socket.resume();
    };
  }
}

/** One reason to close a valve, which comes and goes. */
export class ValveReason {
  readonly #valve: ReadValve;
  #open: (() => void) | undefined;

  constructor(valve: ReadValve) {
    this.#valve = valve;
  }

  set(isClosed: boolean): void {
    if (isClosed) this.#open ??= this.#valve.close();
    else {
      this.#open?.();
      this.#open = undefined;
    }
  }
}
