/** Where rebuilt messages are written, one behind the other: one allocation serves a run of rows, and rows that lie next to each other leave in one write. */

const FIRST_BYTES = 4_096;
const SLAB_BYTES = 65_536;

export class OutputSlab {
  /** What was written stays as it is: readers may hold it for as long as they like. */
  buffer: Buffer = Buffer.alloc(0);
  /** Where the next byte goes. */
  at = 0;

  /** Makes room for `bytes` in one piece behind `at`. Both fields may change. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const grown = Math.min(SLAB_BYTES, Math.max(FIRST_BYTES, 2 * this.buffer.length));
    this.buffer = Buffer.allocUnsafeSlow(Math.max(bytes, grown));
    this.at = 0;
  }
}
