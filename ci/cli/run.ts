import type { CommonOptions } from "./options.js";
import { Narration } from "./progress/narration.js";
import { makeProgress } from "./progress/progress.js";
import { openSession, type OpenOptions, type Session } from "./session/open.js";

/**
 * Opens a session for `work`, shows its steps, and ends what was started, however work ends. Work
 * calls `settle` before it writes: a list that is redrawn would take lines of the result away.
 *
 * @param narrated Step whose standard output is shown as it comes.
 */
export async function withSession<T>(
  options: Pick<CommonOptions, "engine" | "quiet" | "progress"> & Pick<OpenOptions, "eager">,
  signal: AbortSignal,
  work: (session: Session, settle: () => void) => Promise<T>,
  narrated?: string,
): Promise<T> {
  const progress = options.quiet ? undefined : makeProgress(options.progress);
  const narration =
    progress && narrated !== undefined
      ? new Narration(narrated, (line) => {
          progress.say(line);
        })
      : undefined;
  let settled = false;
  const settle = (): void => {
    if (!settled) progress?.finish();
    settled = true;
  };
  let session: Session | undefined;
  try {
    session = await openSession({
      engine: options.engine,
      eager: options.eager,
      signal,
      onStep:
        progress &&
        ((event) => {
          if (event.event === "planned" || event.event === "known") return;
          progress.step(event);
          narration?.hear(event);
        }),
    });
    if (session.engine === "dagger" && progress) {
      process.stderr.write(
        `engine: Dagger's, ${session.origin}; its steps are shown by dagger run\n`,
      );
    }
    return await work(session, settle);
  } finally {
    await session?.close();
    settle();
  }
}
