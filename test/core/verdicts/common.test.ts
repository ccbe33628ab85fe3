import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CheckResult, ToolRun } from "../../../src/core/check.js";
import { auditVerdict } from "../../../src/core/verdicts/audit.js";
import { banditVerdict } from "../../../src/core/verdicts/bandit.js";
import { typesVerdict } from "../../../src/core/verdicts/mypy.js";
import { testVerdict } from "../../../src/core/verdicts/pytest.js";
import { formatVerdict, lintVerdict } from "../../../src/core/verdicts/ruff.js";
import { safetyVerdict } from "../../../src/core/verdicts/safety.js";
import { generator } from "../random.js";
import { run } from "../runs.js";

const test = suite("every verdict");

const VERDICTS: Record<string, (run: ToolRun) => CheckResult> = {
  lint: (one) => lintVerdict(one, "/src"),
  format: (one) => formatVerdict(one, "/src"),
  types: (one) => typesVerdict(one, "/src"),
  test: (one) => testVerdict(one, { root: "/src" }),
  bandit: (one) => banditVerdict(one, "/src", { severity: "low", confidence: "low" }),
  pipAudit: (one) => auditVerdict(one, { ignore: [], today: "2026-11-23" }),
  safety: (one) => safetyVerdict(one),
};

for (const [name, judge] of Object.entries(VERDICTS)) {
  test(`${name}_is_errored_when_the_tool_crashed_was_killed_or_was_not_found`, () => {
    for (const exitCode of [3, 70, 101, 126, 127, 134, 137, 139, 255, -9]) {
      const verdict = judge(run({ exitCode, stderr: "Segmentation fault\u001b[31m!\u0007" }));
      assert.is(verdict.state, "ERRORED", `${exitCode}`);
      assert.is(verdict.name, name);
      assert.match(verdict.reason ?? "", "Segmentation fault!");
    }
  });

  test(`${name}_is_errored_when_the_report_is_broken_whatever_the_exit_code`, () => {
    for (const exitCode of [0, 1, 2, 64])
      for (const report of [
        "{",
        '{"results"',
        "<testsuites><testsuite",
        "null",
        "\0\u0001",
        '{"dependencies": 3}',
      ])
        assert.is(
          judge(run({ exitCode, report, stdout: "x" })).state,
          "ERRORED",
          `${exitCode} ${report}`,
        );
  });

  test(`${name}_is_failed_when_the_time_was_up_and_names_what_ran`, () => {
    const verdict = judge(run({ exitCode: 124, timeoutSeconds: 30 }));
    assert.is(verdict.state, "FAILED");
    assert.match(verdict.reason ?? "", /^stopped after 30 s while .* was running$/);
  });

  test(`${name}_never_passes_on_random_output`, () => {
    const random = generator(11);
    for (let round = 0; round < 300; round++) {
      const exitCode = random.pick([0, 1, 2, 3, 4, 5, 64, 65, 124, 137]);
      const noise = `x${random.text(40)}`;
      const verdict = judge(
        run({ exitCode, stdout: noise, stderr: random.text(40), report: noise }),
      );
      assert.ok(
        verdict.state === "ERRORED" || (exitCode === 124 && verdict.state === "FAILED"),
        JSON.stringify(noise),
      );
      assert.not.match(verdict.reason ?? "", /[\0\u0007\u001b\u202e]/);
    }
  });
}

for (const name of ["lint", "format", "bandit", "pipAudit", "safety", "test"])
  test(`${name}_is_errored_when_the_report_is_missing`, () => {
    assert.is(VERDICTS[name]?.(run()).state, "ERRORED");
  });

test.run();
