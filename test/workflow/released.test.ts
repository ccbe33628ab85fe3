// The steps of release.yml with the module behind them: `dagger call` goes to the embedded engine,
// which signs with the real cosign.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { cachePath } from "../../ci/sandbox/cache.js";
import { pushDatabase } from "../../ci/sandbox/database.js";
import { mirrors, registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { makeKeys, PASSWORD } from "../e2e/support/evidence.js";
import { scratch } from "../e2e/support/project.js";
import { programImages } from "../e2e/support/programs.js";
import { serviceWith } from "../e2e/support/vulnerable.js";
import { Sandbox } from "./sandbox.js";
import { loadWorkflow, runJob, type Ended, type Run } from "./workflow.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LOGIN = { user: "ann", password: "s3cret-of-ann" };

await programImages();
const folder = await scratch();
const registry = await startRegistry();
const database = await pushDatabase(registry.address);
const keys = await makeKeys(join(folder.path, "keys"));
const sandbox = await Sandbox.create();
const workflow = loadWorkflow("release", "release");

const test = suite("release.yml with the module");
test.after(async () => {
  await Promise.all([registry.stop(), sandbox.remove()]);
  await folder.forget();
});

/** Runs the job on the service; where its database is, and the registry, containers are told. */
async function release(settings: string): Promise<[Run, Ended]> {
  const slipway = join(ROOT, "ci", "cli", "slipway.mjs");
  const here = `--registry=tcp://${registry.address}`;
  const run = await sandbox.run(
    `exec '${process.execPath}' '${slipway}' "\${@:1:3}" ${here} "\${@:4}" --engine=embedded --progress=plain`,
  );
  await serviceWith("0.16.0", run.workspace);
  const project = join(run.workspace, "pyproject.toml");
  const more = `
[tool.slipway.python]
version = "3.13"

[tool.slipway.audit]
enabled = false
${settings}`;
  await writeFile(project, (await readFile(project, "utf8")) + more);
  const env = {
    SLIPWAY_CACHE: cachePath("e2e"),
    SLIPWAY_MIRRORS: mirrors(registryAddress()),
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://tokens.example/",
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "not needed with a key",
  };
  const ended = await runJob(workflow, {
    ...run,
    env,
    inputs: {
      module: ROOT,
      repository: `${registry.address}/team/greeter`,
      tags: "1.4.2,latest",
      username: LOGIN.user,
    },
    secrets: {
      password: LOGIN.password,
      key: keys.privateKey,
      "key-password": PASSWORD,
    },
  });
  return [run, ended];
}

async function tags(): Promise<string[]> {
  const response = await fetch(`http://${registry.address}/v2/team/greeter/tags/list`);
  const { tags: found } = (await response.json()) as { tags?: string[] | null };
  return (found ?? []).filter((tag) => !/^(build-|sha256-)/.test(tag)).sort();
}

test("releases_nothing_that_the_scan_cannot_judge", async () => {
  const [, ended] = await release('\n[tool.slipway.scan]\ndatabase = ["127.0.0.1:1/none:2"]\n');
  assert.is(ended.outcomes.Release, "failure", ended.output);
  assert.is(ended.outcomes["Keep reports and evidence"], "success");
  assert.match(ended.output, /stopped by the scan; no tag was moved/);
  assert.equal(ended.outputs, { reference: "" });
  assert.equal(await tags(), []);
});

test("releases_keeps_the_evidence_and_hands_the_image_on", async () => {
  const [run, ended] = await release(`\n[tool.slipway.scan]\ndatabase = ["${database}"]\n`);
  assert.is(ended.conclusion, "success", ended.output);
  assert.match(
    ended.outputs.reference ?? "",
    new RegExp(`^${registry.address}/team/greeter@sha256:[0-9a-f]{64}$`),
  );
  assert.match(ended.summary, /SLSA build level 1/);
  assert.equal(await tags(), ["1.4.2", "latest"]);
  const read = (path: string): Promise<string> => readFile(join(run.temp, "slipway", path), "utf8");
  assert.match(await read("evidence/evidence.json"), '"verified":true');
  assert.match(
    await read("evidence/statements/provenance-1.json"),
    "https://git.example/ann/greeter",
  );
  assert.match(await read("sarif/trivy.sarif"), "CVE-2005-2541");
  assert.match(await read("report.html"), "SLSA build level");
  for (const secret of [PASSWORD, LOGIN.password, keys.privateKey.split("\n")[3] ?? ""]) {
    assert.ok(secret.length > 10);
    assert.not.ok((ended.output + ended.summary).includes(secret));
  }
});

test.run();
