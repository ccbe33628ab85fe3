// Parts of a cluster that need none: addresses, credentials, and what is said when a component fails.
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { test } from "uvu";
import * as assert from "uvu/assert";

import { until } from "../../ci/sandbox/cluster/boot.js";
import { requireCgroups } from "../../ci/sandbox/cluster/cgroups.js";
import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { Credentials } from "../../ci/sandbox/cluster/credentials.js";
import { linkOf, LINKS, preferredLink } from "../../ci/sandbox/cluster/network.js";
import { clearPlace, makePlace } from "../../ci/sandbox/cluster/place.js";
import { Processes } from "../../ci/sandbox/cluster/processes.js";

test("each link has two addresses of its own in 198.18.0.0/15, and a name that fits", () => {
  assert.equal(linkOf(0), { device: "slipway0", host: "198.18.0.1", node: "198.18.0.2" });
  assert.equal(linkOf(LINKS - 1), {
    device: "slipway32767",
    host: "198.19.255.253",
    node: "198.19.255.254",
  });
  const seen = new Set<string>();
  for (let index = 0; index < LINKS; index += 1) {
    const { device, host, node } = linkOf(index);
    assert.ok(device.length <= 15);
    seen.add(host).add(node);
  }
  assert.is(seen.size, 2 * LINKS);
});

test("a cluster's name decides which link is tried first", () => {
  assert.is(preferredLink("one"), preferredLink("one"));
  assert.is.not(preferredLink("one"), preferredLink("two"));
  for (const name of ["", "a", "x".repeat(200)]) assert.ok(preferredLink(name) < LINKS);
});

test("a kubeconfig holds all that it needs, and its certificate is the cluster's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-pki-"));
  try {
    const credentials = new Credentials(join(folder, "pki"), "198.18.0.2");
    await credentials.make();
    await credentials.client("late", "/O=system:masters/CN=late", -1);
    const config = JSON.parse(await credentials.kubeconfig({ client: "late" })) as {
      clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
      users: [{ user: { "client-certificate-data": string } }];
    };
    const [{ cluster }] = config.clusters;
    assert.is(cluster.server, "https://198.18.0.2:6443");
    assert.not.match(JSON.stringify(config), folder);
    const decoded = (text: string): X509Certificate =>
      new X509Certificate(Buffer.from(text, "base64"));
    const authority = decoded(cluster["certificate-authority-data"]);
    const client = decoded(config.users[0].user["client-certificate-data"]);
    assert.ok(client.verify(authority.publicKey));
    assert.ok(Date.parse(client.validTo) < Date.now());
    const server = new X509Certificate(await readFile(credentials.path("apiserver.crt")));
    assert.is(server.checkIP("198.18.0.2"), "198.18.0.2");
    assert.is(server.checkIP("10.96.0.1"), "10.96.0.1");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a component that ends is named, with what it said last and where its log is", async () => {
  const name = `fails-${process.pid}`;
  const place = await makePlace(name, false);
  try {
    const processes = new Processes(place, "/nowhere");
    await processes.start("containerd", { command: ["sleep", "100"] });
    await processes.start("etcd", { command: ["sh", "-c", "echo the disk is full; exit 3"] });
    const failed = await until(processes, "etcd", "is not ready", () =>
      Promise.resolve(false),
    ).then(() => "", String);
    assert.match(failed, /etcd of the cluster at 198\.1[89]\.\S+ has ended:\n +the disk is full\n/);
    assert.match(failed, new RegExp(`Its log: .*/${name}/log/etcd`));
  } finally {
    await clearPlace(name);
  }
});

test("a name that is none is refused before anything is started", async () => {
  for (const name of ["", "../other", "Upper", "a b"]) {
    const refused = await startCluster({ name }).then(() => "", String);
    assert.match(refused, /cannot be called .* Use letters, digits, dashes/s);
  }
});

test("a machine with cgroups of version 2 alone is refused before anything is built", () => {
  requireCgroups(["cpu,cpuacct", "memory"]);
  for (const found of [[], ["cpu"], ["name=systemd"]])
    assert.throws(() => {
      requireCgroups(found);
    }, /systemd\.unified_cgroup_hierarchy=0/);
});

test.run();
