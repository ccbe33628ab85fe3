import { clean } from "../../src/core/text.js";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Text of tools and pods as it may go to a terminal or a job's log: nothing in it moves the cursor or
 * sets the clipboard, and no line of it is a command to GitHub's runner.
 */
export function harmless(text: string, env: Environment = process.env): string {
  const shown = clean(text);
  if (env.GITHUB_ACTIONS !== "true") return shown;
  return shown.replace(/^(\s*):(?=:)/gm, "$1: ").replaceAll("##[", "# #[");
}
