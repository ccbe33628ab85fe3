import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig } from "../../../src/core/config/resolve.js";
import { poetryContentHash } from "../../../src/core/project/content-hash.js";
import { detectProject, filesToRead } from "../../../src/core/project/detect.js";
import type { Project } from "../../../src/core/project/types.js";
import { readToml } from "../../../src/core/toml.js";
import { raises } from "../raises.js";

const test = suite("detectProject");

/** A project from its files; those without content only have a name. */
function detect(files: Record<string, string | null>, set: string[] = []): Project {
  const paths = Object.keys(files);
  const contents = Object.fromEntries(filesToRead(paths).map((path) => [path, files[path] ?? ""]));
  return detectProject(
    { paths, contents },
    resolveConfig({ pyproject: contents["pyproject.toml"], set }).config,
  );
}

const PROJECT = '[project]\nname = "My.App"\nversion = "2.1"\nrequires-python = ">=3.11"\n';
const POETRY =
  '[tool.poetry]\nname = "old"\nversion = "1.0"\n[tool.poetry.dependencies]\npython = "^3.11"\n[tool.poetry.group.test.dependencies]\npytest = "*"\n[tool.poetry.scripts]\nserve = "old:main"\n';
const poetryLock = (pyproject: string): string =>
  `[[package]]\nname = "Ruff"\nversion = "0.14.1"\ngroups = ["dev"]\nfiles = []\n[metadata]\nlock-version = "2.1"\ncontent-hash = "${poetryContentHash(readToml(pyproject, "p").value, true)}"\n`;
const UV_LOCK =
  'version = 1\n\n[[package]]\nname = "my-app"\nsource = { editable = "." }\n\n[[package]]\nname = "mypy"\nversion = "2.4.1"\n';

test("reads_a_poetry_project", () => {
  const project = detect({
    "pyproject.toml": POETRY,
    "poetry.lock": poetryLock(POETRY),
    "src/old/__init__.py": null,
  });
  assert.is(project.kind, "poetry");
  assert.is(project.name, "old");
  assert.is(project.lockFile, "poetry.lock");
  assert.is(project.python.requires, "^3.11");
  assert.equal(project.testSources, [{ kind: "poetry-group", name: "test" }]);
  assert.is(project.locked.get("ruff"), "0.14.1");
  assert.equal(project.scripts, ["serve"]);
  assert.is(project.installable, false, "there is no build system");
});

test("reads_a_uv_project", () => {
  const pyproject = `${PROJECT}[dependency-groups]\ndev = []\nDocs = []\n[project.optional-dependencies]\ntests = []\n[build-system]\nrequires = []\n`;
  const project = detect({
    "pyproject.toml": pyproject,
    "uv.lock": UV_LOCK,
    "requirements.txt": "x==1",
    "requirements-dev.txt": "",
  });
  assert.is(project.kind, "uv");
  assert.is(project.name, "my-app");
  assert.equal(project.testSources, [
    { kind: "group", name: "dev" },
    { kind: "extra", name: "tests" },
  ]);
  assert.equal([...project.locked], [["mypy", "2.4.1"]]);
  assert.equal(project.requirementFiles, []);
  assert.is(project.installable, true);
});

test("reads_a_requirements_project_without_pyproject", () => {
  const project = detect({
    "requirements.txt":
      "fastapi==0.120.0  # web\nuvicorn[standard]==0.35 ; python_version < '3.14' \\\n    --hash=sha256:aa\nflask>=3\n-r other.txt\nnumpy==2.*\n",
    "requirements-dev.txt": "ruff==0.14.2 --hash=sha256:bb\nFastAPI==9\n",
    "tests/": null,
    "app/__init__.py": null,
  });
  assert.is(project.kind, "requirements");
  assert.is(project.name, "service");
  assert.equal(project.testSources, [{ kind: "file", name: "requirements-dev.txt" }]);
  assert.equal(Object.fromEntries(project.locked), {
    fastapi: "0.120.0",
    uvicorn: "0.35",
    ruff: "0.14.2",
  });
  assert.equal(project.layout, {
    kind: "flat",
    packages: ["app"],
    source: ["app"],
    tests: ["tests"],
  });
});

test("finds_requirements_in_their_own_folder", () => {
  const project = detect({
    "requirements/base.txt": "a==1",
    "requirements/test.txt": "b==2",
    "requirements/docs.txt": "",
  });
  assert.equal(project.requirementFiles, ["requirements/base.txt"]);
  assert.equal(project.testSources, [{ kind: "file", name: "requirements/test.txt" }]);
});

test("reads_a_bare_project_table", () => {
  const project = detect({
    "pyproject.toml": `${PROJECT}[tool.uv]\n`,
    "my_app.py": null,
    "setup.py": null,
  });
  assert.is(project.kind, "pep621");
  assert.is(project.lockFile, undefined);
  assert.match(project.reasons.join(), "run `uv lock`");
  assert.equal(project.layout, {
    kind: "flat",
    packages: ["my_app"],
    source: ["my_app.py"],
    tests: [],
  });
});

test("takes_plain_modules_for_the_code_where_there_is_no_package", () => {
  const { layout } = detect({
    "requirements.txt": "a==1",
    "hosts.py": null,
    "conftest.py": null,
    "test_hosts.py": null,
    "2fast.py": null,
  });
  assert.equal(layout, {
    kind: "flat",
    packages: ["hosts"],
    source: ["hosts.py"],
    tests: ["test_hosts.py"],
  });
});

test("chooses_between_two_lock_files_by_whose_pyproject_it_is", () => {
  const both = (pyproject: string): string =>
    detect({
      "pyproject.toml": pyproject,
      "uv.lock": UV_LOCK,
      "poetry.lock": poetryLock(pyproject),
    }).kind;
  assert.is(both(POETRY), "poetry");
  assert.is(
    both(`${PROJECT}[build-system]\nbuild-backend = "poetry.core.masonry.api"\n`),
    "poetry",
  );
  assert.is(both(PROJECT), "uv");
});

test("asks_for_a_missing_lock_file", () => {
  assert.match(
    raises("LOCK", () => detect({ "pyproject.toml": POETRY })),
    "there is no poetry.lock. Run `poetry lock`",
  );
});

test("refuses_a_stale_lock_file", () => {
  const changed = POETRY.replace("^3.11", "^3.12");
  assert.match(
    raises("LOCK", () => detect({ "pyproject.toml": changed, "poetry.lock": poetryLock(POETRY) })),
    "stale",
  );
});

test("says_what_is_missing_when_there_is_no_project", () => {
  assert.match(
    raises("PROJECT", () => detect({})),
    "the folder is empty",
  );
  assert.match(
    raises("PROJECT", () => detect({ "setup.py": null })),
    "setup.py alone is not enough",
  );
  assert.match(
    raises("PROJECT", () => detect({ "billing/pyproject.toml": null })),
    "there is billing/pyproject.toml",
  );
  assert.match(
    raises("PROJECT", () => detect({ "uv.lock": UV_LOCK })),
    "no pyproject.toml beside it",
  );
  assert.match(
    raises("PROJECT", () => detect({ "pyproject.toml": "[tool.ruff]\n" })),
    "names no project",
  );
});

test("takes_the_configured_groups_and_names_the_nearest_for_a_wrong_one", () => {
  const files = {
    "pyproject.toml": `${PROJECT}[dependency-groups]\nquality = []\ntest = []\n`,
    "uv.lock": UV_LOCK,
  };
  assert.equal(detect(files, ["python.groups=Quality"]).testSources, [
    { kind: "group", name: "quality" },
  ]);
  assert.match(
    raises("PROJECT", () => detect(files, ["python.groups=qualty"])),
    'did you mean "quality"?',
  );
});

test("finds_the_code_and_the_tests", () => {
  const layout = (files: string[], more = ""): Project["layout"] =>
    detect({
      "pyproject.toml": PROJECT + more,
      ...Object.fromEntries(files.map((file) => [file, null])),
    }).layout;
  assert.equal(layout(["src/zeta/", "src/my_app/", "src/my_app.egg-info/", "tests/test_a.py"]), {
    kind: "src",
    packages: ["my_app", "zeta"],
    source: ["src"],
    tests: ["tests"],
  });
  assert.equal(layout(["my_app/__init__.py", "docs/conf.py", "my_app/tests/test_x.py"]).tests, [
    "my_app/tests",
  ]);
  assert.equal(layout(["test_one.py", "conftest.py"]).tests, ["test_one.py"]);
  assert.equal(
    layout(["checks/unit/test_a.py"], '[tool.pytest.ini_options]\ntestpaths = ["checks/unit"]\n')
      .tests,
    ["checks/unit"],
  );
  assert.equal(
    layout(["scripts/__init__.py", ".hidden/__init__.py", "app dir/__init__.py"]).packages,
    [],
  );
});

test("refuses_configured_paths_that_are_not_there", () => {
  const message = raises("PROJECT", () =>
    detect({ "pyproject.toml": PROJECT, "src/a.py": null }, ["project.source=sorce"]),
  );
  assert.match(message, "project.source names sorce, which is not there");
});

test("reads_names_with_any_character", () => {
  const project = detect({ "pyproject.toml": PROJECT, 'we"ird\nname é/': null, "a b.py": null });
  assert.equal(project.layout.packages, []);
});

test.run();
