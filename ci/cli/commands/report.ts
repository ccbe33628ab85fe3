import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Argv } from "yargs";
import { placeOf } from "../../../src/core/report/summary.js";
import { readReport, type Report } from "../../../src/core/report/report.js";
import { duration, oneLine } from "../../../src/core/text.js";
import { compare, headline, type Comparison, type Found } from "../../report/compare.js";
import { usageError } from "../failure.js";
import { readOptions, type Given } from "../options.js";
import { pageWith } from "../page.js";

const REPORTS = join(".slipway", "reports");

/** `slipway report open|serve|diff`. */
export function reportCommands(yargs: Argv, signal: AbortSignal): Argv {
  const folder = (sub: Argv) =>
    sub
      .positional("reports", {
        type: "string",
        default: REPORTS,
        describe: "Folder, or report.json",
      })
      .option("previous", {
        type: "string",
        requiresArg: true,
        describe: "Folder or report.json of an earlier run: the page says what changed since",
      });
  return yargs
    .command("open [reports]", "Open the report's page in the browser", folder, open)
    .command(
      "serve [reports]",
      "Serve the report's page on this machine until Ctrl-C, made anew at each visit",
      (sub) =>
        folder(sub).option("port", { type: "number", default: 0, describe: "0: any free one" }),
      (given) => serve(given, signal),
    )
    .command(
      "diff <before> <after>",
      "Say what changed from one report to another; exits 0 whatever that is",
      (sub) =>
        sub
          .positional("before", { type: "string", describe: "Folder, or report.json" })
          .positional("after", { type: "string", describe: "Folder, or report.json" })
          .option("html", {
            type: "string",
            requiresArg: true,
            describe: "Write the later report's page with the comparison to this file",
          }),
      diff,
    )
    .demandCommand(1, "report what? open, serve or diff; see slipway report --help.");
}

async function open(given: Given): Promise<void> {
  const json = await jsonFile(String(given.reports));
  const page = join(json, "..", "report.html");
  await writeFile(page, await pageOf(given));
  const address = pathToFileURL(page).href;
  process.stdout.write(`${address}\n`);
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(opener, [address], { stdio: "ignore", detached: true });
  child.on("error", () => {
    process.stderr.write(`there is no ${opener} here: open the address in a browser\n`);
  });
  child.unref();
}

async function serve(given: Given, signal: AbortSignal): Promise<void> {
  await pageOf(given);
  const server = createServer((request, response) => {
    if (request.url !== "/") {
      response.writeHead(404).end();
      return;
    }
    pageOf(given).then(
      (page) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page),
      (error: unknown) => response.writeHead(500).end((error as Error).message),
    );
  });
  server.listen({ port: given.port as number, host: "127.0.0.1", signal });
  await once(server, "listening");
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
  await once(server, "close");
}

async function diff(given: Given): Promise<void> {
  const [before, after] = [await read(String(given.before)), await read(String(given.after))];
  const comparison = compare(before, after);
  const json = readOptions(given).output === "json";
  process.stdout.write(json ? `${JSON.stringify(comparison, null, 2)}\n` : written(comparison));
  if (typeof given.html !== "string") return;
  await writeFile(given.html, await pageWith(after, before));
}

function written(comparison: Comparison): string {
  const lines = (mark: string, found: readonly Found[]): string[] =>
    found.map(({ check, finding }) => {
      const parts = [mark, check, placeOf(finding), finding.ruleId, oneLine(finding.message, 160)];
      return parts.filter((part) => part !== "").join(" ");
    });
  const checks = comparison.checks.map(({ name, state, durationMs }) => {
    const time = [durationMs.before, durationMs.after].map((each) =>
      each === undefined ? "-" : duration(each),
    );
    return `${name.padEnd(9)} ${(state.before ?? "-").padEnd(8)} → ${(state.after ?? "-").padEnd(8)} ${time.join(" → ")}`;
  });
  const files = comparison.coverageFiles.map(
    ({ file, before, after }) =>
      `coverage of ${file}: ${before.toFixed(1)} % → ${after.toFixed(1)} %`,
  );
  const parts = [checks, lines("+", comparison.appeared), lines("-", comparison.gone), files];
  const text = parts.filter((part) => part.length > 0).map((part) => part.join("\n"));
  return `${[...text, headline(comparison)].join("\n\n")}\n`;
}

async function pageOf({ reports, previous }: Given): Promise<string> {
  const earlier = typeof previous === "string" ? await read(previous) : undefined;
  return await pageWith(await read(String(reports)), earlier);
}

async function read(path: string): Promise<Report> {
  const file = await jsonFile(path);
  try {
    return readReport(await readFile(file, "utf8"));
  } catch (error) {
    throw usageError(`${file}: ${(error as Error).message}`);
  }
}

/** The report.json that a path means: itself, or the one in the folder. */
async function jsonFile(path: string): Promise<string> {
  const at = resolve(path);
  const found = await stat(at).catch(() => undefined);
  const file = found?.isDirectory() ? join(at, "report.json") : at;
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) throw usageError(`there is no report at ${path}: run slipway check first.`);
  return file;
}
