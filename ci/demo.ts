/**
 * `make demo`: takes the iris service through the pipeline on this machine, with the embedded engine
 * and a loopback registry, and says what happens in plain words. Exits with the first step's code
 * that is not 0.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { SandboxError } from "./sandbox/failure.js";
import { mirrors, registryAddress } from "./sandbox/registry.js";
import { seconds } from "./sandbox/toolchain.js";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const REPORTS = join("reports", "iris");
const SERVICE = join("examples", "iris");

class StepError extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/** A heading for what follows, and what it is about. */
function chapter(title: string, about: string): void {
  console.log(`\n== ${title}\n   ${about}\n`);
}

/** Runs one of this project's programs with its output on the terminal. */
async function runNode(args: string[]): Promise<void> {
  const began = Date.now();
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, SLIPWAY_MIRRORS: mirrors(registryAddress()) },
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new StepError(`stopped after ${seconds(began)}`, code ?? 130);
  console.log(`   (${seconds(began)})`);
}

/** Shows the command as a person would type it, then runs it. */
async function slipway(...args: string[]): Promise<void> {
  console.log(`$ slipway ${args.join(" ")}`);
  await runNode([join("ci", "cli", "slipway.mjs"), ...args, "--engine=embedded"]);
}

async function main(): Promise<void> {
  chapter(
    "Images",
    "This machine may reach no container registry: a registry on loopback gets stand-ins made from Debian's packages. The first time takes a minute or two.",
  );
  await runNode(["--import", "tsx", join("ci", "sandbox", "images.ts")]);

  chapter(
    "Check",
    "Lint, format, types, tests, bandit and the audits of examples/iris, side by side in containers. The first run installs its dependencies, the next ones take them from the cache. safety needs a key and is skipped without one; pip-audit looks into a folder of two advisories, not into the public service.",
  );
  await slipway(
    "check",
    `--source=${SERVICE}`,
    `--advisories=${join("ci", "sandbox", "advisories")}`,
    `--output-dir=${REPORTS}`,
  );

  chapter(
    "Build",
    "A small image that runs without privileges; the same source gives the same digest.",
  );
  await slipway("build", `--source=${SERVICE}`);

  chapter("Publish", "To the registry on loopback, under the project's version, by digest.");
  const repository = `${registryAddress()}/demo/iris-random-forest`;
  const published = join(REPORTS, "image.txt");
  await slipway(
    "publish",
    `--source=${SERVICE}`,
    `--repository=${repository}`,
    // The vulnerability database is on the internet; release and its tests scan with one of their own.
    "--set=publish.scan=false",
    "reference",
    `--export=${published}`,
  );

  const reference = (await readFile(join(ROOT, published), "utf8")).trim();
  chapter("Done", "Where things are now:");
  console.log(`   image     ${reference}`);
  console.log(`   look      skopeo inspect --tls-verify=false docker://${reference}`);
  console.log(`   report    ${relative(process.cwd(), join(ROOT, REPORTS, "report.html"))}`);
  console.log(`   all       ${REPORTS}/ (report.json, summary.md, JUnit, coverage, SARIF)`);
}

main().catch((error: unknown) => {
  const known = error instanceof SandboxError || error instanceof StepError;
  console.error(`\ndemo: ${known ? error.message : String(error)}`);
  process.exitCode = error instanceof StepError ? error.exitCode : 1;
});
