/**
 * `make demo`: takes the iris service through the whole pipeline on this machine, with the embedded engine
 * or Dagger's (ENGINE), a loopback registry and a Kubernetes cluster of one node, and says what happens in
 * plain words: it is checked, released, deployed, replaced by a newer version step by step, and by a broken
 * one, which is taken back. Exits with the first step's code that is not the expected one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { BROKEN, GOOD, type Version } from "../../src/core/demo/versions.js";
import { requireCgroups } from "../sandbox/cluster/cgroups.js";
import { startCluster } from "../sandbox/cluster/cluster.js";
import { makeDatabase } from "../sandbox/database.js";
import { SandboxError } from "../sandbox/failure.js";
import { Delivery } from "./delivery.js";
import { chapter, ROOT, runNode, slipway, StepError } from "./terminal.js";
import { writeVersion } from "./versions.js";

const REPORTS = join("reports", "iris");
const SERVICE = join("examples", "iris");
const ADVISORIES = join("ci", "sandbox", "advisories");

async function main(): Promise<void> {
  // Before images and programs are made in vain.
  requireCgroups();
  const folder = await mkdtemp(join(tmpdir(), "slipway-demo-"));
  try {
    await demonstrate(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function demonstrate(folder: string): Promise<void> {
  chapter(
    "Images",
    "This machine may reach no container registry: a registry on loopback gets stand-ins made from packages. The first time, trivy and cosign are built from source, which takes some minutes.",
  );
  await runNode(["--import", "tsx", join("ci", "sandbox", "images.ts")]);

  chapter(
    "Check",
    "Lint, format, types, tests, bandit and the audits of examples/iris, side by side in containers. The first run installs its dependencies, the next ones take them from the cache. safety needs a key and is skipped without one; pip-audit looks into a folder of a few advisories, not into the public service.",
  );
  await slipway([
    "check",
    `--source=${SERVICE}`,
    `--advisories=${ADVISORIES}`,
    `--output-dir=${REPORTS}`,
  ]);
  const image = await delivered(folder);
  chapter("Done", "Where things are now:");
  console.log(`   image     ${image}`);
  console.log(`   look      skopeo inspect --tls-verify=false docker://${image}`);
  console.log(`   report    ${relative(process.cwd(), join(ROOT, REPORTS, "report.html"))}`);
  console.log(`   all       ${REPORTS}/ (report.json, summary.md, JUnit, coverage, SARIF)`);
}

/** Releases the service and brings it to a cluster; gives the image that serves in the end. */
async function delivered(folder: string): Promise<string> {
  const database = join(folder, "database");
  await makeDatabase(database);
  const delivery = new Delivery({ folder, database, advisories: ADVISORIES });
  chapter(
    "Release",
    "The image is built, scanned, pushed by digest, signed with a key made for this demo, attested and verified. Only then it gets its tag.",
  );
  await delivery.makeKeys();
  await delivery.release(SERVICE, "1.0.0");

  chapter(
    "A cluster",
    "Kubernetes of one node, with a gateway, in namespaces of its own; it ends with this demo. The first time, its programs are built from source, which takes some minutes.",
  );
  const cluster = await startCluster({
    name: `demo-${process.pid}`,
    report: (line) => {
      console.log(`   ${line}`);
    },
  });
  try {
    await deliver(delivery, cluster, folder);
  } finally {
    await cluster.stop();
  }
  return `${delivery.repository}:${GOOD.version}`;
}

/** The service in a cluster: three versions, of which the last is broken. */
async function deliver(
  delivery: Delivery,
  cluster: Awaited<ReturnType<typeof startCluster>>,
  folder: string,
): Promise<void> {
  await delivery.enter(cluster);
  chapter(
    "First deployment",
    "There is nothing to compare with yet: no canary, the pods just have to become ready.",
  );
  await delivery.deploy(SERVICE, "1.0.0");

  const next = async ({ version }: Version, source: string): Promise<void> => {
    await writeVersion(join(ROOT, SERVICE), source, version === GOOD.version ? GOOD : BROKEN);
    await delivery.release(source, version);
  };
  chapter(
    "A new version",
    `${GOOD.version} is released, and gets 10, 50, then all of the requests. At each step it is compared with the version before: failures, latency, restarts, predictions. Meanwhile a client sends requests as fast as it gets answers.`,
  );
  const good = join(folder, "good");
  await next(GOOD, good);
  await delivery.watched(async () => {
    await delivery.deploy(good, GOOD.version);
  });

  chapter(
    "A broken version",
    `${BROKEN.version} passes all tests, but cannot write its log where it runs: each prediction fails. The analysis has to find that, and take it back by itself; the command then fails, as it should.`,
  );
  const broken = join(folder, "broken");
  await next(BROKEN, broken);
  await delivery.watched(async () => {
    await delivery.deploy(broken, BROKEN.version, 1);
  });

  chapter("What the cluster knows of it", `${GOOD.version} serves; every release is on record.`);
  await delivery.tell(good);
}

main().catch((error: unknown) => {
  const known = error instanceof SandboxError || error instanceof StepError;
  console.error(`\ndemo: ${known ? error.message : String(error)}`);
  process.exitCode = error instanceof StepError ? error.exitCode : 1;
});
