// Projects that are wrong before anything runs: the reader gets told what, where and what to do.
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { check, checkOf } from "../e2e/support/checks.js";
import { copyOf, fixture, IRIS, scratch, write } from "../e2e/support/project.js";
import { openSession } from "../e2e/support/session.js";
import { uvLock } from "../e2e/support/uv.js";

const folder = await scratch();
const session = await openSession();
await session.serve();
let made = 0;

const test = suite("wrong projects");
test.after(async () => {
  await session.close();
  await folder.forget();
});

/** A folder with these files and nothing else. */
async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder.path, `project${++made}`);
  await mkdir(path);
  await write(path, files);
  return path;
}

/** What is said about a project; nothing may have run, and no report may have been written. */
async function refusal(path: string, set: string[] = []): Promise<string> {
  const exportTo = join(folder.path, `reports${made}`);
  session.ran();
  const said = await check(session, path, { set, exportTo }).then(
    ({ summary }) => `no error:\n${summary}`,
    (error: unknown) => (error as Error).message,
  );
  assert.equal(
    session.ran().filter((name) => name.startsWith("exec ")),
    [],
    "something ran",
  );
  assert.is(existsSync(exportTo), false, "reports were written");
  return said;
}

const PROJECT = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.11"\n';

test("says_that_there_is_no_project", async () => {
  const said = await refusal(await project({ "notes.txt": "nothing" }));
  assert.match(said, /there is no pyproject\.toml and no requirements\.txt/);
  assert.match(said, /--source/);
});

test("says_where_toml_is_broken", async () => {
  const said = await refusal(await project({ "pyproject.toml": `${PROJECT}[tool.slipway\n` }));
  assert.match(said, /pyproject\.toml:6:1: Unterminated/);
});

test("says_that_pyproject_is_empty", async () => {
  const said = await refusal(await project({ "pyproject.toml": "" }));
  assert.match(said, /neither \[project\] nor \[tool\.poetry\]/);
});

test("names_all_wrong_keys_at_once_with_lines_and_the_nearest_name", async () => {
  const table = '[tool.slipway.test]\nworker = 4\ntimeout = "soon"\n\n[tool.slipway.lnt]\n';
  const said = await refusal(await project({ "pyproject.toml": PROJECT + table }));
  assert.match(said, /3 mistakes/);
  assert.match(said, /pyproject\.toml:6:1 test\.worker: unknown key; did you mean "workers"\?/);
  assert.match(
    said,
    /pyproject\.toml:7:\d+ test\.timeout: expected .*(integer|number).*, got "soon"/,
  );
  assert.match(said, /lnt: unknown .*did you mean "lint"\?/);
});

test("names_a_wrong_setting_of_the_caller", async () => {
  const said = await refusal(await project({ "pyproject.toml": PROJECT }), ["test.worker=4"]);
  assert.match(said, /test\.worker/);
  assert.match(said, /did you mean "(test\.)?workers"\?/);
});

test("says_that_the_lock_file_is_missing_and_how_to_make_it", async () => {
  const path = await copyOf(IRIS, join(folder.path, `project${++made}`));
  await rm(join(path, "poetry.lock"));
  await appendFile(
    join(path, "pyproject.toml"),
    '\n[tool.poetry.dependencies]\npython = ">=3.11"\n',
  );
  const said = await refusal(path);
  assert.match(said, /no poetry\.lock/);
  assert.match(said, /Run `poetry lock`/);
});

test("says_that_poetry_lock_is_stale", async () => {
  const path = await copyOf(IRIS, join(folder.path, `project${++made}`));
  const pyproject = join(path, "pyproject.toml");
  const text = await readFile(pyproject, "utf8");
  await writeFile(pyproject, text.replace("fastapi (>=0.120,<1)", "fastapi (>=0.121,<1)"));
  const said = await refusal(path);
  assert.match(said, /poetry\.lock is stale/);
  assert.match(said, /Run `poetry lock`/);
});

test("takes_a_stale_uv_lock_for_an_error_not_a_pass", async () => {
  const path = await copyOf(fixture("uv-project"), join(folder.path, `project${++made}`));
  await writeFile(join(path, "uv.lock"), await uvLock(session, path));
  const pyproject = join(path, "pyproject.toml");
  const text = await readFile(pyproject, "utf8");
  await writeFile(pyproject, text.replace('"idna>=3.15"', '"idna>=3.15", "iniconfig"'));
  const { report } = await check(session, path, { only: ["test", "pipAudit"] });
  for (const name of ["test", "pipAudit"] as const) {
    const { state, reason = "" } = checkOf(report, name);
    assert.is(state, "ERRORED");
    assert.match(reason, /uv\.lock|lockfile/);
    assert.match(reason, /needs to be updated|uv lock/);
  }
});

for (const requires of ["<3.8", ">=3.99"]) {
  test(`names_the_pythons_that_there_are_when_asked_for_${requires}`, async () => {
    const text = PROJECT.replace(">=3.11", requires);
    const path = await project({ "pyproject.toml": text });
    const said = await refusal(path);
    assert.match(said, /3\.13/);
    assert.ok(said.includes(requires), said);
  });
}

test("says_that_a_folder_to_test_is_not_there", async () => {
  const text = `${PROJECT}[tool.slipway.project]\ntests = ["testz"]\n`;
  assert.match(
    await refusal(await project({ "pyproject.toml": text })),
    /project\.tests names testz/,
  );
});

test("names_the_nearest_check", async () => {
  const source = await session.directory(await project({ "pyproject.toml": PROJECT }));
  const said = await session
    .query(`{ slipway(source: ${JSON.stringify(source)}) { checks(only: ["lnt"]) { passed } } }`)
    .then(
      () => "no error",
      (error: unknown) => (error as Error).message,
    );
  assert.match(said, /There is no check "lnt"; did you mean "lint"\?/);
});

test.run();
