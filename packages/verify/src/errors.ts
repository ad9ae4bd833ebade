/** Thrown by every decoder here: the bytes are not what the format says. The message names the rule, never a value. */
export class FormatError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FormatError';
  }
}
