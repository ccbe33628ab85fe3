// Projects that pin an old tool, or leave versions open: they are checked with what they ask for.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { check, checkOf } from "./support/checks.js";
import { copyOf, fixture, scratch, write } from "./support/project.js";
import { openSession } from "./support/session.js";

const session = await openSession();
await session.serve();
const folder = await scratch();

const test = suite("versions");
test.after(async () => {
  await session.close();
  await folder.forget();
});

test("checks_types_with_a_pinned_mypy_that_writes_no_json", async () => {
  const project = await copyOf(fixture("type-error"), `${folder.path}/old-mypy`);
  await write(project, { "requirements-dev.txt": "mypy==1.10.1\npytest\n" });
  const { report } = await check(session, project, { only: ["types"] });
  const types = checkOf(report, "types");
  assert.is(types.state, "FAILED", types.reason);
  assert.is(types.version, "1.10.1");
  assert.equal(
    types.findings.map(({ file, line, ruleId }) => [file, line, ruleId]),
    [["src/words.py", 6, "return-value"]],
  );
});

test("refuses_an_image_that_holds_another_python_than_the_project_is_run_with", async () => {
  const given = {
    only: ["lint"],
    set: ["images.python=docker.io/library/python:3.11-slim"],
  } as const;
  const { report } = await check(session, fixture("lint-error"), given);
  const lint = checkOf(report, "lint");
  assert.is(lint.state, "ERRORED");
  assert.match(lint.reason ?? "", /No interpreter found for Python 3\.13/);
});

test.run();
