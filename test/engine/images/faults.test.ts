import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { pull, pushImage, RegistryClient } from "../../../ci/engine/images/index.js";
import { layerId, SCRATCH } from "../../../ci/engine/store/snapshot.js";
import { Store } from "../../../ci/engine/store/store.js";
import { faultyRegistry, file, folder, tar, type FaultyRegistry } from "./support/registry.js";

interface Context {
  root: string;
  store: Store;
  registry: FaultyRegistry;
  client: RegistryClient;
}

const PLATFORM = { os: "linux", architecture: "amd64" };
const test = suite<Context>("images/faults");

test.before.each(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), "slipway-faults-"));
  context.store = await Store.open(join(context.root, "engine"));
  context.registry = await faultyRegistry();
  context.client = new RegistryClient({ retryDelayMs: 1 });
});
test.after.each(async ({ root, store, registry, client }) => {
  await client.close();
  await registry.stop();
  await store.close();
  await rm(root, { recursive: true, force: true });
});

/** The message of the error that `work` must end with. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it was not refused");
}

const from = ({ client, registry, store }: Context, tag = "1"): ReturnType<typeof pull> =>
  pull(client, `${registry.address}/a/b:${tag}`, PLATFORM, store);

test("pulls layers with whiteouts, opaque folders and folders that are only implied", async (context) => {
  const { registry, store } = context;
  registry.image("1", [
    tar(
      folder("etc", 0o700),
      ...[
        file("etc/a", "a"),
        file("etc/gone", "x"),
        folder("opaque"),
        file("opaque/old"),
        folder("usr"),
      ],
      ...[
        folder("usr/lib"),
        { name: "lib", type: "symlink", mode: 0o777, target: "usr/lib" } as const,
      ],
      file("file-then-folder"),
    ),
    tar(
      file("etc/b", "b"),
      ...[file("etc/.wh.gone"), folder("opaque"), file("opaque/.wh..wh..opq"), file("opaque/new")],
      ...[file("lib/through", "t"), folder("file-then-folder"), file("file-then-folder/f")],
    ),
  ]);
  const { snapshot } = await from(context);
  await store.view(snapshot, async (at) => {
    assert.equal((await readdir(join(at, "etc"))).sort(), ["a", "b"]);
    assert.is((await lstat(join(at, "etc"))).mode & 0o777, 0o700);
    assert.equal(await readdir(join(at, "opaque")), ["new"]);
    assert.equal(await readdir(join(at, "file-then-folder")), ["f"]);
    assert.ok((await lstat(join(at, "lib"))).isSymbolicLink());
    assert.is(await readFile(join(at, "usr/lib/through"), "utf8"), "t");
  });
});

test("keeps a layer's files inside, whatever its links and names say", async (context) => {
  const { registry, store, root } = context;
  const outside = join(root, "outside");
  registry.image("1", [
    tar(
      { name: "out", type: "symlink", mode: 0o777, target: root },
      file("../up", "x"),
      file(`${outside}-2`),
    ),
    tar(file("out/outside", "escaped"), file("out/../../up", "x")),
  ]);
  await from(context).catch(() => undefined);
  assert.equal(await readdir(root), ["engine"]);
  registry.image("2", [
    tar(
      { name: "out", type: "symlink", mode: 0o777, target: root },
      file("out/outside", "escaped"),
    ),
  ]);
  await from(context, "2").catch(() => undefined);
  assert.not.ok(existsSync(outside));
  registry.image("3", [
    tar({ name: "out", type: "symlink", mode: 0o777, target: root }),
    tar(file("out/outside", "inside")),
  ]);
  // The link of the layer below leads to where a process in the container would end up.
  const { snapshot } = await from(context, "3");
  const text = await store.view(snapshot, (at) => readFile(join(at, root, "outside"), "utf8"));
  assert.is(text, "inside");
  assert.not.ok(existsSync(outside));
});

for (const status of [429, 500, 503]) {
  test(`retries a registry that answers ${status}, and says so when it does not stop`, async (context) => {
    const { registry } = context;
    registry.image("1", [tar(file("a"))]);
    let left = 2;
    registry.fault = (_, response) => {
      if (left-- <= 0) return false;
      response
        .writeHead(status)
        .end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}');
      return true;
    };
    await from(context);
    left = Infinity;
    assert.match(await refusal(from(context)), new RegExp(`answered ${status}.*slow down`));
  });
}

test("says which credentials are missing or wrong", async (context) => {
  const { registry, store } = context;
  registry.image("1", [tar(file("a"))]);
  registry.fault = ({ headers, url = "" }, response) => {
    const realm = `http://${registry.address}/token`;
    if (url.startsWith("/token")) {
      const [user] = Buffer.from(headers.authorization?.slice(6) ?? "", "base64")
        .toString()
        .split(":");
      response.writeHead(user === "me" ? 200 : 401).end('{"token":"secret-token"}');
      return true;
    }
    if (headers.authorization === "Bearer secret-token") return false;
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end();
    return true;
  };
  assert.match(await refusal(from(context)), /refused access \(401\): it wants credentials/);
  const ref = `${registry.address}/a/b:1`;
  for (const [username, outcome] of [
    ["you", /the credentials are wrong/],
    ["me", undefined],
  ] as const) {
    const client = new RegistryClient({ credentials: () => ({ username, password: "p" }) });
    const pulled = pull(client, ref, PLATFORM, store);
    if (outcome) assert.match(await refusal(pulled), outcome);
    else assert.is((await pulled).snapshot.layers.length, 1);
    await client.close();
  }
  assert.ok(registry.log.some((line) => line.includes("scope=repository%3Aa%2Fb%3Apull")));
});

test("goes on where a blob was cut off, and gives up readably", async (context) => {
  const { registry, store } = context;
  registry.image("1", [tar(file("big", randomBytes(300_000).toString("hex")))]);
  let cuts = 2;
  const ranges: (string | undefined)[] = [];
  registry.fault = ({ url = "", headers }, response) => {
    const body = registry.blobs.get(url.split("/").at(-1) ?? "");
    if (!body || body.length < 100_000 || cuts-- <= 0) return false;
    ranges.push(headers.range);
    const start = Number(/\d+/.exec(headers.range ?? "")?.[0] ?? 0);
    response.writeHead(start ? 206 : 200, { "content-length": body.length - start });
    response.write(body.subarray(start, start + 80_000), () => response.destroy());
    return true;
  };
  const { snapshot } = await from(context);
  const { size } = await store.view(snapshot, (at) => lstat(join(at, "big")));
  assert.is(size, 600_000);
  assert.is(ranges[0], undefined);
  assert.match(ranges[1] ?? "", /^bytes=[1-9]\d*-$/);
  registry.image("2", [tar(file("big", randomBytes(300_000).toString("hex")))]);
  cuts = Infinity;
  assert.match(await refusal(from(context, "2")), /cut off the blob sha256:\w+ after \d+ bytes/);
});

test("refuses content of a wrong digest, and keeps nothing of it", async (context) => {
  const { registry, store } = context;
  const digest = registry.image("1", [tar(file("a", "right"))]);
  for (const [name, body] of registry.blobs) {
    if (name === digest || body[0] !== 0x1f) continue;
    const wrong = Buffer.from(body);
    wrong[wrong.length - 9] = (wrong[wrong.length - 9] ?? 0) ^ 1;
    registry.blobs.set(name, wrong);
  }
  assert.match(
    await refusal(from(context)),
    /wrong digest: expected sha256:.*nothing of it was kept/,
  );
  assert.is((await store.status()).layers, 0);
  registry.blobs.set(
    digest,
    Buffer.concat([registry.blobs.get(digest) ?? Buffer.alloc(0), Buffer.from(" ")]),
  );
  const byDigest = `${registry.address}/a/b@${digest}`;
  const changed = pull(context.client, byDigest, PLATFORM, store);
  assert.match(await refusal(changed), /instead of sha256:/);
});

test("fails once, and not before its turn, when a layer read ahead is broken", async (context) => {
  const { registry } = context;
  registry.image(
    "1",
    ["a", "b", "c"].map((name) => tar(file(name, randomBytes(9).toString("hex")))),
  );
  let seen = 0;
  registry.fault = ({ url = "" }, response) => {
    const body = registry.blobs.get(url.split("/").at(-1) ?? "");
    if (!url.includes("/blobs/") || body?.[0] !== 0x1f) return false;
    // The first layer comes late, those read ahead fail at once.
    if (seen++ === 0) setTimeout(() => response.end(body), 100);
    else response.writeHead(404).end();
    return true;
  };
  assert.match(await refusal(from(context)), /answered 404 for the blob/);
});

test("names the platforms there are when the wanted one is not", async (context) => {
  const { registry } = context;
  const digest = registry.image("arm", [], { os: "linux", architecture: "arm64" });
  const entry = {
    digest,
    size: 1,
    mediaType: "m",
    platform: { os: "linux", architecture: "arm64" },
  };
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [entry],
  };
  const { digest: top } = registry.add(Buffer.from(JSON.stringify(index)));
  const ref = `${registry.address}/a/b@${top}`;
  const pulled = pull(context.client, ref, PLATFORM, context.store);
  assert.match(await refusal(pulled), /no image for linux\/amd64; it has: linux\/arm64/);
});

test("says what to do when nobody answers, or the tag is not there", async (context) => {
  const { registry, client, store } = context;
  assert.match(
    await refusal(from(context, "nope")),
    /answered 404 for the manifest nope.*no such thing/,
  );
  await registry.stop();
  const dead = pull(client, `${registry.address}/a/b:1`, PLATFORM, store);
  assert.match(await refusal(dead), /cannot be reached at http:\/\/127.*ECONNREFUSED.*mirror/);
});

test("reads from the mirror that stands in for a registry, with the longest prefix", async (context) => {
  const { registry, store } = context;
  registry.image("1", [tar(file("a"))]);
  const mirrors = {
    "docker.io": "http://127.0.0.1:1",
    "docker.io/library": `${registry.address}/hub`,
  };
  const client = new RegistryClient({ mirrors });
  const image = await pull(client, "python:1", PLATFORM, store);
  assert.match(image.ref, /^docker\.io\/library\/python:1@sha256:/);
  assert.is(registry.log[0], "GET /v2/hub/python/manifests/1");
  await client.close();
});

test("pushes a tag last, so that a failed push changes nothing visible", async ({
  registry,
  client,
  store,
}) => {
  const snapshot = await store.mutate(SCRATCH, layerId("x"), (at) =>
    writeFile(join(at, "f"), "content"),
  );
  registry.fault = ({ method = "" }, response) => {
    if (method === "HEAD") response.writeHead(404).end();
    else response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"read only"}]}');
    return true;
  };
  const pushed = pushImage(client, store, `${registry.address}/a/b:1`, [
    { snapshot, config: PLATFORM },
  ]);
  assert.match(await refusal(pushed), /answered 403 for the upload.*read only.*credentials/);
  assert.not.ok(registry.log.some((line) => line.startsWith("PUT")));
});

test.run();
