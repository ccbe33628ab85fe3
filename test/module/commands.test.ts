import { suite } from "uvu";
import * as assert from "uvu/assert";
import { banditCommand } from "../../src/stages/bandit.js";
import { formatCommand } from "../../src/stages/format.js";
import { lintCommand } from "../../src/stages/lint.js";
import { auditPeriod, pipAuditCommand } from "../../src/stages/pipAudit.js";
import { testCommand } from "../../src/stages/test.js";
import { toolRequirement } from "../../src/stages/tools.js";
import { typesCommand } from "../../src/stages/types.js";
import { known, service } from "./project.js";

const test = suite("commands");

/** Whether `part` stands in `whole` in one piece. */
function holds(whole: readonly string[], part: readonly string[]): boolean {
  return whole.some((_, start) => part.every((word, index) => whole[start + index] === word));
}

test("lint_keeps_paths_apart_from_options", () => {
  const command = lintCommand(service(["lint.paths=--fix,src", "lint.args=--select=ALL"]).config);
  assert.equal(command.slice(command.indexOf("--")), ["--", "--fix", "src"]);
  assert.ok(command.indexOf("--select=ALL") < command.indexOf("--"));
});

test("format_changes_no_file", () => {
  assert.ok(formatCommand(service().config).includes("--check"));
});

test("types_leaves_the_choice_of_files_to_mypy_where_it_is_configured", () => {
  assert.equal(
    typesCommand(service([], '[tool.mypy]\nfiles = ["src"]\n'), "/c", "2.4.1").at(-1),
    "--",
  );
  const ini = service([], "", { "mypy.ini": "[mypy]\nfiles = src\n" });
  assert.equal(typesCommand(ini, "/c", "2.4.1").at(-1), "--");
});

test("types_checks_code_and_tests_where_nothing_is_configured", () => {
  assert.equal(typesCommand(service([], "[tool.mypy]\nstrict = true\n"), "/c", "2.4.1").slice(-2), [
    "src",
    "tests",
  ]);
});

test("types_is_strict_only_when_asked", () => {
  assert.not.ok(typesCommand(service(), "/c", "2.4.1").includes("--strict"));
  assert.ok(typesCommand(service(["types.strict=true"]), "/c", "2.4.1").includes("--strict"));
});

test("types_asks_an_old_mypy_for_text_and_a_later_one_for_json", () => {
  const asksForJson = (version: string): boolean =>
    typesCommand(service(), "/c", version).includes("--output=json");
  assert.equal(["1.4.1", "1.10.1", "0.991"].filter(asksForJson), []);
  assert.ok(["1.11.0", "1.11", "2.4.1"].every(asksForJson));
  assert.ok(typesCommand(service(), "/c", "1.10.1").includes("--show-column-numbers"));
});

test("test_runs_in_parallel_by_default", () => {
  const command = testCommand(service());
  assert.ok(holds(command, ["--numprocesses=auto", "--dist=load"]));
});

test("test_distributes_nothing_when_it_is_serial", () => {
  const command = testCommand(service(["test.workers=0", "test.distribution=loadfile"]));
  assert.ok(holds(command, ["--numprocesses=0", "--dist=no"]));
});

test("test_passes_a_marker_expression_as_one_argument", () => {
  assert.ok(holds(testCommand(service(["test.markers=not slow"])), ["-m", "not slow"]));
});

test("test_puts_arguments_before_paths", () => {
  const command = testCommand(service(['test.args=["-k","a, b"]', "test.paths=tests/unit"]));
  assert.equal(command.slice(-3), ["-k", "a, b", "tests/unit"]);
});

test("test_leaves_the_choice_of_tests_to_pytest_where_it_is_configured", () => {
  const configured = service([], '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n');
  assert.not.ok(testCommand(configured).includes("tests"));
  assert.is(testCommand(service()).at(-1), "tests");
});

test("test_measures_the_packages_unless_coverage_is_configured", () => {
  assert.ok(testCommand(service()).includes("--cov=orders"));
  const configured = service([], '[tool.coverage.run]\nsource = ["orders"]\n');
  assert.ok(testCommand(configured).includes("--cov"));
  const off = testCommand(service(["test.coverage.enabled=false"]));
  assert.not.ok(off.some((word) => word.startsWith("--cov")));
});

test("bandit_examines_the_code_and_keeps_the_project's_settings", () => {
  const command = banditCommand(service(["bandit.skips=B101,B404"], "[tool.bandit]\n"));
  assert.is(command.at(-1), "src");
  assert.ok(command.includes("--configfile=pyproject.toml"));
  assert.ok(command.includes("--skip=B101,B404"));
  assert.not.ok(banditCommand(service()).some((word) => word.startsWith("--configfile")));
});

test("code_that_is_not_recognised_is_checked_all_the_same", () => {
  const project = known({ "requirements.txt": "", "a-b/c.py": "", "tests/test_a.py": "" });
  assert.equal(banditCommand(project).slice(-2), ["--exclude=./tests", "."]);
  assert.equal(typesCommand(project, "/c", "2.4.1").slice(-2), ["--", "."]);
  assert.ok(testCommand(project).includes("--cov=."));
});

test("pip_audit_is_strict_and_resolves_nothing", () => {
  const command = pipAuditCommand("/r.txt", undefined);
  for (const option of ["--strict", "--no-deps", "--disable-pip"])
    assert.ok(command.includes(option), option);
  assert.not.ok(command.some((word) => word.startsWith("--osv-url")));
});

test("pip_audit_asks_the_mirror_that_is_given", () => {
  const command = pipAuditCommand("/r.txt", "http://osv.example/");
  assert.ok(command.includes("--osv-url=http://osv.example/v1/query"));
});

test("an_audit_is_repeated_after_six_hours_and_not_before", () => {
  const period = (time: string): string => auditPeriod(new Date(`2026-11-23T${time}Z`));
  assert.is(period("06:00:00"), period("11:59:59"));
  assert.is.not(period("11:59:59"), period("12:00:00"));
});

test("tools_have_the_version_that_the_project_locks", () => {
  assert.is(toolRequirement("ruff", new Map([["ruff", "0.14.1"]])), "ruff==0.14.1");
  assert.match(toolRequirement("ruff", new Map()), /^ruff==\d+\.\d+\.\d+$/);
});

test.run();
