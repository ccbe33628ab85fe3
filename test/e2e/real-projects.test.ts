// Two projects of other people, unchanged: Slipway and the same tools run by hand say the same.
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { CheckName } from "../../src/core/check.js";
import type { Report } from "../../src/core/report/report.js";
import {
  environment,
  hostPython,
  junitTotals,
  unpack,
  type Distribution,
} from "./support/by-hand.js";
import { check, checkOf } from "./support/checks.js";
import { scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

interface Case extends Distribution {
  /** What a person would give the tools. */
  readonly code: string[];
  readonly tests: string[];
  /** What the tests need besides pytest. */
  readonly needs: string[];
  /** Tests there are, as counted when the project was chosen. */
  readonly count: number;
}

const CASES: readonly Case[] = [
  {
    name: "more-itertools",
    version: "11.2.1",
    sha256: "cbf08fd0af284dc69718b9b76a8e6203df624d70209ea511e4219d350c856f63",
    code: ["more_itertools"],
    tests: ["tests"],
    needs: [],
    count: 765,
  },
  {
    name: "toolz",
    version: "1.2.0",
    sha256: "9667a038e9d6ecba37995e26cb2f59ec6420b6ad8dd9677de59db9b956b08490",
    code: ["toolz", "tlz"],
    tests: [],
    needs: ["pycodestyle"],
    count: 193,
  },
];

const TOOLS: readonly CheckName[] = ["lint", "format", "types", "test", "bandit"];

const folder = await scratch();
const python = await hostPython();
const session = await openSession();
await session.serve();

const test = suite("real projects");
test.after(async () => {
  await session.close();
  await folder.forget();
});

/** `file:line rule` of a check's findings, sorted. */
function places(report: Report, name: CheckName): string[] {
  const { findings } = checkOf(report, name);
  return findings.map(({ file, line, ruleId }) => `${file ?? ""}:${line ?? 0} ${ruleId}`).sort();
}

/** PASSED or FAILED, as a tool's exit code says by hand. */
const verdict = (code: number): string => (code === 0 ? "PASSED" : "FAILED");

for (const project of CASES) {
  test(`says_of_${project.name}_what_the_tools_say_by_hand`, async () => {
    const source = await unpack(project, join(folder.path, "slipway"));
    const { report, summary } = await check(session, source, {
      only: TOOLS,
      set: [`python.version=${python}`],
    });
    const errored = report.checks.filter((each) => each.state === "ERRORED");
    assert.is(errored.length, 0, summary);
    const version = (name: CheckName): string => checkOf(report, name).version ?? "";
    const pinned = [
      `ruff==${version("lint")}`,
      `mypy==${version("types")}`,
      `pytest==${version("test")}`,
      `bandit==${version("bandit")}`,
      ...project.needs,
    ];
    const own = await unpack(project, join(folder.path, "hand"));
    const tool = await environment(own, pinned, [project.name, project.version]);
    const state = (name: CheckName): string => checkOf(report, name).state;

    const lint = await tool("ruff", "check", "--no-fix", "--no-cache", "--output-format=json", ".");
    assert.is(state("lint"), verdict(lint.code), summary);
    const found = JSON.parse(lint.stdout) as {
      filename: string;
      code: string;
      location: { row: number };
    }[];
    assert.equal(
      places(report, "lint"),
      found
        .map((one) => `${one.filename.slice(own.length + 1)}:${one.location.row} ${one.code}`)
        .sort(),
    );

    const format = await tool(
      "ruff",
      ...["format", "--check", "--no-cache", "--output-format=concise", "."],
    );
    assert.is(state("format"), verdict(format.code), summary);
    const lines = format.stdout.matchAll(/^(.+?):\d+:\d+: unformatted/gm);
    const unformatted = [...new Set([...lines].map(([, file = ""]) => file))];
    const named = new Set(checkOf(report, "format").findings.map(({ file }) => file));
    assert.equal([...named].sort(), unformatted.sort());

    const types = await tool(
      "mypy",
      ...["--no-pretty", "--hide-error-context", "--no-error-summary", "--show-error-codes"],
      ...["--cache-dir", "/dev/null", ...project.code, ...project.tests],
    );
    assert.is(state("types"), verdict(types.code), summary);
    const errors = [...types.stdout.matchAll(/^(.+?):(\d+):(?:\d+:)? error: .*\[([\w-]+)\]$/gm)];
    assert.equal(
      places(report, "types"),
      errors.map(([, file, line, code]) => `${file ?? ""}:${line ?? ""} ${code ?? ""}`).sort(),
    );

    const bandit = await tool("bandit", "--recursive", "--quiet", "--format=json", ...project.code);
    assert.is(state("bandit"), verdict(bandit.code), summary);
    const { results } = JSON.parse(bandit.stdout) as {
      results: { filename: string; line_number: number; test_id: string }[];
    };
    assert.equal(
      places(report, "bandit"),
      results.map((one) => `${one.filename}:${one.line_number} ${one.test_id}`).sort(),
    );

    const junit = join(folder.path, `${project.name}.xml`);
    const pytest = await tool("pytest", "--quiet", `--junitxml=${junit}`, ...project.tests);
    assert.is(state("test"), verdict(pytest.code), summary);
    const totals = { ...checkOf(report, "test").tests, seconds: 0 };
    assert.equal(totals, { ...(await junitTotals(junit)), seconds: 0 });
    assert.is(checkOf(report, "test").tests?.tests, project.count);
  });
}

test.run();
