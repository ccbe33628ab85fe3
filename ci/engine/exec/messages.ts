/**
 * What Dagger's init prints for a command that cannot be started, given the runtime's words for it. Throws when the
 * reason is not the command but the machine or the engine.
 */
export function commandError(command: string, failure: string): string {
  const bare = !command.includes("/");
  const started = /exec container process[^`]*`([^`]+)`|(?:^|\n)exec (\S+):/.exec(failure);
  if (started !== null) {
    const path = bare ? (started[1] ?? started[2] ?? command) : command;
    return `fork/exec ${path}: ${reasonIn(failure) ?? "cannot be executed"}`;
  }
  if (!/executable file|open executable:|\bexec: /.test(failure)) {
    throw new Error(`the container could not be started: ${failure}`);
  }
  if (bare) return `exec: ${JSON.stringify(command)}: executable file not found in $PATH`;
  return `fork/exec ${command}: ${reasonIn(failure) ?? "no such file or directory"}`;
}

/** Whether these words, alone on stderr, are the runtime's: its last step is to become the command. */
export function isExecFailure(words: string): boolean {
  return /^(\{"msg":"exec container process [^\n]*\}|exec \S+: [^\n]+)\n?$/.test(words);
}

function reasonIn(failure: string): string | undefined {
  if (/permission denied|operation not permitted|is a directory/i.test(failure)) {
    return "permission denied";
  }
  return /exec format error|no such file or directory/i.exec(failure)?.[0].toLowerCase();
}
