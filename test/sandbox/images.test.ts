import { fileURLToPath } from "node:url";

import { test } from "uvu";
import * as assert from "uvu/assert";

import { findImage, makeImage } from "../../ci/sandbox/images/build.js";
import { IMAGES, title, type ImageSpec } from "../../ci/sandbox/images/table.js";
import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";

const makeImages = (): Promise<string> =>
  run(process.execPath, [
    "--import",
    "tsx",
    fileURLToPath(new URL("../../ci/sandbox/images.ts", import.meta.url)),
  ]);

// The first run makes what is missing, which takes minutes on a machine that never did.
test.before(async () => {
  await makeImages();
});

test("a second run makes nothing and tells all the images", async () => {
  const said = await makeImages();
  assert.not.match(said, "…");
  for (const image of IMAGES) assert.match(said, new RegExp(`^${title(image)} .*sha256:`, "m"));
});

test("every image is valid, by its name and each of its tags", async () => {
  const crane = await ensureTool("crane");
  for (const { name, tags } of IMAGES) {
    for (const tag of tags) {
      await run(crane, ["validate", "--remote", `${registryAddress()}/${name}:${tag}`]);
    }
  }
});

test("every image says that it is a stand-in", async () => {
  const crane = await ensureTool("crane");
  for (const image of IMAGES) {
    const reference = `${registryAddress()}/${title(image)}`;
    const { config } = JSON.parse(await run(crane, ["config", reference])) as {
      config: { Labels: Record<string, string> };
    };
    assert.is(config.Labels["io.slipway.stand-in"], "true");
    assert.match(
      config.Labels["org.opencontainers.image.description"] ?? "",
      `Slipway stand-in for ${title(image)}`,
    );
  }
});

test("Python images name their version and carry their interpreter where the official one has it", async () => {
  const crane = await ensureTool("crane");
  const reference = `${registryAddress()}/library/python:3.11-slim`;
  assert.match(await run(crane, ["config", reference]), /"PYTHON_VERSION=3\.11\.\d+"/);
  const { layers } = JSON.parse(await run(crane, ["manifest", reference])) as {
    layers: { digest: string }[];
  };
  assert.is(layers.length, 1);
  const listing = await run("sh", ["-c", '"$0" export "$1" - | tar -tvf -', crane, reference]);
  assert.match(listing, "usr/local/bin/python -> /usr/bin/python3");
  assert.not.match(listing, /^[bc]/m, "device nodes");
  assert.not.match(listing, "EXTERNALLY-MANAGED");
  assert.match(listing, /^drwxr-xr-x .* (\.\/)?dev\/?$/m);
});

const busybox = IMAGES.find((image) => image.from === "busybox");

test("the same packages give the same digest, and an index has both platforms", async () => {
  assert.ok(busybox);
  const [one, two] = [await startRegistry(), await startRegistry()];
  try {
    await Promise.all([makeImage(busybox, one.address), makeImage(busybox, two.address)]);
    const first = await findImage(busybox, one.address);
    assert.ok(first);
    assert.equal(await findImage(busybox, two.address), first);
    const crane = await ensureTool("crane");
    const index = await run(crane, ["manifest", `${one.address}/${title(busybox)}`]);
    assert.match(index, '"architecture":"amd64"');
    assert.match(index, '"architecture":"arm64"');
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
});

test("an image of another recipe, or without one of its tags, counts as missing", async () => {
  assert.ok(busybox);
  const changed: ImageSpec = { ...busybox, defaults: { ...busybox.defaults, cmd: ["ash"] } };
  assert.ok(await findImage(busybox, registryAddress()));
  assert.is(await findImage(changed, registryAddress()), undefined);
  const more: ImageSpec = { ...busybox, tags: ["stable", "absent"] };
  assert.is(await findImage(more, registryAddress()), undefined);
});

test.run();
