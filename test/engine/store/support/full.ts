import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { layerId, SCRATCH } from "../../../../ci/engine/store/snapshot.js";
import { Store } from "../../../../ci/engine/store/store.js";
import { sh } from "./scratch.js";

/** Fills the small disk at `root` in every way a store can; prints the errors and what is left. */
const [root = ""] = process.argv.slice(2);
const store = await Store.open(join(root, "engine"));
const errors: string[] = [];
const fails = async (work: Promise<unknown>): Promise<void> => {
  const failed = await work.then(
    () => "it worked",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  errors.push(failed);
};
const much = randomBytes(5 << 20);
const base = await store.mutate(SCRATCH, layerId("base"), (at) =>
  writeFile(join(at, "some"), much.subarray(0, 4 << 20)),
);
await fails(store.mutate(base, layerId("full"), (at) => writeFile(join(at, "f"), much)));
await fails(store.mutate(SCRATCH, layerId("full"), (at) => writeFile(join(at, "f"), much)));
await fails(store.blobs.put(much));
sh("/dev/shm", `mkdir slipway-full-${process.pid}`);
const host = `/dev/shm/slipway-full-${process.pid}`;
await writeFile(join(host, "big"), much);
await fails(store.importHost(host));
sh("/", `rm -r ${host}`);
sh(root, "mkdir out");
await fails(store.exportTo(base, "/", join(root, "out")));
const left = sh(
  root,
  "find engine/layers engine/blobs engine/memos engine/host -mindepth 1 -maxdepth 1 | sort",
);
const out = sh(root, "find ./out");
await store.close();
const lines = [...left.split("\n").map((line) => line && `./${line}`), ...out.split("\n")];
process.stdout.write(JSON.stringify({ errors, left: lines.filter((line) => line !== "") }));
