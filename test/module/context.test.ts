import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasSetting, readEnvironment, toolTable } from "../../src/stages/context.js";
import { safetyCommand } from "../../src/stages/safety.js";
import { raises } from "../core/raises.js";
import { service } from "./project.js";

const test = suite("context");

test("keeps_every_equals_sign_but_the_first_in_a_value", () => {
  assert.equal(readEnvironment(["A=b=c", "EMPTY="]), { A: "b=c", EMPTY: "" });
});

test("rejects_an_environment_without_a_name_or_a_value", () => {
  for (const pair of ["NAME", "=value"])
    assert.match(
      raises("USAGE", () => readEnvironment([pair])),
      /NAME=value/,
    );
});

test("finds_a_tool's_table_and_no_other_tool's", () => {
  const project = service([], "[tool.mypy]\nstrict = true\n");
  assert.equal(toolTable(project, "mypy"), { strict: true });
  assert.is(toolTable(project, "bandit"), undefined);
});

test("finds_settings_in_the_tool's_section_of_the_files_named_and_in_no_others", () => {
  const text = "[bumpversion]\nmodules = a\n\n[mypy]\nstrict = true\nfiles = src\n";
  const project = service([], "", { "setup.cfg": text });
  assert.ok(hasSetting(project, { "setup.cfg": "mypy" }, ["packages", "files"]));
  assert.not.ok(hasSetting(project, { "setup.cfg": "mypy" }, ["modules"]));
  assert.not.ok(hasSetting(project, { "mypy.ini": "mypy" }, ["files"]));
});

test("safety_gets_its_key_by_no_argument", () => {
  assert.not.ok(safetyCommand("/requirements").some((word) => word.includes("key")));
});

test.run();
