/** What the command exits with; the numbers are an interface, scripts rely on them. */
export const EXIT = {
  passed: 0,
  checkFailed: 1,
  usage: 2,
  broken: 3,
  paused: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something to tell the person, with the code to exit with. Other errors are defects (code 3). */
export class CliError extends Error {
  override readonly name = "CliError";

  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
  }
}

/** A mistake in what was typed: the command did nothing. */
export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage);
}
