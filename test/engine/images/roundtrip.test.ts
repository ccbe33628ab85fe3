import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { ensureTool } from "../../../ci/sandbox/tools.js";
import { startRegistry } from "../../../ci/sandbox/registry.js";
import {
  exportLayers,
  imageTarball,
  importTarball,
  pull,
  pushImage,
  RegistryClient,
} from "../../../ci/engine/images/index.js";
import { layerId, SCRATCH } from "../../../ci/engine/store/snapshot.js";
import { Store } from "../../../ci/engine/store/store.js";
import type { Snapshot } from "../../../ci/engine/store/types.js";

const test = suite("images/roundtrip");
let root: string;
let store: Store;

test.before(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-images-"));
  store = await Store.open(join(root, "one"));
});
test.after(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

const PLATFORM = { os: "linux", architecture: "amd64" };

/** Two layers with everything that a file system can have and a tar must carry. */
async function odd(): Promise<Snapshot> {
  const one = await store.mutate(SCRATCH, layerId("odd 1"), (at) =>
    sh(
      at,
      `mkdir -p d/sub gone tmp full; chmod 1777 tmp; chown 5:6 d; echo hello > d/a; ln d/a d/hard; echo h > h1; chmod 600 h1; ln h1 h2
       ln -s /etc/passwd abs; ln -s ../x d/rel; mkfifo fifo
       printf x > "$(printf 'new\\nline')"; printf q > "a'b\\"c\\\\d"; printf u > 'größe 名前'
       printf b > "$(printf 'bad\\377byte')"; : > empty; chmod 4755 d/a; touch -d @1234567890.5 d/a
       printf l > "$(printf '%0150d' 7)"; mkdir -p "long/$(printf '%080d' 1)"; printf p > "long/$(printf '%080d' 1)/$(printf '%060d' 2)"; setfattr -n user.note -v value d/a
       setfattr -n user.bin -v 0sAAH/Cg== "$(printf 'new\\nline')"; setfattr -n user.dir -v on d
       setfattr -n security.capability -v 0sAQAAAgAEAAAAAAAAAAAAAAAAAAA= empty
       echo 1 > gone/1; echo 2 > full/2; echo 3 > d/sub/3; chown 70000:3000000 fifo; touch -h -d @5 abs`,
    ),
  );
  return store.mutate(one, layerId("odd 2"), (at) =>
    sh(
      at,
      `rm -r gone d/sub/3 full; mkdir full; echo new > full/new; echo more >> d/a; chmod 700 tmp`,
    ),
  );
}

function sh(cwd: string, script: string): Promise<void> {
  execFileSync("sh", ["-euc", script], { cwd });
  return Promise.resolve();
}

/** Everything about a tree as text: types, modes, owners, times but of folders, links, contents, xattrs. */
function picture(at: string): string {
  const script = `find . -mindepth 1 ! -type d -printf '%y %m %U %G %n %Ts %l %p\\n' | sort
     find . -mindepth 1 -type d -printf '%m %U %G %p\\n' | sort
     find . -type f -print0 | sort -z | xargs -0 sha256sum
     find . -mindepth 1 -print0 | sort -z | xargs -0 getfattr -h -d -m '^(user|security.cap)' -e hex`;
  return execFileSync("sh", ["-euc", script], { cwd: at, encoding: "latin1" });
}

test("keeps every kind of file from a layer through an archive into another store", async () => {
  const snapshot = await odd();
  const before = await store.view(snapshot, (at) => Promise.resolve(picture(at)));
  const file = join(root, "odd.tar");
  await imageTarball(store, file, [{ snapshot, config: { ...PLATFORM } }], { tag: "odd:1" });
  const second = await Store.open(join(root, "two"));
  try {
    const image = await importTarball(second, file, PLATFORM);
    assert.is(image.snapshot.layers.length, 2);
    const after = await second.view(image.snapshot, (at) => Promise.resolve(picture(at)));
    assert.is(after, before);
    for (const detail of [
      "700 0 0 ./tmp",
      "p 644 70000 3000000",
      "new\\012line",
      "bad\xffbyte",
      "user.bin=0x0001ff0a",
      "security.capability=0x0100",
      "/etc/passwd ./abs",
      "f 4755 0 0 2 1234567890",
      "f 600 0 0 2",
      "user.dir=",
    ]) {
      assert.ok(after.includes(detail), `${JSON.stringify(detail)} is not in:\n${after}`);
    }
    assert.not.match(after, /gone|full\/2|sub\/3/);
    const exported = await exportLayers(store, snapshot);
    assert.equal(await exportLayers(second, image.snapshot), exported);
    // Without the blobs that came with the image, its layers give the same bytes again.
    for (const { descriptor } of exported) await rm(second.blobs.path(descriptor.digest));
    assert.equal(await exportLayers(second, image.snapshot), exported);
  } finally {
    await second.close();
  }
});

test("leaves devices of an image out, since one could be the host's disk", async () => {
  const devices = await store.mutate(SCRATCH, layerId("devices"), (at) =>
    sh(at, "mkdir dev; mknod dev/sda b 8 0; mknod dev/mem c 1 1; touch dev/kept"),
  );
  const file = join(root, "devices.tar");
  await imageTarball(store, file, [{ snapshot: devices, config: { ...PLATFORM } }], { tag: "d:1" });
  const second = await Store.open(join(root, "four"));
  try {
    const { snapshot } = await importTarball(second, file, PLATFORM);
    const names = await second.view(snapshot, (at) => readdir(join(at, "dev")));
    assert.equal(names, ["kept"]);
  } finally {
    await second.close();
  }
});

test("pushes what crane and skopeo accept, and pulls it back as it was", async () => {
  const snapshot = await odd();
  const registry = await startRegistry();
  const client = new RegistryClient();
  const second = await Store.open(join(root, "three"));
  try {
    const name = `${registry.address}/team/odd`;
    const arm = { os: "linux", architecture: "arm64" };
    const variants = [PLATFORM, arm].map((config) => ({ snapshot, config }));
    const pushed = await pushImage(client, store, `${name}:1`, variants);
    const crane = await ensureTool("crane");
    execFileSync(crane, ["validate", "--remote", `${name}:1`, "--platform", "linux/amd64"]);
    const inspect = ["inspect", "--tls-verify=false", `docker://${name}:1`];
    const seen = JSON.parse(execFileSync("skopeo", inspect, { encoding: "utf8" })) as {
      Layers: string[];
    };
    assert.is(seen.Layers.length, 2);
    assert.is(await client.digestOf(`${name}:1`), pushed.digest);
    assert.is(await client.digestOf(`${name}:2`), undefined);
    const image = await pull(client, `${name}:1`, arm, second);
    assert.is(image.ref, pushed.ref);
    assert.is(image.config.architecture, "arm64");
    const show = (at: string): Promise<string> => Promise.resolve(picture(at));
    assert.is(await second.view(image.snapshot, show), await store.view(snapshot, show));
    // Pushed again from where it was pulled to, it is the same image.
    const back = variants.map(({ config }) => ({ config, snapshot: image.snapshot }));
    const again = await pushImage(client, second, `${name}:again`, back);
    assert.is(again.digest, pushed.digest);
    await registry.stop();
    // By digest it is answered without the registry.
    assert.equal(await pull(client, image.ref, arm, second), image);
  } finally {
    await second.close();
    await client.close();
    await registry.stop();
  }
});

test("writes an archive that crane validates", async () => {
  const snapshot = await odd();
  const file = join(root, "valid.tar");
  await imageTarball(store, file, [{ snapshot, config: PLATFORM }], { tag: "odd:1" });
  const crane = await ensureTool("crane");
  execFileSync(crane, ["validate", "--tarball", file]);
  const layout = JSON.parse(
    execFileSync("skopeo", ["inspect", `oci-archive:${file}`], { encoding: "utf8" }),
  ) as { Layers: string[] };
  assert.is(layout.Layers.length, 2);
});

test.run();
