import { createHmac, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Events } from "./events.js";
import { Runner } from "./exec/runner.js";
import { SharedWork } from "./graph/shared.js";
import type { Platform } from "./images/types.js";
import type { EngineOptions } from "./options.js";
import { Slots } from "./slots.js";
import { Store } from "./store/store.js";

/** What all sessions of one process share: the store, the runner of commands, the limits. */
export class Engine {
  readonly events = new Events();
  /** Commands in flight, by content: equal ones run once, whichever session asked. */
  readonly execs = new SharedWork<unknown>();
  readonly slots: Slots;
  readonly platform: Platform = {
    os: "linux",
    architecture: process.arch === "x64" ? "amd64" : process.arch,
  };

  private constructor(
    readonly options: EngineOptions,
    readonly store: Store,
    readonly runner: Runner,
    private readonly runFolder: string,
    private readonly salt: Buffer,
  ) {
    this.slots = new Slots(options.parallel ?? availableParallelism());
  }

  static async open(options: EngineOptions): Promise<Engine> {
    const { root, budgetBytes } = options;
    const store = await Store.open(root, budgetBytes ? { budgetBytes } : {});
    try {
      // Sockets lie in it, whose paths may have 107 bytes.
      const runFolder = join(store.temporary, "run");
      await mkdir(runFolder, { mode: 0o700 });
      const runner = await Runner.create(store, { root: runFolder });
      return new Engine(options, store, runner, runFolder, await saltOf(root));
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** An empty folder that goes with the engine. */
  scratchFolder(): Promise<string> {
    return mkdtemp(join(this.runFolder, "work-"));
  }

  /** Identity of a secret value: equal on this machine for equal values, and telling nothing of them. */
  secretIdentity(plaintext: Buffer | string): string {
    return createHmac("sha256", this.salt).update(plaintext).digest("hex").slice(0, 40);
  }

  async close(): Promise<void> {
    await this.runner.close();
    await this.store.close();
  }
}

async function saltOf(root: string): Promise<Buffer> {
  const file = join(root, "salt");
  try {
    await writeFile(file, randomBytes(32), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFile(file);
}
