import { suite } from "uvu";
import * as assert from "uvu/assert";
import { findVersion, UNKNOWN_VERSION, versionFiles } from "../../../src/core/project/version.js";
import { readToml } from "../../../src/core/toml.js";

const test = suite("version");

/** The version of a project with only those files that Slipway would read. */
function version(pyproject: string, files: Record<string, string> = {}): string {
  const { value } = readToml(pyproject, "pyproject.toml");
  const read = versionFiles(value).map((path) => [path, files[path] ?? ""] as const);
  return findVersion(value, Object.fromEntries(read));
}

const DYNAMIC = '[project]\nname = "orders"\ndynamic = ["version"]\n';

test("reads_what_pyproject_says", () => {
  assert.is(version('[project]\nversion = "1.2.3"\n'), "1.2.3");
  assert.is(version('[tool.poetry]\nversion = "1.2.3"\n'), "1.2.3");
});

test("reads_the_attribute_that_setuptools_is_told", () => {
  const attribute = `${DYNAMIC}[tool.setuptools.dynamic]\nversion = { attr = "orders.__version__" }\n`;
  const text = '"""Orders."""\n__version__: str = "2.0.1"\n';
  assert.is(version(attribute, { "src/orders/__init__.py": text }), "2.0.1");
  assert.is(version(attribute, { "orders/__init__.py": text }), "2.0.1");
  const computed = { "orders/__init__.py": "__version__ = read()\n" };
  assert.is(version(attribute, computed), UNKNOWN_VERSION);
});

test("reads_the_file_that_setuptools_hatch_or_pdm_is_told", () => {
  const file = `${DYNAMIC}[tool.setuptools.dynamic]\nversion = { file = ["VERSION"] }\n`;
  assert.is(version(file, { VERSION: "3.1\n" }), "3.1");
  assert.is(version(file, { VERSION: "see the tags\n" }), UNKNOWN_VERSION);
  const about = { "src/orders/__about__.py": "__version__ = 'v4.0.0rc1'\n" };
  const path = 'path = "src/orders/__about__.py"\n';
  assert.is(version(`${DYNAMIC}[tool.hatch.version]\n${path}`, about), "4.0.0rc1");
  const pdm = `${DYNAMIC}[tool.pdm.version]\nsource = "file"\n${path}`;
  assert.is(version(pdm, about), "4.0.0rc1");
});

test("does_not_guess_a_version_that_git_decides", () => {
  assert.is(version(DYNAMIC), UNKNOWN_VERSION);
  assert.is(version(`${DYNAMIC}[tool.hatch.version]\nsource = "vcs"\n`), UNKNOWN_VERSION);
  assert.is(version(`${DYNAMIC}[tool.setuptools_scm]\n`), UNKNOWN_VERSION);
  const poetry =
    '[tool.poetry]\nversion = "0.0.0"\n[tool.poetry-dynamic-versioning]\nenable = true\n';
  assert.is(version(poetry), UNKNOWN_VERSION);
});

test.run();
