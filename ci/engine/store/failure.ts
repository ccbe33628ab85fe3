/** A store operation that failed; the message says what, where, why and what to do. `code` is the system's, e.g. `ENOENT`. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  constructor(
    message: string,
    readonly code?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A path inside a root that is not there or is not what was needed; the message has the path as the container sees it. */
export class TreeError extends StoreError {
  override readonly name = "TreeError";
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** Turns "no space" in any of its forms into one message with a way out; other errors pass unchanged. */
export function explain(error: unknown, root: string): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  if (error instanceof StoreError && error.message.startsWith("The disk is full")) return error;
  if (
    code === "ENOSPC" ||
    code === "EDQUOT" ||
    /no space left|quota exceeded|wrote only \d+ of/i.test(text)
  ) {
    return new StoreError(
      `The disk is full: nothing more can be written under ${root}. ` +
        "Free some space, run `slipway engine prune`, or point SLIPWAY_CACHE at a larger disk.",
      "ENOSPC",
      { cause: error },
    );
  }
  return error;
}
