/**
 * Runs the test files, each in a process of its own, two at a time, and ends with one line:
 * `N passed, N failed`.
 *
 *     tsx test/run.ts [--filter TEXT] [--list]
 *
 * A file that crashes, hangs, skips a test or has none counts as failed. The exit code is 1 when
 * anything failed, 2 when the filter matches nothing.
 */
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { readOutcome, type Ending, type Outcome } from "./runner/outcome.js";

const PARALLEL = 2;
/** Enough for a first build of the programs that a file waits for. */
const FILE_LIMIT_MS = 40 * 60_000;
const OUTPUT_KEPT = 200_000;
const TESTS = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(TESTS);

/** The long proof of delivery, which `make proof` runs: a filter that names it, or nothing of it. */
const PROOF = join("test", "e2e", "delivery", "/");

/** Programs that count their own cases and say so in their last line, as this one does. */
const PROGRAMS = ["conformance/embedded.ts"];

interface Ran extends Outcome {
  file: string;
  output: string;
}

const { values: options } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    list: { type: "boolean", default: false },
  },
});

async function testFiles(): Promise<string[]> {
  const names = await readdir(TESTS, { recursive: true });
  const suites = names.filter((name) => name.endsWith(".test.ts") && !name.includes("fixtures/"));
  const all = [...suites, ...PROGRAMS].map((name) => join("test", name)).sort();
  const isProof = options.filter.startsWith(PROOF);
  return all.filter((file) => file.includes(options.filter) && file.startsWith(PROOF) === isProof);
}

/** Runs one file to its end, in a process group of its own, so that nothing of it stays behind. */
async function runFile(file: string): Promise<Ran> {
  const child = spawn(process.execPath, ["--import", "tsx", file], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FORCE_COLOR: "0", NODE_NO_WARNINGS: "1" },
  });
  let output = "";
  const keep = (text: string): void => {
    output = (output + text).slice(-OUTPUT_KEPT);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  let timedOut = false;
  const end = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  const limit = setTimeout(() => {
    timedOut = true;
    end();
  }, FILE_LIMIT_MS);
  running.add(end);
  const ending = await new Promise<Ending>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({ code, signal, timedOut });
    });
  });
  clearTimeout(limit);
  running.delete(end);
  return { file, output, ...readOutcome(output, ending) };
}

/** Ends what still runs. */
const running = new Set<() => void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const end of running) end();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}

function report({ file, output, passed, failed, problem }: Ran, began: number): void {
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const counts = `${passed} passed${failed > 0 ? `, ${failed} failed` : ""}`;
  console.log(`${failed > 0 ? "FAIL" : "ok  "}  ${file}  ${counts}  ${seconds} s`);
  if (failed === 0) return;
  console.log(output.trimEnd().replace(/^/gm, "      "));
  if (problem !== undefined) console.log(`      ${file}: ${problem}`);
}

const files = await testFiles();
if (files.length === 0) {
  console.error(
    `No test file has ${JSON.stringify(options.filter)} in its path; --list shows them.`,
  );
  process.exitCode = 2;
} else if (options.list) {
  console.log(files.join("\n"));
} else {
  const queue = [...files];
  const results: Ran[] = [];
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const began = Date.now();
      const ran = await runFile(file);
      results.push(ran);
      report(ran, began);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const sum = (count: (ran: Ran) => number): number =>
    results.reduce((total, ran) => total + count(ran), 0);
  const broken = results.filter(({ failed }) => failed > 0).map(({ file }) => file);
  if (broken.length > 0) console.log(`\nFailed: ${broken.sort().join(" ")}`);
  const failed = sum((ran) => ran.failed);
  console.log(`${sum((ran) => ran.passed)} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
