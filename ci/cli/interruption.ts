import { CliError, EXIT } from "./failure.js";

/**
 * Ctrl-C and its like, as a signal for all that runs. The second one ends the command on the spot;
 * the engine notices by its standard input and cleans up by itself.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort(
        new CliError("Interrupted: everything that ran was stopped.", EXIT.interrupted),
      );
    });
  }
  return controller.signal;
}
