// `demo`: Kubernetes in a container of the engine's own, and the whole way there. The image of k3s is a
// stand-in of the sandbox, so what is seen here holds for k3s as far as it does what that one does.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { ADVISORIES } from "../../ci/sandbox/advisories.js";
import { makeDatabase } from "../../ci/sandbox/database.js";
import { ensureK3s } from "../../ci/sandbox/k3s.js";
import { mirrors, registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { slipway, type Finished } from "../cli/command.js";
import { copyOf, IRIS, scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { ROOT } from "./support/session.js";

await programImages();
await ensureK3s(() => undefined);
const folder = await scratch();
const registry = await startRegistry();
const database = join(folder.path, "database");
await makeDatabase(database);
const repository = `${registry.address}/demo/iris-service`;

const test = suite("demo");
test.after(async () => {
  await registry.stop();
  await folder.forget();
});

/** One step and two pods, so that it takes less time. */
const SHORT = ["deploy.replicas=2", 'deploy.steps=[{"weight": 50}]'];

async function demo(given: { example?: string; set?: string[] } = {}): Promise<Finished> {
  const { example, set = [] } = given;
  const module = ["--advisories", ADVISORIES, "--database", database];
  const settings = [...SHORT, ...set].flatMap((each) => ["--set", each]);
  const own = example === undefined ? [] : ["--example", example];
  const words = ["call", ...module, ...settings, "demo", "--repository", repository, ...own];
  return await slipway(words, {
    cwd: ROOT,
    env: { SLIPWAY_MIRRORS: mirrors(registryAddress()) },
  });
}

/** What is left of a cluster on this machine: processes, and groups of processes. */
async function remains(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes("/var/lib/rancher/k3s")) found.push(command.replaceAll("\0", " "));
  }
  for (const name of await readdir("/sys/fs/cgroup/pids").catch(() => []))
    if (name.startsWith("slipway-k3s-")) found.push(name);
  return found;
}

test("replaces_a_version_without_a_failed_request_and_takes_a_broken_one_back", async () => {
  const { code, stdout, stderr } = await demo();
  assert.is(code, 0, stderr);
  const [, deployed = "", replaced = "", broken = "", known = ""] = stdout.split(/^== /m).slice(1);
  assert.match(deployed, /release 1 of iris-service is live/);
  assert.match(replaced, /release 2 of iris-service is live/);
  assert.match(replaced, /50 %: passed: /);
  assert.match(replaced, /The client sent \d{3,} requests; none failed\./);
  assert.match(broken, /release 3 of iris-service failed and was taken back/);
  const [, sent, failed] = /sent (\d+) requests; (\d+) failed/.exec(broken) ?? [];
  assert.ok(Number(failed) > 0, broken);
  // Half of the requests went there until it was taken back, and none afterwards.
  assert.ok(Number(failed) < 0.6 * Number(sent), broken);
  assert.match(known, /^3 +failed.*\n2 +live.*\n1 +superseded/m);
  assert.equal(await remains(), []);
});

test("fails_with_the_releases_own_words_and_ends_its_cluster", async () => {
  const example = await copyOf(IRIS, join(folder.path, "failing"));
  await rm(join(example, "tests"), { recursive: true });
  await writeFile(join(example, "test_nothing.py"), "def test_nothing():\n    assert False\n");
  const { code, stderr } = await demo({ example, set: ['test.paths=["."]'] });
  assert.is.not(code, 0);
  assert.match(stderr, /the checks/i);
  assert.equal(await remains(), []);
});

test("refuses_an_example_that_it_cannot_change_before_anything_runs", async () => {
  const example = await copyOf(IRIS, join(folder.path, "other"));
  const app = join(example, "src", "iris_service", "app.py");
  await writeFile(app, (await readFile(app, "utf8")).replaceAll("predictions", "answers"));
  const { code, stderr } = await demo({ example });
  assert.is.not(code, 0);
  assert.match(stderr, /src\/iris_service\/app\.py of this one does not hold/);
  assert.match(stderr, /^failed +slipway\.demo/m);
  assert.not.match(stderr, /^(start|cached) +(exec|pull)/m);
});

test.run();
