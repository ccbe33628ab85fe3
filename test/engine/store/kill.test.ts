import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { Readable } from "node:stream";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { Store } from "../../../ci/engine/store/store.js";
import { digestTree } from "../../../ci/engine/store/tree.js";
import type { BlobRef, LayerId } from "../../../ci/engine/store/types.js";

const KILLS = 50;
const WORKERS = 2;
const WORKER = fileURLToPath(new URL("support/worker.ts", import.meta.url));

const test = suite("store/kill");

interface Round {
  value: { layers: LayerId[]; digest: string; blob: BlobRef };
  key: string;
}

test(`keeps every memo whole through ${KILLS} kills at random points, two processes at once`, async () => {
  const root = await mkdtemp(join(tmpdir(), "slipway-kill-"));
  const [engine, host] = [join(root, "engine"), join(root, "host")];
  try {
    await mkdir(host);
    for (let file = 0; file < 40; file++) await writeFile(join(host, `f${file}`), `${file}`);
    let left = KILLS;
    const errors: string[] = [];
    const slot = async (): Promise<void> => {
      while (left-- > 0) {
        const worker = start(engine, host);
        worker.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
        const exited = once(worker, "exit");
        // Somewhere in one of the first rounds, however slow the machine is.
        const started = performance.now();
        for (let rounds = randomInt(1, 5); rounds > 0; rounds--) {
          await Promise.race([once(worker.stdout, "data"), exited]);
        }
        await sleep(Math.random() * Math.min(1000, performance.now() - started));
        worker.kill("SIGKILL");
        await exited;
        assert.is(worker.signalCode, "SIGKILL", errors.join(""));
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, slot));
    assert.equal(errors, []);
    await verify(engine);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

function start(engine: string, host: string): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ["--import", "tsx", WORKER, engine, host], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function verify(engine: string): Promise<void> {
  const store = await Store.open(engine);
  try {
    assert.equal((await store.status()).leases, [process.pid]);
    let whole = 0;
    for (const group of await readdir(join(engine, "memos"))) {
      for (const name of await readdir(join(engine, "memos", group))) {
        const text = await readFile(join(engine, "memos", group, name), "utf8");
        const { key, value } = JSON.parse(text) as Round;
        if (!key.startsWith("round ")) continue;
        assert.equal(await store.memo.get(key), value, `${key} names something that is gone`);
        const digest = await store.view(value, (at) => digestTree(at, "/"));
        assert.is(digest, value.digest, `${key} has other files than when it was written`);
        const blob = createHash("sha256").update(await store.blobs.read(value.blob.digest));
        assert.is(`sha256:${blob.digest("hex")}`, value.blob.digest);
        whole++;
      }
    }
    assert.ok(whole >= 10, `only ${whole} memos to look at`);
    // What the killed left behind is cleared away by whoever comes next.
    for (let wait = 0; wait < 100 && (await readdir(join(engine, "tmp"))).length > 1; wait++) {
      await sleep(100);
    }
    assert.is((await readdir(join(engine, "tmp"))).length, 1);
    const mounts = await readFile("/proc/mounts", "utf8");
    assert.not.ok(mounts.includes(engine), "a mount is left in the machine's namespace");
  } finally {
    await store.close();
  }
}

test.run();
