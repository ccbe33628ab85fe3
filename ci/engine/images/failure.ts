/** An image that could not be read or written; the message says what, where, why and what to do. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  constructor(
    message: string,
    /** HTTP status that the registry answered with, if it was that. */
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
