/** A failure of an operation that its caller can read and act on. */
export class EngineError extends Error {
  override readonly name: string = "EngineError";
}

/** A command in a container that ended otherwise than expected; SDKs turn it into their ExecError. */
export class ExecFailure extends EngineError {
  override readonly name = "ExecFailure";
  readonly extensions: Record<string, unknown>;

  constructor(
    readonly cmd: readonly string[],
    readonly exitCode: number,
    readonly stdout: string,
    readonly stderr: string,
    /** What it was run for, before how it ended. */
    readonly context = "",
  ) {
    super(`${context}exit code: ${exitCode}`);
    this.extensions = { _type: "EXEC_ERROR", cmd, exitCode, stdout, stderr };
  }
}
