import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { OciConfig } from "./config.js";
import { childrenOf, findCommand } from "./processes.js";
import { besideCommand, stateFolder, type Runtime } from "./runtime.js";
import { Scrubber } from "./scrub.js";

const LOOK_MS = 20;

/** The file of the bundle that says what is to run; one at a time does. */
const DESCRIPTION = "beside.json";

/** How a process ended that ran beside the one that its container was made for. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A container that was launched. */
interface Place {
  /** Of the process that all of it runs below. */
  readonly pid: number;
  readonly bundle: string;
  readonly runtime: Runtime;
}

/**
 * Runs one more process in a container, to its end, as soon as that one runs. It ends with the container.
 *
 * @param secrets Plaintexts that are kept out of what it printed.
 * @returns undefined when the container is gone.
 */
export async function runBeside(
  place: Place,
  process: OciConfig["process"],
  secrets: readonly Buffer[] = [],
): Promise<Ran | undefined> {
  const runtime = await untilRunning(place);
  if (runtime === undefined) return undefined;
  const inside = `cd "$1"; umask 077; cat >${DESCRIPTION}; exec ${besideCommand(place.runtime, DESCRIPTION)} </dev/null`;
  const child = spawn(
    "nsenter",
    [`--target=${runtime}`, "--mount", "--pid", "--net", "sh", "-c", inside, "sh", place.bundle],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  // Of a container that ends meanwhile.
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(process));
  const exited = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      resolve(code ?? 137);
    });
  });
  const [exitCode, stdout, stderr] = await Promise.all([
    exited,
    scrubbed(child.stdout, secrets),
    scrubbed(child.stderr, secrets),
  ]);
  return { exitCode, stdout, stderr };
}

async function scrubbed(source: Readable, secrets: readonly Buffer[]): Promise<string> {
  const scrubber = new Scrubber(secrets);
  const printed = await buffer(source);
  return Buffer.concat([scrubber.push(printed), scrubber.end()]).toString();
}

/** The runtime's own process, once the command has started. */
async function untilRunning({ pid, bundle, runtime }: Place): Promise<number | undefined> {
  while (await exists(`/proc/${pid}`)) {
    const [child] = await childrenOf(pid);
    if (child !== undefined && typeof (await findCommand(child, bundle)) === "number") {
      // The command waits at this pipe until the runtime has made everything else.
      const waits = `/proc/${child}/root/${bundle}/${stateFolder(runtime)}/exec.fifo`;
      if (!(await exists(waits))) return child;
    }
    await sleep(LOOK_MS);
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
