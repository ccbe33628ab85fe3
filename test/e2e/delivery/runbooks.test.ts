// The commands of the runbooks, in their order, on a real cluster.
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../../ci/sandbox/cluster/cluster.js";
import { cachePath } from "../../../ci/sandbox/cache.js";
import { mirrors, registryAddress } from "../../../ci/sandbox/registry.js";
import { BIN } from "../../cli/command.js";
import { blocksOf, missing } from "../../docs/blocks.js";
import { Delivered } from "../support/delivery.js";
import { programImages } from "../support/programs.js";
import { scratch } from "../support/project.js";
import { openSession, ROOT } from "../support/session.js";

await programImages();
const folder = await scratch();
const cluster = await startCluster();
const session = await openSession();
await session.serve();
const iris = await Delivered.make(session, cluster, folder.path, "runbooks");
const bin = join(folder.path, "bin");
await mkdir(bin);
// The registry of the tests is on this machine's loopback; a real one needs no such flag.
const registry = `--registry=tcp://${registryAddress()}`;
await writeFile(
  join(bin, "slipway"),
  `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@" ${registry}\n`,
);
await chmod(join(bin, "slipway"), 0o755);

const test = suite("runbooks");
test.after(async () => {
  await iris.close();
  await session.close();
  await cluster.stop();
  await folder.forget();
});

const kubeconfig = await readFile(cluster.kubeconfig);
const env = {
  HOME: folder.path,
  PATH: `${bin}:${process.env.PATH ?? ""}`,
  NO_COLOR: "1",
  SLIPWAY_CACHE: cachePath("e2e"),
  SLIPWAY_MIRRORS: mirrors(registryAddress()),
  KUBE_CONFIG_DATA: kubeconfig.toString("base64"),
};

/** Runs what a runbook says, as it stands there, in the folder of the service. */
async function run(script: string, reference: string): Promise<string> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
    cwd: iris.folder,
    // Each block has a shell of its own: what others export is given.
    env: { ...env, REFERENCE: reference, DIGEST: reference },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.is(await code, 0, `${script}${out}${errors}`);
  return out;
}

async function follow(name: string, reference: string): Promise<void> {
  const document = await readFile(join(ROOT, "ci", "runbooks", name), "utf8");
  const blocks = blocksOf(document).filter(({ isRun }) => isRun);
  assert.ok(blocks.length >= 4, name);
  for (const { line, script, prints } of blocks) {
    const output = await run(script, reference);
    if (process.env.SHOW) console.log(`--- ${name}:${line} ${script}${output}`);
    assert.equal(missing(prints ?? "", output), [], `${name}:${line} prints\n${output}`);
  }
}

test("a_release_comes_to_production_by_the_deploy_runbook", async () => {
  await iris.call("deploy", { reference: await iris.image("v1") });
  iris.ask();
  await follow("deploy-runbook.md", await iris.image("v2"));
  assert.equal((await iris.look()).releases, { 1: "superseded", 2: "live" });
});

test("and_goes_back_by_the_rollback_runbook", async () => {
  await follow("rollback-runbook.md", "");
  assert.equal((await iris.look()).releases, { 1: "superseded", 2: "rolled-back", 3: "live" });
  const { failed, requests } = iris.asked();
  assert.ok(requests > 100);
  assert.equal(failed, {});
});

test.run();
