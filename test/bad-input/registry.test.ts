// A registry that fails: what a person reads, and that the cache keeps nothing half-written.
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { scratch } from "../e2e/support/project.js";
import { openSession } from "../e2e/support/session.js";
import {
  faultyRegistry,
  file,
  tar,
  type FaultyRegistry,
} from "../engine/images/support/registry.js";

const folder = await scratch();
const registry = await faultyRegistry();
const session = await openSession({ cache: folder.path, mirror: registry.address });

const test = suite("failing registries");
test.before.each(() => {
  registry.fault = () => false;
});
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

/** The root's names of an image, or what is said instead. */
async function pull(tag: string): Promise<string[]> {
  const { container } = await session.query<{
    container: { from: { rootfs: { entries: string[] } } };
  }>(`{ container { from(address: "docker.io/library/thing:${tag}") { rootfs { entries } } } }`);
  return container.from.rootfs.entries;
}

async function refusal(tag: string): Promise<string> {
  return await pull(tag).then(
    (names) => `no error: ${names.join()}`,
    (error: unknown) => (error as Error).message,
  );
}

/** An image with one file of this many bytes that do not compress. */
function image(tag: string, bytes = 10): void {
  registry.image(tag, [tar(file(`of-${tag}`, randomBytes(bytes).toString("hex")))]);
}

/** Layers and drafts of layers that the cache holds. */
async function kept(): Promise<string[]> {
  return await readdir(join(folder.path, "engine", "layers"));
}

/** A refusal that keeps nothing, after which the same image can be had. */
async function failsThenWorks(
  tag: string,
  fault: FaultyRegistry["fault"],
  expected: RegExp,
): Promise<void> {
  const before = await kept();
  registry.fault = fault;
  const said = await refusal(tag);
  assert.ok(expected.test(said), said);
  assert.match(said, /thing/, "the image is not named");
  assert.equal(await kept(), before, "something was kept");
  registry.fault = () => false;
  assert.equal(await pull(tag), [`of-${tag}`]);
}

for (const [status, expected] of [
  [401, /401.*[Cc]redentials/s],
  [429, /answered 429/],
  [500, /answered 500/],
] as const) {
  test(`says_that_the_registry_answered_${status}`, async () => {
    const tag = `status-${status}`;
    image(tag);
    await failsThenWorks(
      tag,
      (_, response) => {
        response.writeHead(status).end('{"errors":[{"code":"UNKNOWN","message":"no"}]}');
        return true;
      },
      expected,
    );
  });
}

test("says_that_the_stream_was_cut", async () => {
  image("cut", 300_000);
  await failsThenWorks(
    "cut",
    ({ url = "" }, response) => {
      const body = registry.blobs.get(url.split("/").at(-1) ?? "");
      if (!url.includes("/blobs/") || !body || body.length < 100_000) return false;
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, 50_000), () => response.destroy());
      return true;
    },
    /cut off the blob sha256:\w+/,
  );
});

test("says_that_the_digest_is_wrong", async () => {
  image("wrong", 1000);
  await failsThenWorks(
    "wrong",
    ({ url = "" }, response) => {
      const body = registry.blobs.get(url.split("/").at(-1) ?? "");
      if (!url.includes("/blobs/") || body?.[0] !== 0x1f) return false;
      const other = Buffer.from(body);
      other[500] = (other[500] ?? 0) ^ 1;
      response.writeHead(200).end(other);
      return true;
    },
    /digest/,
  );
});

test("says_that_an_image_is_not_there", async () => {
  assert.match(await refusal("missing"), /missing.*(does not exist|not found|404)/s);
});

test("says_that_nothing_answers", async () => {
  const down = await faultyRegistry();
  await down.stop();
  const own = await scratch();
  const other = await openSession({ cache: own.path, mirror: down.address });
  try {
    const said = await other
      .query(`{ container { from(address: "docker.io/library/thing:1") { rootfs { entries } } } }`)
      .then(
        () => "no error",
        (error: unknown) => (error as Error).message,
      );
    assert.match(said, /thing/);
    assert.ok(said.includes(down.address), `the address is not named: ${said}`);
    assert.match(said, /ECONNREFUSED|refused|reach/);
  } finally {
    await other.close();
    await own.forget();
  }
});

test.run();
