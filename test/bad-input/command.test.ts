// What is typed wrong, and two commands at once on one cache; with the command itself, as typed.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { cachePath } from "../../ci/sandbox/cache.js";
import { mirrors, registryAddress } from "../../ci/sandbox/registry.js";
import { readReport } from "../../src/core/report/report.js";
import { copyOf, fixture, scratch } from "../e2e/support/project.js";
import { ROOT } from "../e2e/support/session.js";

const folder = await scratch();
const source = await copyOf(fixture("pep621-project"), join(folder.path, "source"));

const test = suite("command");
test.after(folder.forget);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in the project's folder. */
function slipway(...words: string[]): Promise<Ended> {
  const program = join(ROOT, "ci", "cli", "slipway.mjs");
  const child = spawn(process.execPath, [program, "--engine", "embedded", ...words], {
    cwd: source,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      SLIPWAY_CACHE: cachePath("e2e"),
      SLIPWAY_MIRRORS: mirrors(registryAddress()),
    },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

const MISTAKES: readonly (readonly [what: string, words: string[], said: RegExp])[] = [
  ["command", ["chekc"], /chekc.*check/s],
  ["function", ["call", "pip-audt"], /pip-audt.*pip-audit/s],
  ["flag", ["test", "--worker", "3"], /--worker\b.*"--workers"/s],
  ["check", ["check", "lnt"], /lnt.*lint/s],
];

for (const [what, words, said] of MISTAKES) {
  test(`names_the_nearest_${what}`, async () => {
    const { code, stdout, stderr } = await slipway(...words);
    assert.is(code, 2, stderr);
    assert.ok(said.test(stderr), stderr);
    assert.is(stdout, "");
    assert.is(existsSync(join(source, ".slipway/reports/report.json")), false, "a report");
  });
}

test("runs_a_tool_again_that_did_not_work_before", async () => {
  const began = async (): Promise<string> => {
    const nowhere = [
      "--set",
      "python.version=3.13",
      "--set",
      "audit.advisories=http://127.0.0.1:9",
    ];
    const { code, stdout, stderr } = await slipway("check", "pipAudit", "--json", ...nowhere);
    assert.is(code, 3, stderr);
    const [audit] = readReport(stdout).checks;
    assert.is(audit?.state, "ERRORED");
    return audit?.startedAt ?? "it did not start";
  };
  const first = await began();
  assert.ok(first < (await began()), first);
});

test("lets_two_commands_at_once_share_one_cache", async () => {
  // Never seen before: both find it missing in the cache and want to make it.
  await appendFile(join(source, "src/hosts/__init__.py"), `\n# ${randomUUID()}\n`);
  const words = (name: string): string[] => [
    ...["check", "lint", "bandit", "--set", "python.version=3.13", "--json"],
    ...["-o", join(folder.path, name)],
  ];
  const both = await Promise.all([slipway(...words("one")), slipway(...words("two"))]);
  const reports = both.map(({ code, stdout, stderr }) => {
    assert.is(code, 0, stderr);
    return readReport(stdout).checks.map(({ name, state }) => `${name} ${state}`);
  });
  assert.equal(reports[0], ["lint PASSED", "bandit PASSED"]);
  assert.equal(reports[1], reports[0]);
  for (const name of ["one", "two"])
    assert.ok(existsSync(join(folder.path, name, "report.json")), name);
});

test.run();
