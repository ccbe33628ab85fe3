import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Session } from "../cli/session/open.js";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Typed {
  readonly env?: NodeJS.ProcessEnv;
  readonly session?: Session;
  /** The exit code that it has to end with. @default 0 */
  readonly expect?: number;
}

/** `slipway WORDS` as typed in a folder, from its start to its end; what it prints is not looked at. */
export async function slipway(
  cwd: string,
  words: readonly string[],
  options: Typed = {},
): Promise<void> {
  const { env = {}, session, expect = 0 } = options;
  const known = session && {
    DAGGER_SESSION_PORT: String(session.endpoint.port),
    DAGGER_SESSION_TOKEN: session.endpoint.token,
  };
  const engine = session ? [] : ["--engine", "embedded"];
  const child = spawn(
    process.execPath,
    [join(ROOT, "ci", "cli", "slipway.mjs"), ...words, ...engine, "--quiet"],
    { cwd, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env, ...known } },
  );
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== expect) throw new Error(`slipway ${words[0] ?? ""} exited with ${String(code)}`);
}
