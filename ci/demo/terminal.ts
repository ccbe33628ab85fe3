import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { mirrors, registryAddress } from "../sandbox/registry.js";
import { seconds } from "../sandbox/toolchain.js";

/** The repository's root. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A step did not end as it should; its own output says why. */
export class StepError extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/** A heading for what follows, and what it is about. */
export function chapter(title: string, about: string): void {
  console.log(`\n== ${title}\n   ${about}\n`);
}

/** How a step is run. */
interface StepOptions {
  /** Variables besides the ones of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The code that it is to end with. @default 0 */
  readonly expect?: number;
}

/** Runs one of this project's programs with its output on the terminal. */
export async function runNode(
  args: readonly string[],
  { env = {}, expect = 0 }: StepOptions = {},
): Promise<void> {
  const began = Date.now();
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, SLIPWAY_MIRRORS: mirrors(registryAddress()), ...env },
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== expect)
    throw new StepError(
      expect === 0
        ? `stopped after ${seconds(began)}`
        : `this step was to end with exit code ${expect}, not ${code ?? "by a signal"}`,
      code === null ? 130 : code === 0 ? 1 : code,
    );
  console.log(expect === 0 ? `   (${seconds(began)})` : `   (${seconds(began)}, exit ${expect})`);
}

/** What runs the steps: `embedded`, or `dagger`, the session or the command that is there. */
const ENGINE = process.env.ENGINE ?? "embedded";

/** Shows the command as a person would type it, then runs it. */
export async function slipway(args: readonly string[], options: StepOptions = {}): Promise<void> {
  console.log(`$ slipway ${args.join(" ")}`);
  const program = join("ci", "cli", "slipway.mjs");
  await runNode([program, ...args, `--engine=${ENGINE}`], options);
}
