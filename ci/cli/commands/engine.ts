import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Argv } from "yargs";
import type { PruneResult, StoreStatus } from "../../engine/store/types.js";
import { CliError, EXIT, usageError } from "../failure.js";
import { readOptions, type Given } from "../options.js";
import { withSession } from "../run.js";
import { askEngine } from "../session/admin.js";

/** `slipway engine serve|run|status|prune`. */
export function engineCommands(
  yargs: Argv,
  signal: AbortSignal,
  program: readonly string[],
  exit: (code: undefined) => void,
): Argv {
  return yargs
    .command(
      "serve",
      "Serve a session until Ctrl-C, and print where",
      (sub) => sub,
      (given) => serve(given, signal),
    )
    .command(
      "run",
      "Run a program in a session: engine run -- CMD",
      (sub) => sub,
      async (given) => {
        await run(given, program, signal);
        exit(undefined);
      },
    )
    .command(
      "status",
      "Show what the embedded engine's cache holds",
      (sub) => sub,
      (given) => status(given, signal),
    )
    .command(
      "prune",
      "Remove what the embedded engine has not used for longest",
      (sub) =>
        sub.option("all", { type: "boolean", describe: "Remove everything" }).option("to", {
          type: "string",
          describe: "How much to keep, such as 5GiB; default: the budget",
          requiresArg: true,
        }),
      (given) => prune(given, signal),
    )
    .demandCommand(1, "engine needs one of serve, run, status, prune.");
}

async function serve(given: Given, signal: AbortSignal): Promise<void> {
  const options = readOptions(given);
  await withSession(options, signal, async ({ endpoint: { port, token } }) => {
    const text =
      options.output === "json"
        ? JSON.stringify({ port, session_token: token })
        : `export DAGGER_SESSION_PORT=${port} DAGGER_SESSION_TOKEN=${token}`;
    process.stdout.write(`${text}\n`);
    // A timer keeps the process alive; a signal alone would not.
    const awake = setInterval(() => undefined, 1 << 30);
    await once(signal, "abort");
    clearInterval(awake);
  });
}

async function run(given: Given, program: readonly string[], signal: AbortSignal): Promise<void> {
  const [command, ...args] = program;
  if (command === undefined)
    throw usageError("engine run: what? Write it after --: slipway engine run -- CMD");
  // The program has the terminal: progress would be in its way unless asked for.
  const options = readOptions(given);
  const progress = options.progress === "auto" ? "none" : options.progress;
  await withSession({ ...options, progress }, signal, async ({ endpoint }) => {
    const child = spawn(command, args, {
      stdio: "inherit",
      env: {
        ...process.env,
        DAGGER_SESSION_PORT: String(endpoint.port),
        DAGGER_SESSION_TOKEN: endpoint.token,
      },
    });
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (error) => {
        reject(new CliError(`${command} does not start: ${error.message}`, EXIT.usage));
      });
      child.once("close", (exit) => {
        resolve(exit ?? EXIT.broken);
      });
    });
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    // The program's own code, whatever it means.
    process.exitCode = code;
  });
}

async function status(given: Given, signal: AbortSignal): Promise<void> {
  const found = await askEngine<StoreStatus>(signal, "status");
  if (readOptions(given).output === "json") {
    process.stdout.write(`${JSON.stringify(found)}\n`);
    return;
  }
  const others = found.leases.length - 1;
  process.stdout.write(
    [
      `cache:   ${found.root}`,
      `size:    ${size(found.bytes)} of ${size(found.budget)}`,
      `holds:   ${found.layers} layers, ${found.blobs} blobs, ${found.volumes} volumes, ${found.memos} results`,
      `used by: ${others > 0 ? `${others} other engines` : "nobody else"}`,
      "",
    ].join("\n"),
  );
}

async function prune(given: Given, signal: AbortSignal): Promise<void> {
  const to = given.to as string | undefined;
  const argument = given.all === true ? ["all"] : to === undefined ? [] : [String(bytes(to))];
  const result = await askEngine<PruneResult>(signal, "prune", ...argument);
  const text =
    readOptions(given).output === "json"
      ? JSON.stringify(result)
      : `freed ${size(result.freedBytes)}, kept ${size(result.bytes)}: removed ${result.layers} layers, ${result.blobs} blobs, ${result.volumes} volumes`;
  process.stdout.write(`${text}\n`);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `5GiB`, `500MB`, `1000000` → bytes. Throws CliError (2). */
function bytes(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined)
    throw usageError(`--to: expected a size such as 5GiB, got ${JSON.stringify(text)}.`);
  return Math.round(Number(number) * 1024 ** " kmgt".indexOf(unit.toLowerCase() || " "));
}

function size(count: number): string {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10));
  const amount = count / 1024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${UNITS[power] ?? ""}`;
}
