import { randomBytes, randomInt } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { codeOf } from "../../../../ci/engine/store/failure.js";
import { layerId, SCRATCH } from "../../../../ci/engine/store/snapshot.js";
import { Store } from "../../../../ci/engine/store/store.js";
import { copyTree, digestTree } from "../../../../ci/engine/store/tree.js";
import type { Snapshot } from "../../../../ci/engine/store/types.js";

/** Works on a store for ever, until it is killed; says "ready", and "round" after each memo. */
const [root = "", host = ""] = process.argv.slice(2);
const store = await Store.open(root);
process.stdout.write("ready\n");

async function write(at: string): Promise<void> {
  await mkdir(join(at, "work"), { recursive: true });
  for (let count = randomInt(1, 30); count > 0; count--) {
    await writeFile(join(at, "work", randomBytes(3).toString("hex")), randomBytes(randomInt(9000)));
  }
}

for (let snapshot: Snapshot = SCRATCH, round = 0; ; round++) {
  const id = layerId(randomBytes(8).toString("hex"));
  snapshot = await store.mutate(snapshot, id, async (at) => {
    if (round % 5 === 4) await rm(join(at, "work"), { recursive: true, force: true });
    await write(at);
  });
  const imported = await store.importHost(host);
  snapshot = await store.mutate(snapshot, layerId("copy", id), (at) =>
    store.view(imported, (from) => copyTree(from, "/", at, "/work")),
  );
  if (snapshot.layers.length > 66) snapshot = await store.compact(snapshot);
  const blob = await store.blobs.put(randomBytes(randomInt(1 << 20)));
  const digest = await store.view(snapshot, (at) => digestTree(at, "/"));
  const { layers } = snapshot;
  await store.memo.set(`round ${id}`, { layers, digest, blob }, { layers, blobs: [blob.digest] });
  process.stdout.write("round\n");
  if (randomInt(6) > 0) continue;
  // Only one of several may, and then only with nothing going on.
  await store.prune({ toBytes: 16 << 20 }).catch((error: unknown) => {
    if (codeOf(error) !== "EBUSY") throw error;
  });
  snapshot = SCRATCH;
}
