/** Something the person at the keyboard can act on: what failed, and what to do about it. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";

  /**
   * @param what What failed, and where.
   * @param hint What to do next; printed on a line of its own.
   */
  constructor(what: string, hint: string, options?: ErrorOptions) {
    super(`${what}\n  ${hint}`, options);
  }
}
