import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { configurationComment } from "../../ci/cli/configuration.js";
import { leaves } from "../../src/core/config/leaves.js";
import { resolveConfig } from "../../src/core/config/resolve.js";
import { slipway } from "./command.js";

const test = suite("init");
const PROJECT = '[project]\nname = "kept"';
let folder = "";

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-init-"));
});
test.after.each(() => rm(folder, { recursive: true }));

const read = (...path: string[]): Promise<string> => readFile(join(folder, ...path), "utf8");
const WORKFLOW = [".github", "workflows", "slipway.yml"];

test("appends_the_configuration_and_writes_the_workflow", async () => {
  await writeFile(join(folder, "pyproject.toml"), PROJECT);
  const { code, stderr } = await slipway(["init", "--uses", "owner/slipway@0a1b"], { cwd: folder });
  assert.is(code, 0, stderr);
  const text = await read("pyproject.toml");
  assert.is(text, `${PROJECT}\n\n${configurationComment()}`);
  assert.equal(resolveConfig({ pyproject: text }).config, resolveConfig({ pyproject: "" }).config);
  assert.match(await read(...WORKFLOW), "uses: owner/slipway/.github/workflows/pipeline.yml@0a1b");
});

test("never_overwrites", async () => {
  await writeFile(join(folder, "pyproject.toml"), PROJECT);
  await slipway(["init", "--uses", "owner/slipway@0a1b"], { cwd: folder });
  const before = [await read("pyproject.toml"), await read(...WORKFLOW)];
  const { stdout, code } = await slipway(["init", "--uses", "other/slipway@9"], { cwd: folder });
  assert.is(code, 0);
  assert.match(stdout, "kept pyproject.toml");
  assert.match(stdout, "kept .github/workflows/slipway.yml");
  assert.equal([await read("pyproject.toml"), await read(...WORKFLOW)], before);
});

test("leaves_a_broken_pyproject_alone_and_says_where_it_is_broken", async () => {
  await writeFile(join(folder, "pyproject.toml"), "[project\n");
  const { code, stderr } = await slipway(["init"], { cwd: folder });
  assert.is(code, 2);
  assert.match(stderr, /pyproject\.toml:\d/);
  assert.is(await read("pyproject.toml"), "[project\n");
});

test("writes_the_workflow_of_one_service_of_several_to_the_root_of_the_repository", async () => {
  await mkdir(join(folder, ".git"));
  await mkdir(join(folder, "services/a"), { recursive: true });
  await writeFile(join(folder, "services/a/pyproject.toml"), PROJECT);
  const words = ["init", "--folder", "services/a", "--uses", "owner/slipway@0a1b"];
  const { code, stdout, stderr } = await slipway(words, { cwd: folder });
  assert.is(code, 0, stderr);
  assert.match(stdout, "wrote .github/workflows/slipway.yml\n");
  const { jobs } = parse(await read(...WORKFLOW)) as { jobs: { slipway: { with: unknown } } };
  assert.equal(jobs.slipway.with, { folder: "services/a" });
  assert.match(await read("services/a/pyproject.toml"), "[tool.slipway]");
  const again = await slipway(words, { cwd: folder });
  assert.match(again.stdout, 'a job with { folder: "services/a" } checks this folder');
});

test("refuses_a_folder_that_is_not_there_or_is_no_project", async () => {
  for (const [where, said] of [
    ["nosuch", `there is no folder ${join(folder, "nosuch")}`],
    [".", "is no Python project"],
  ] as const) {
    const words = ["init", "--folder", where, "--uses", "owner/slipway@0a1b"];
    const { code, stderr } = await slipway(words, { cwd: folder });
    assert.is(code, 2);
    assert.match(stderr, said);
    assert.equal(await readdir(folder), []);
  }
  await writeFile(join(folder, "requirements.txt"), "");
  assert.is((await slipway(["init"], { cwd: folder })).code, 0);
});

test("refuses_a_repository_of_another_form", async () => {
  assert.is((await slipway(["init", "--uses", "slipway"], { cwd: folder })).code, 2);
});

test("shows_every_key_of_the_configuration", () => {
  const text = configurationComment();
  for (const { path } of leaves) assert.match(text, `# ${path.at(-1) ?? ""} = `, path.join("."));
});

test.run();
