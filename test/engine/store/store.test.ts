import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { layerId, SCRATCH } from "../../../ci/engine/store/snapshot.js";
import { Store } from "../../../ci/engine/store/store.js";
import { digestTree } from "../../../ci/engine/store/tree.js";
import type { Snapshot } from "../../../ci/engine/store/types.js";
import { close, open, refusal, script, sh, type Scratch } from "./support/scratch.js";

const test = suite<Scratch>("store");
test.before.each(open);
test.after.each(close);

const list = (store: Store, snapshot: Snapshot): Promise<string> =>
  store.view(snapshot, (at) => Promise.resolve(sh(at, "find . -mindepth 1 | LC_ALL=C sort")));

test("keeps what a change wrote, replaced and removed as a layer", async ({ store }) => {
  const one = await store.mutate(
    SCRATCH,
    layerId("1"),
    script("mkdir d e; echo a > d/a; echo b > b"),
  );
  const two = await store.mutate(one, layerId("2"), script("rm -r d; mkdir d; echo c > d/c; rm b"));
  assert.is(await list(store, one), "./b\n./d\n./d/a\n./e\n");
  assert.is(await list(store, two), "./d\n./d/c\n./e\n");
});

test("does work once for callers at the same time and later", async ({ store, root }) => {
  let runs = 0;
  const work = async (at: string): Promise<void> => {
    runs++;
    await writeFile(join(at, "x"), "x");
  };
  const results = await Promise.all([1, 2, 3].map(() => store.mutate(SCRATCH, layerId("w"), work)));
  const other = await Store.open(join(root, "engine"));
  results.push(await other.mutate(SCRATCH, layerId("w"), work));
  await other.close();
  assert.is(runs, 1);
  for (const result of results) assert.equal(result, { layers: [layerId("w")] });
});

test("remembers that a change changed nothing, and sees a change of the root alone", async ({
  store,
}) => {
  const base = await store.mutate(SCRATCH, layerId("b"), script("echo > f; chmod 711 ."));
  let runs = 0;
  const nothing = (): Promise<void> => {
    runs++;
    return Promise.resolve();
  };
  assert.equal(await store.mutate(base, layerId("n"), nothing), base);
  assert.equal(await store.mutate(base, layerId("n"), nothing), base);
  assert.is(runs, 1);
  const root = await store.mutate(base, layerId("r"), script("chmod 700 ."));
  assert.is(root.layers.length, 2);
  assert.is(await store.view(root, async (at) => (await stat(at)).mode & 0o777), 0o700);
});

test("leaves nothing when a change fails or is cancelled", async ({ store, root }) => {
  const base = await store.mutate(SCRATCH, layerId("b"), script("echo > f"));
  const fails = store.mutate(base, layerId("f"), async (at) => {
    await writeFile(join(at, "half"), "half");
    throw new Error("no");
  });
  assert.is(await refusal(fails), "no");
  const controller = new AbortController();
  const cancelled = store.mutate(
    base,
    layerId("c"),
    async (at) => {
      await writeFile(join(at, "half"), "half");
      controller.abort();
    },
    controller.signal,
  );
  assert.match(await refusal(cancelled), /aborted/);
  assert.is(await store.lookup(base, layerId("f")), undefined);
  assert.is(await store.lookup(base, layerId("c")), undefined);
  const [lease = ""] = await readdir(join(root, "engine/tmp"));
  assert.equal(await readdir(join(root, "engine/tmp", lease)), []);
});

test("merges long chains of layers without a difference", async ({ store }) => {
  let snapshot: Snapshot = SCRATCH;
  const step = async (name: string, text: string): Promise<void> => {
    snapshot = await store.mutate(snapshot, layerId("step", name), script(text));
  };
  await step(
    "base",
    "mkdir keep gone swap deep opaque; echo 1 > gone/1; echo 2 > opaque/old; echo s > swap/s",
  );
  for (let n = 0; n < 40; n++)
    await step(`a${n}`, `echo ${n} > deep/${n}; echo ${n} > same; echo > f${n}`);
  await step(
    "rm",
    "rm -r gone swap; echo file > swap; rm f3; rm -r opaque; mkdir opaque; echo new > opaque/new",
  );
  await step(
    "back",
    "mkdir gone; echo again > gone/2; rm swap; mkdir swap; echo t > swap/t; setfattr -n user.k -v v swap",
  );
  await step(
    "links",
    "ln deep/5 keep/hard; ln -s nowhere keep/soft; chown 7:8 keep; chmod 750 keep; touch -d @9 keep",
  );
  for (let n = 0; n < 40; n++)
    await step(`b${n}`, `rm -f deep/${n}; echo ${n} > keep/${n}; touch -d @9 keep`);
  assert.is(snapshot.layers.length, 84);
  const whole = snapshot;
  const digest = (at: string): Promise<string> => digestTree(at, "/");
  const merged = await store.compact(whole);
  assert.ok(merged.layers.length <= 64);
  assert.is(await list(store, merged), await list(store, whole));
  assert.is(await store.view(merged, digest), await store.view(whole, digest));
  const details = "stat -c '%a %u %g %Y %h' keep keep/hard; getfattr -n user.k --only-values swap";
  const show = (at: string): Promise<string> => Promise.resolve(sh(at, details));
  assert.is(await store.view(merged, show), await store.view(whole, show));
  assert.equal(await store.compact(whole), merged);
});

test("grows by a chain of any length without merging the same files each time", async ({
  store,
}) => {
  let snapshot: Snapshot = SCRATCH;
  const merged = new Set<string>();
  for (let n = 0; n < 300; n++) {
    const write = (at: string): Promise<void> => writeFile(join(at, `f${n}`), String(n));
    snapshot = await store.compact(await store.mutate(snapshot, layerId(`chain ${n}`), write));
    assert.ok(snapshot.layers.length <= 64);
    for (const id of snapshot.layers.slice(16)) if (id.startsWith("c0de")) merged.add(id);
  }
  const names = (await list(store, snapshot)).trim().split("\n");
  assert.is(names.length, 300);
  assert.ok(merged.size >= 4);
  // Each file is in one merged layer only.
  const inMerged: string[] = [];
  for (const id of merged) inMerged.push(...(await readdir(store.layerPath(id))));
  assert.is(new Set(inMerged).size, inMerged.length);
});

test("refuses blobs of another digest or size, and keeps nothing of them", async ({
  store,
  root,
}) => {
  const { digest } = await store.blobs.put(Buffer.from("content"));
  const other = `sha256:${"0".repeat(64)}`;
  const wrong = store.blobs.put(Readable.from([Buffer.from("content")]), { digest: other });
  assert.match(await refusal(wrong), /wrong digest: expected sha256:000/);
  assert.match(await refusal(store.blobs.put(Buffer.from("longer"), { size: 3 })), /wrong size/);
  assert.match(await refusal(store.blobs.put(Buffer.from("a"), { size: 3 })), /wrong size/);
  assert.equal(await readdir(join(root, "engine/blobs")), [digest.slice(7)]);
  assert.is(String(await store.blobs.read(digest)), "content");
});

test("forgets a memo when what it refers to is gone", async ({ store }) => {
  const { layers } = await store.mutate(SCRATCH, layerId("l"), script("echo > f"));
  const blob = await store.blobs.put(Buffer.from("b"));
  await store.memo.set("k", { n: 1 }, { layers, blobs: [blob.digest] });
  assert.equal(await store.memo.get("k"), { n: 1 });
  await rm(store.blobs.path(blob.digest));
  assert.is(await store.memo.get("k"), undefined);
  const dangling = store.memo.set("d", 1, { layers: [layerId("never made")] });
  assert.match(await refusal(dangling), /not in the store/);
});

test("prunes what was not used for longest, keeps what shares it, and measures", async ({
  store,
  root,
}) => {
  const data = (size: number) => (at: string) => writeFile(join(at, "f"), randomBytes(size));
  const base = await store.mutate(SCRATCH, layerId("base"), data(400_000));
  const used = new Map<string, Snapshot>();
  for (const name of ["old", "middle", "new"]) {
    const snapshot = await store.mutate(base, layerId(name), data(400_000));
    await store.memo.set(name, name, { layers: snapshot.layers });
    used.set(name, snapshot);
  }
  const files = sh(join(root, "engine/memos"), "grep -rl . .").trim().split("\n");
  for (const path of files) {
    const text = await readFile(join(root, "engine/memos", path), "utf8");
    const age = ["new", "middle", "old"].findIndex((name) => text.includes(`"key":"${name}"`));
    const time = Date.now() / 1000 - age * 1000;
    await utimes(join(root, "engine/memos", path), time, time);
  }
  const before = await store.status();
  assert.ok(before.bytes > 1_600_000 && before.bytes < 1_800_000, String(before.bytes));
  const result = await store.prune({ toBytes: 1_400_000 });
  assert.is(result.memos, 1);
  assert.is(result.layers, 1);
  assert.is(before.bytes - result.freedBytes, (await store.status()).bytes);
  assert.is(await store.memo.get("old"), undefined);
  assert.is(await store.memo.get("middle"), "middle");
  await store.volumes.path("v");
  await store.prune({ all: true });
  const { layers, memos, volumes, bytes } = await store.status();
  assert.equal([layers, memos, volumes, bytes], [0, 0, 0, 0]);
});

test("prunes by itself at close when it is over its budget", async ({ root }) => {
  const small = await Store.open(join(root, "small"), { budgetBytes: 1_000_000 });
  for (let n = 0; n < 4; n++) {
    const write = (at: string): Promise<void> => writeFile(join(at, "f"), randomBytes(400_000));
    const { layers } = await small.mutate(SCRATCH, layerId(`l${n}`), write);
    await small.memo.set(`m${n}`, n, { layers });
  }
  await small.close();
  const again = await Store.open(join(root, "small"));
  const { bytes, memos } = await again.status();
  assert.ok(bytes < 1_000_000 && memos >= 1, `${bytes} bytes, ${memos} memos`);
  await again.close();
});

test("refuses to prune while another process or its own work uses the store", async ({
  store,
  root,
}) => {
  const other = await Store.open(join(root, "engine"));
  assert.match(await refusal(store.prune()), new RegExp(`by process ${process.pid} a second time`));
  await other.close();
  const worker = new URL("support/worker.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [
    "--import",
    "tsx",
    worker,
    join(root, "engine"),
    join(root, "engine/empty"),
  ]);
  await once(child.stdout, "data");
  assert.match(
    await refusal(store.prune()),
    new RegExp(`in use by process ${child.pid}; prune it`),
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  const pruned = store.mutate(SCRATCH, layerId("x"), async () => {
    assert.match(await refusal(store.prune()), /1 operations of this process/);
  });
  await pruned;
  await store.prune();
});

test("says that the disk is full, and leaves nothing half-written", async () => {
  const root = await mkdtemp(join(tmpdir(), "slipway-full-"));
  const child = new URL("support/full.ts", import.meta.url).pathname;
  const mount = `mount -t tmpfs -o size=6m none '${root}' && exec "$@"`;
  const node = [process.execPath, "--import", "tsx", child, root];
  const ran = spawnSync("unshare", ["--mount", "sh", "-c", mount, "sh", ...node], {
    encoding: "utf8",
  });
  await rm(root, { recursive: true });
  assert.is(ran.status, 0, ran.stderr);
  const { errors, left } = JSON.parse(ran.stdout) as { errors: string[]; left: string[] };
  assert.is(errors.length, 5);
  for (const error of errors) {
    assert.match(
      error,
      /^The disk is full: nothing more can be written under .*slipway engine prune/,
    );
  }
  assert.equal(left, ["./engine/layers/" + layerId("base"), "./out"]);
});

test.run();
