/** Room on the disk: how much is left, what is set aside, and when new commands are refused for it (decision 19). */

/** What an open call, an open session and control events may still have to write. */
const RESULT_RESERVE_BYTES = 2048;
const SESSION_RESERVE_BYTES = 1024;
const CONTROL_RESERVE_BYTES = 1024 * 1024;
/** What a byte of leaf costs on disk until it is in the log and its segment is reused. */
const DISK_FACTOR = 3;
const FREE_POLL_MS = 500;

export interface RoomOptions {
  /** Free bytes below which there is no room. */
  readonly minFreeBytes: number;
  /** Free bytes below which it is low. Default 0: never. */
  readonly warnFreeBytes?: number;
  /** Asks the file system. */
  readonly freeBytes: () => number;
  /** Things that are open, each of which has room set aside. */
  readonly open: () => { readonly calls: number; readonly sessions: number };
  /** There may be room again. */
  readonly onChange: () => void;
  /** It has become low: once, until there is a tenth more than that. */
  readonly onLow?: (freeBytes: number) => void;
}

/** Free room that goes up and down around the mark is one alarm. */
const LOW_IS_OVER = 1.1;

export class Room {
  readonly #options: RoomOptions;
  #freeBytes: number;
  #writtenSinceFree = 0;
  #spooledSinceFree = 0;
  #isLow = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#freeBytes = options.freeBytes();
  }

  /** As of the last look, bytes. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Bytes of leaves and contents on their way to the journal. */
  noteWritten(bytes: number): void {
    this.#writtenSinceFree += bytes;
  }

  /** Bytes of a value that goes to the vault directly. */
  noteSpooled(bytes: number): void {
    this.#spooledSinceFree += bytes;
  }

  isFull(): boolean {
    const { calls, sessions } = this.#options.open();
    const reserved = calls * RESULT_RESERVE_BYTES + sessions * SESSION_RESERVE_BYTES + CONTROL_RESERVE_BYTES;
    const room = this.#freeBytes - this.#writtenSinceFree * DISK_FACTOR - this.#spooledSinceFree - reserved;
    return room < this.#options.minFreeBytes;
  }

  /** Whether the alarm is raised. */
  get isLow(): boolean {
    return this.#isLow;
  }

  /** What the file system said just now. */
  setFree(bytes: number): void {
    this.#freeBytes = bytes;
    this.#writtenSinceFree = 0;
    this.#spooledSinceFree = 0;
    const { warnFreeBytes = 0, onLow } = this.#options;
    if (this.#isLow) this.#isLow = bytes < warnFreeBytes * LOW_IS_OVER;
    else if (bytes < warnFreeBytes) {
      this.#isLow = true;
      onLow?.(bytes);
    }
  }

  /** Asks the file system now, and while there is no room again and again. */
  look(): void {
    this.setFree(this.#options.freeBytes());
    if (this.isFull()) this.watch();
  }

  /** Looks again until there is room. */
  watch(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.look();
      this.#options.onChange();
    }, FREE_POLL_MS);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
