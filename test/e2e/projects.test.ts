// Projects of every kind that Slipway knows, unchanged, through all checks.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { ADVISORIES } from "../../ci/sandbox/advisories.js";
import { officialSarif } from "../core/official-sarif.js";
import { check, checkOf, states, type Checked } from "./support/checks.js";
import { copyOf, fixture, scratch } from "./support/project.js";
import { openSession } from "./support/session.js";
import { uvLock } from "./support/uv.js";

const folder = await scratch();
const session = await openSession();
await session.serve();

const test = suite("kinds of projects");
test.after(async () => {
  await session.close();
  await folder.forget();
});

function passes({ report, passed, summary }: Checked, kind: string): void {
  const bad = Object.entries(states(report)).filter(([, state]) => /FAILED|ERRORED/.test(state));
  assert.equal(bad, [], summary);
  assert.is(passed, true);
  assert.is(report.project.kind, kind);
  assert.is(checkOf(report, "test").state, "PASSED");
}

test("passes_a_uv_project_with_its_lock_file", async () => {
  const source = await copyOf(fixture("uv-project"), join(folder.path, "uv"));
  await writeFile(join(source, "uv.lock"), await uvLock(session, source));
  const checked = await check(session, source, { advisories: ADVISORIES });
  passes(checked, "uv");
  assert.is(checkOf(checked.report, "pipAudit").state, "PASSED");
});

test("passes_a_project_of_requirements_files_alone", async () => {
  const checked = await check(session, fixture("requirements-project"), { advisories: ADVISORIES });
  passes(checked, "requirements");
  assert.is(checkOf(checked.report, "pipAudit").state, "PASSED");
});

test("passes_a_project_of_pep_621_without_a_lock_file", async () => {
  const checked = await check(session, fixture("pep621-project"), { advisories: ADVISORIES });
  passes(checked, "pep621");
  assert.is(checkOf(checked.report, "pipAudit").state, "PASSED");
});

test("passes_each_service_of_a_monorepo_from_its_folder", async () => {
  const names = ["billing", "mail", "orders"];
  const all = await Promise.all(
    names.map((name) => check(session, fixture("monorepo"), { folder: name })),
  );
  for (const checked of all) passes(checked, "pep621");
  assert.equal(
    all.map(({ report }) => report.project.name),
    names,
  );
});

test("names_files_of_a_service_from_the_repositorys_root_for_code_scanning", async () => {
  const exportTo = join(folder.path, "reports");
  const source = join(folder.path, "repository");
  await copyOf(fixture("lint-error"), join(source, "services", "words"));
  const given = { only: ["lint"], folder: "services/words", exportTo } as const;
  const { report } = await check(session, source, given);
  assert.is(checkOf(report, "lint").findings[0]?.file, "src/words.py");
  const sarif = await readFile(join(exportTo, "sarif", "ruff.sarif"), "utf8");
  assert.equal((await officialSarif())(sarif), []);
  assert.match(sarif, '"uri":"services/words/src/words.py","uriBaseId":"%SRCROOT%"');
  assert.match(sarif, '"id":"slipway/ruff/services/words/"');
});

test.run();
