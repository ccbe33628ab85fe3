import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Argv } from "yargs";
import { commandOf } from "./command.js";
import { DELIVERIES, type DeliveryCommand } from "./deliveries.js";
import { CliError, EXIT, usageError, type ExitCode } from "./failure.js";
import { harmless } from "./harmless.js";
import { interruption } from "./interruption.js";
import { didYouMean } from "./names.js";
import { commonOptions } from "./options.js";
import { outliveReaders } from "./unread.js";

/** Commands whose flags come from the module's types: what follows them is not for yargs. */
const VERDICTS = ["scan", "verify", "release", "validate"] as const;
const BUILDS = ["check", "test", "build", "publish", "sbom", "sign", "diff", "call", "plan"];
const TYPED = [...BUILDS, ...VERDICTS, ...Object.keys(DELIVERIES)];
const COMMANDS = [...TYPED, "keys", "functions", "report", "engine", "doctor", "init"];

const EPILOGUE = `Exit codes: 0 passed, 1 a check failed, 2 usage or configuration, 3 a tool or engine error, 4 a deployment paused, 130 interrupted.
Results go to standard output, progress and errors to standard error.
Flags of ${TYPED.join(", ")} come from the module: see slipway COMMAND --help.`;

/** Runs the command line; resolves with the code to exit with, unless a program decided that. */
async function main(argv: readonly string[]): Promise<ExitCode | undefined> {
  outliveReaders();
  const signal = interruption();
  const { command, at } = commandOf(argv);
  if (command === "help") return await main([...argv.slice(at + 1), "--help"]);
  if (command === undefined && argv.includes("--version")) {
    process.stdout.write(`${await version()}\n`);
    return EXIT.passed;
  }
  if (command !== undefined && !COMMANDS.includes(command)) {
    throw usageError(
      `unknown command "${command}".${didYouMean(command, COMMANDS)} There are: ${COMMANDS.join(", ")}.`,
    );
  }
  const isTyped = command !== undefined && TYPED.includes(command);
  const dashes = isTyped ? at + 1 : argv.indexOf("--");
  const own = dashes < 0 ? argv : argv.slice(0, dashes);
  const rest = dashes < 0 ? [] : argv.slice(isTyped ? dashes : dashes + 1);
  let code: ExitCode | undefined = EXIT.passed;
  const { default: yargs } = await import("yargs");
  const parser = commands(yargs([...own]), own, rest, signal, (found) => {
    code = found;
  });
  await parser.parseAsync();
  return code;
}

async function version(): Promise<string> {
  const { OWN_MODULE } = await import("./module/load.js");
  const text = await readFile(join(OWN_MODULE, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function commands(
  parser: Argv,
  own: readonly string[],
  words: readonly string[],
  signal: AbortSignal,
  exit: (code: ExitCode | undefined) => void,
): Argv {
  const called = (name: string, describe: string, start: readonly string[]) => {
    parser.command(name, describe, same, async (given) => {
      await (await import("./commands/call.js")).call(given, start, words, signal);
    });
  };
  parser
    .scriptName("slipway")
    .usage(
      "$0 COMMAND\n\nThe delivery pipeline of a Python service, on Dagger's engine or the embedded one.",
    )
    .options(commonOptions)
    .command(
      "check [names..]",
      "Run the checks, print a table, write the reports",
      same,
      async (given) => {
        exit(await (await import("./commands/check.js")).check(given, words, signal));
      },
    );
  called("test", "Run the tests; flags as in call test", ["test"]);
  called("build", "Build the service's image; -o image.tar writes it to a file", ["build"]);
  called("publish", "Build the image and publish it by digest", ["publish"]);
  called("sbom", "Write the image's bill of materials; -o sbom.json writes it to a file", ["sbom"]);
  called("sign", "Sign an image by its digest", ["sign"]);
  const judged = (name: (typeof VERDICTS)[number], describe: string) => {
    parser.command(name, describe, same, async (given) => {
      exit(await (await import("./commands/verdict.js")).verdict(name, given, words, signal));
    });
  };
  judged("scan", "Look for vulnerabilities, secrets and licenses in the image");
  judged("verify", "Decide by the policy whether an image may be believed");
  judged("release", "Check, scan, push, sign, attest, verify, and only then give the tags");
  judged("validate", "Look at everything that a deployment needs; touch nothing");
  called("diff", "What deploy would change in the cluster", ["diff"]);
  for (const [name, [, describe]] of Object.entries(DELIVERIES))
    parser.command(name, describe, same, async (given) => {
      const { deliver } = await import("./commands/deliver.js");
      exit(await deliver(name as DeliveryCommand, given, words, signal));
    });
  called("call [words..]", "Call any function: call FUNCTION [flags] [FUNCTION [flags]]…", []);
  return parser
    .command(
      "plan [words..]",
      "What deploy would do: plan deploy [flags]; the graph of a function: plan FUNCTION [flags] --as tree|mermaid|json",
      same,
      async (given) => {
        await (await import("./commands/plan.js")).plan(given, words, signal);
      },
    )
    .command("functions", "List the module's functions", same, async (given) => {
      await (await import("./commands/functions.js")).functions(given, signal);
    })
    .command("keys <action>", "Keys to sign with: keys generate", keyOptions, async (given) => {
      if (given.action !== "generate")
        throw usageError(`keys can only generate, not ${String(given.action)}.`);
      exit(await (await import("./commands/keys.js")).generateKeys(given));
    })
    .command("report", "The report's page: open, serve; diff of two reports", async (sub) => {
      const { reportCommands } = await import("./commands/report.js");
      return reportCommands(sub, signal);
    })
    .command("engine", "The embedded engine: serve, run, status, prune", async (sub) => {
      const { engineCommands } = await import("./commands/engine.js");
      return engineCommands(sub, signal, words, exit);
    })
    .command("doctor", "Say what this machine has and lacks", same, async (given) => {
      exit(await (await import("./commands/doctor.js")).doctor(given, signal));
    })
    .command(
      "init",
      "Add a commented [tool.slipway] and the workflow; never overwrites",
      (sub) =>
        sub
          .option("folder", { type: "string", default: ".", describe: "Folder of the project" })
          .option("uses", {
            type: "string",
            requiresArg: true,
            describe: "Slipway's repository and commit for the workflow: OWNER/slipway@COMMIT",
          }),
      async (given) => {
        await (await import("./commands/init.js")).init(given);
      },
    )
    .demandCommand(1, "a command is missing; see slipway --help.")
    .strict()
    .version(false)
    .alias("help", "h")
    .epilogue(EPILOGUE)
    .wrap(Math.min(110, process.stdout.columns || 100))
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error ?? usageError(explain(message ?? "", own));
    });
}

/** Flags of the commands that yargs reads, besides the common ones. */
const FLAGS = [
  ...Object.keys(commonOptions),
  "help",
  "all",
  "to",
  "folder",
  "uses",
  "previous",
  "port",
  "html",
];
const SUBCOMMANDS = ["serve", "run", "status", "prune", "open", "diff"];

/** yargs' own words, with the nearest name for what it does not know. */
function explain(message: string, argv: readonly string[]): string {
  const [, unknown] = /^Unknown (?:arguments?|commands?): ([^,]+)/.exec(message) ?? [];
  if (unknown === undefined) return message;
  if (!argv.includes(unknown)) {
    return `unknown flag --${unknown}.${didYouMean(unknown, FLAGS, "--")} See --help.`;
  }
  return `unexpected "${unknown}".${didYouMean(unknown, SUBCOMMANDS)} See --help.`;
}

function keyOptions(parser: Argv): Argv {
  return parser.positional("action", { type: "string", describe: "generate" }).option("folder", {
    type: "string",
    default: ".",
    describe: "Folder that they are written to",
  });
}

function same(parser: Argv): Argv {
  return parser;
}

main(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`slipway: ${harmless((error as Error).message)}\n`);
    process.exitCode = error instanceof CliError ? error.exitCode : EXIT.broken;
  },
);
