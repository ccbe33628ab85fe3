/**
 * What Dagger's init prints for a command that cannot be started, given the runtime's words for it. Throws when the
 * reason is not the command but the machine or the engine.
 */
export function commandError(command: string, failure: string): string {
  const bare = !command.includes("/");
  const notFound = `exec: ${JSON.stringify(command)}: executable file not found in $PATH`;
  if (/executable file .* not found|exec.*: No such file or directory/.test(failure)) {
    return bare ? notFound : `fork/exec ${command}: no such file or directory`;
  }
  if (
    /(open executable|exec\b.*): (Permission denied|Operation not permitted|Is a directory)/.test(
      failure,
    )
  ) {
    return bare ? notFound : `fork/exec ${command}: permission denied`;
  }
  if (/Exec format error/i.test(failure)) return `fork/exec ${command}: exec format error`;
  throw new Error(`the container could not be started: ${failure}`);
}
