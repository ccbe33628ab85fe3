// A cluster leaves nothing of itself on its host, whatever ends it, and lives beside others.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { ensureCluster, startCluster, stopCluster } from "../../ci/sandbox/cluster/cluster.js";
import { placeFolder } from "../../ci/sandbox/cluster/place.js";
import { run } from "../../ci/sandbox/run.js";
import { serviceImage } from "../../ci/sandbox/service.js";
import { apply, eventually, release, rolledOut } from "./support/release.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TSX = ["--import", "tsx"];

const test = suite("a cluster's end");

/** Of the host: what a cluster could leave there. */
async function traces(name: string): Promise<Record<string, unknown>> {
  const processes = await Promise.all(
    (await readdir("/proc")).filter(Number).map(async (pid) => {
      const [command, cgroups] = await Promise.all(
        ["cmdline", "cgroup"].map((file) =>
          readFile(`/proc/${pid}/${file}`, "utf8").catch(() => ""),
        ),
      );
      return [command, cgroups].some((text) => text?.includes(name));
    }),
  );
  const sysctls = [
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "net/ipv4/ip_forward",
  ];
  return {
    processes: processes.filter(Boolean).length,
    mounts: (await readFile("/proc/self/mounts", "utf8"))
      .split("\n")
      .filter((line) => line.includes(name)),
    cgroups: (
      await run("find", ["/sys/fs/cgroup", "-type", "d", "-name", `slipway-${name}`])
    ).trim(),
    rules: (await run("nft", ["list", "ruleset"])).match(/KUBE|kube|slipway/g),
    sysctls: await Promise.all(sysctls.map((each) => readFile(`/proc/sys/${each}`, "utf8"))),
    data: ["conf", "lib", "kubeconfig"].filter((part) =>
      existsSync(`${placeFolder(name)}/${part}`),
    ),
  };
}

/** The host's address of the link to a node is in the node's /30. */
function hasLink(node: string): boolean {
  const host = node.replace(/\d+$/, (last) => String(Number(last) - 1));
  return Object.values(networkInterfaces()).some((each) =>
    each?.some(({ address }) => address === host),
  );
}

test("leaves nothing on the host but its logs when it is stopped", async () => {
  const name = `ends-${process.pid}`;
  const before = await traces(name);
  const cluster = await startCluster({ name });
  assert.ok(hasLink(cluster.address));
  await apply(cluster, release("stable", (await serviceImage("v1")).reference));
  await rolledOut(cluster, "stable");
  assert.not.equal(await traces(name), before);
  await cluster.stop();
  assert.equal(await traces(name), before);
  assert.not.ok(hasLink(cluster.address));
  assert.match(await readFile(`${placeFolder(name)}/log/kubelet`, "utf8"), /kubelet/);
});

test("lives beside another one, each with pods of the same addresses", async () => {
  const [one, two] = await Promise.all(
    ["one", "two"].map((name) => startCluster({ name: `${name}-${process.pid}` })),
  );
  if (!one || !two) throw new Error("unreachable");
  assert.is.not(one.address, two.address);
  const image = (await serviceImage("v1")).reference;
  const pods = await Promise.all(
    [one, two].map(async (cluster) => {
      await apply(cluster, release("stable", image));
      await rolledOut(cluster, "stable");
      return await cluster.kubectl([
        "get",
        "pods",
        "--output",
        "jsonpath={.items[*].status.podIP}",
      ]);
    }),
  );
  assert.is(pods[0], pods[1]);
  await one.stop();
  assert.match(await two.kubectl(["get", "deployments"]), /stable +1\/1/);
  await two.stop();
});

test("is gone with whoever started it, even when that is killed", async () => {
  const name = `killed-${process.pid}`;
  const before = await traces(name);
  const module = new URL("../../ci/sandbox/cluster/cluster.ts", import.meta.url).href;
  const script = `import(${JSON.stringify(module)}).then(async (m) => {
    const c = await m.startCluster({ name: ${JSON.stringify(name)} });
    console.log(c.address); setInterval(() => {}, 1000); });`;
  const owner = spawn(process.execPath, [...TSX, "--input-type=module", "-e", script], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(owner.stdout, "data")) as [Buffer];
  const address = said.toString().trim();
  assert.ok(hasLink(address));
  owner.kill("SIGKILL");
  await once(owner, "close");
  await eventually("the link's end", () => !hasLink(address) || undefined);
  // Its data is the next one's to remove.
  const wanted = { ...before, data: [] };
  await eventually(
    "the processes' end",
    async () => isDeepStrictEqual({ ...(await traces(name)), data: [] }, wanted) || undefined,
  );
});

test("ends with its guardian when that is killed, and the next one clears up after it", async () => {
  const name = `orphan-${process.pid}`;
  const before = await traces(name);
  const cluster = await startCluster({ name });
  const place = JSON.parse(await readFile(`${placeFolder(name)}/place.json`, "utf8")) as {
    guardian: number;
  };
  process.kill(place.guardian, "SIGKILL");
  await eventually("the link's end", () => !hasLink(cluster.address) || undefined);
  assert.is(await stopCluster(name), false);
  assert.equal(await traces(name), before);
});

test("outlives its process when it is to: the next one finds it, and any can stop it", async () => {
  const name = `kept-${process.pid}`;
  const main = [...TSX, "ci/sandbox/cluster/main.ts", "--name", name];
  try {
    const said = await run(process.execPath, main, { cwd: ROOT });
    assert.match(said, /is ready after .*kubeconfig.*gateway/s);
    const began = Date.now();
    const cluster = await ensureCluster({ name });
    assert.ok(Date.now() - began < 2_000, `${Date.now() - began} ms to find it`);
    assert.match(await cluster.kubectl(["get", "nodes"]), /Ready/);
    let refused = "";
    await startCluster({ name }).catch((error: unknown) => (refused = String(error)));
    assert.match(refused, /runs already/);
  } finally {
    assert.match(await run(process.execPath, [...main, "--stop"], { cwd: ROOT }), /is stopped/);
  }
  assert.match(await run(process.execPath, [...main, "--stop"], { cwd: ROOT }), /did not run/);
});

test.run();
