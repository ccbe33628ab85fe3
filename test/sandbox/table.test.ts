import { test } from "uvu";
import * as assert from "uvu/assert";

import { IMAGES, title } from "../../ci/sandbox/images/table.js";
import { missingPackages } from "../../ci/sandbox/packages.js";
import { TOOLS } from "../../ci/sandbox/tools.js";
import { cosignImage, trivyImage } from "../../src/images.js";

const references = IMAGES.flatMap((image) => image.tags.map((tag) => `${image.name}:${tag}`));

test("no two images share a name and a tag", () => {
  assert.is(new Set(references).size, references.length);
});

test("names are complete, so that a mirror of their registry finds them", () => {
  // Only Docker Hub has a folder for each name.
  const top = ["kubectl:", "pause:"];
  for (const reference of references) {
    if (top.some((name) => reference.startsWith(name))) continue;
    assert.match(reference, /^[a-z0-9]+(\/[a-z0-9-]+)+:[\w.-]+$/);
  }
});

test("the images that the module starts from are there", () => {
  const titles = IMAGES.map(title);
  for (const wanted of ["library/python:3.11-slim", "library/python:3.13-slim"]) {
    assert.ok(titles.includes(wanted), wanted);
  }
});

test("the images of the programs have the names and versions that the module asks for", () => {
  const titles = IMAGES.map(title);
  for (const image of [trivyImage({}), cosignImage({})])
    assert.ok(titles.includes(image.slice(image.indexOf("/") + 1)), image);
});

test("wheels are pinned by hash and tagged with their version", () => {
  for (const image of IMAGES) {
    if (image.from !== "wheel") continue;
    assert.equal(image.tags, [image.version]);
    for (const { sha256 } of Object.values(image.wheels)) assert.match(sha256, /^[0-9a-f]{64}$/);
  }
});

test("Go tools are pinned to a version", () => {
  for (const tool of Object.values(TOOLS)) {
    if (tool.from === "go") assert.match(tool.version, /^v\d+\.\d+\.\d+$/);
  }
});

test("missing packages are told from installed ones", async () => {
  const absent = { name: "slipway-no-such-package", why: "test" };
  const present = { name: "dpkg", why: "test" };
  assert.equal(await missingPackages([present]), []);
  assert.equal(await missingPackages([absent, present]), [absent]);
});

test.run();
