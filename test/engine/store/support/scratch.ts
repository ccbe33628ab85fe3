import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Store } from "../../../../ci/engine/store/store.js";

/** A folder of a test's own with a store in it. */
export interface Scratch {
  root: string;
  store: Store;
}

export async function open(context: Scratch): Promise<void> {
  context.root = await mkdtemp(join(tmpdir(), "slipway-store-"));
  context.store = await Store.open(join(context.root, "engine"));
}

export async function close({ root, store }: Scratch): Promise<void> {
  await store.close();
  await rm(root, { recursive: true, force: true });
}

/** Runs a shell script in a folder and returns what it prints, a character a byte. */
export function sh(cwd: string, script: string): string {
  return execFileSync("sh", ["-euc", script], { cwd, encoding: "latin1" });
}

/** For `mutate`: changes the view by a shell script. */
export function script(text: string): (at: string) => Promise<void> {
  return (at) => {
    sh(at, text);
    return Promise.resolve();
  };
}

/** Message of the error that `work` must end with. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it was not refused");
}
