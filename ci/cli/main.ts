import type { Argv } from "yargs";
import { CliError, EXIT, type ExitCode } from "./failure.js";
import { interruption } from "./interruption.js";
import { commonOptions } from "./options.js";

/** Commands whose flags come from the module's types: what follows them is not for yargs. */
const TYPED = ["check", "test", "build", "publish", "call"] as const;

const EPILOGUE = `Exit codes: 0 passed, 1 a check failed, 2 usage or configuration, 3 a tool or engine error, 130 interrupted.
Results go to standard output, progress and errors to standard error.
A relative path in --source (default: the current folder) and other flags starts in the current folder.`;

type Given = Readonly<Record<string, unknown>>;

/** Runs the command line; resolves with the code to exit with. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  const signal = interruption();
  const at = argv.findIndex((word) => TYPED.some((name) => name === word));
  const own = at < 0 ? argv : argv.slice(0, at + 1);
  const words = at < 0 ? [] : argv.slice(at + 1);
  const { default: yargs } = await import("yargs");
  let code: ExitCode = EXIT.passed;
  const parser = yargs([...own])
    .scriptName("slipway")
    .usage(
      "$0 COMMAND\n\nThe delivery pipeline of a Python service, on Dagger's engine or the embedded one.",
    )
    .options(commonOptions)
    .command(
      "check [names..]",
      "Run the checks, print a table, write the reports",
      anything,
      async (given) => {
        code = await (await import("./commands/check.js")).check(given, words, signal);
      },
    );
  for (const [name, describe] of [
    ["test", "Run the tests; flags as in call test"],
    ["build", "Build the service's image; -o image.tar writes it to a file"],
    ["publish", "Build the image and publish it by digest"],
  ] as const) {
    parser.command(name, describe, anything, async (given) => {
      await (await import("./commands/call.js")).call(given, [name], words, signal);
    });
  }
  parser
    .command(
      "call [words..]",
      "Call any function: call FUNCTION [flags] [FUNCTION [flags]]…",
      anything,
      async (given) => {
        await (await import("./commands/call.js")).call(given, [], words, signal);
      },
    )
    .command("functions", "List the module's functions", anything, async (given) => {
      await (await import("./commands/functions.js")).functions(given, signal);
    })
    .demandCommand(1, "")
    .strict()
    .version(false)
    .epilogue(EPILOGUE)
    .exitProcess(false);
  await parser.parseAsync();
  return code;
}

function anything(yargs: Argv): Argv {
  return yargs;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof CliError;
    process.stderr.write(`slipway: ${(error as Error).message}\n`);
    process.exitCode = known ? error.exitCode : EXIT.broken;
  },
);
