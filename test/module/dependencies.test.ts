import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  allCommand,
  packageNames,
  runtimeCommand,
  withoutLocal,
} from "../../src/stages/dependencies.js";
import { installCommand } from "../../src/stages/requirements.js";
import { known, PYPROJECT, service } from "./project.js";

const test = suite("dependencies");

const UV_LOCK = 'version = 1\n\n[[package]]\nname = "orders"\nsource = { editable = "." }\n';

test("refuses_a_stale_uv_lock_and_takes_what_the_checks_need", () => {
  const project = service([], '[dependency-groups]\ntest = ["pytest"]\ndocs = ["sphinx"]\n', {
    "uv.lock": UV_LOCK,
  });
  const command = allCommand(project);
  assert.is(command[0], "export");
  assert.ok(command.includes("--locked"));
  assert.ok(command.includes("--group=test"));
  assert.not.ok(command.includes("--group=docs"));
});

test("keeps_development_dependencies_out_of_the_image", () => {
  const project = service([], '[dependency-groups]\ntest = ["pytest"]\n', { "uv.lock": UV_LOCK });
  assert.ok(runtimeCommand(project).includes("--no-default-groups"));
  assert.not.ok(runtimeCommand(project).some((word) => word.startsWith("--group")));
});

test("resolves_requirements_files_with_those_of_the_tests", () => {
  const project = known({
    "requirements.txt": "idna==3.10\n",
    "requirements-dev.txt": "pytest\n",
    "hosts.py": "",
  });
  const command = allCommand(project);
  assert.ok(command.includes("requirements.txt"));
  assert.ok(command.includes("requirements-dev.txt"));
  assert.not.ok(runtimeCommand(project).includes("requirements-dev.txt"));
});

test("ships_the_versions_that_were_tested", () => {
  const project = known({ "pyproject.toml": PYPROJECT, "orders.py": "" });
  assert.ok(runtimeCommand(project).some((word) => word.startsWith("--constraint=")));
});

test("resolves_the_extras_that_the_image_needs", () => {
  const project = service(
    ["python.extras=postgres"],
    '[project.optional-dependencies]\npostgres = ["psycopg"]\n',
  );
  assert.ok(runtimeCommand(project).includes("--extra=postgres"));
  assert.ok(allCommand(project).includes("--extra=postgres"));
});

test("leaves_the_project_itself_out_of_its_requirements", () => {
  const text =
    "-e .\nidna==3.10 \\\n    --hash=sha256:00\n./vendor/a\norders @ file:///src\nattrs==1\n";
  assert.is(withoutLocal(text), "idna==3.10 \\\n    --hash=sha256:00\nattrs==1\n");
});

test("asks_a_package's_own_index_before_the_configured_ones", () => {
  const indexes = (index?: string): string[] =>
    installCommand("all.txt", index, ["https://extra.example/simple"]).filter((word) =>
      word.startsWith("--index"),
    );
  assert.equal(indexes("https://ours.example/simple"), [
    "--index=https://ours.example/simple",
    "--index=https://extra.example/simple",
  ]);
  assert.equal(indexes(), [], "those of the environment hold");
});

test("reads_the_names_of_exact_requirements", () => {
  const text =
    'Ruamel.YAML==1.0 ; python_version < "3.13" \\\n    --hash=sha256:00\nuvicorn[standard]==2\ntool @ https://example.org/tool.whl\n# pytest==1\n';
  assert.equal([...packageNames(text)], ["ruamel-yaml", "uvicorn", "tool"]);
});

test.run();
