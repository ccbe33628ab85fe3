import { spawn } from "node:child_process";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { randomBytes } from "node:crypto";

import { SandboxError } from "./failure.js";

const DEFAULT_CACHE = join(homedir(), ".cache", "slipway");

/**
 * Where tools, images under construction and the registry's data live: `$SLIPWAY_CACHE`, or
 * `~/.cache/slipway`. Never inside the repository.
 */
export function cachePath(...parts: string[]): string {
  const root = process.env.SLIPWAY_CACHE;
  return join(root === undefined || root === "" ? DEFAULT_CACHE : root, ...parts);
}

/**
 * Runs `work` while holding the lock `name`, so that two commands at once on one cache take turns.
 *
 * The lock is the kernel's (flock), held by a child that ends with its standard input: whatever
 * kills this process also frees the lock, and there is nothing stale to clean up.
 *
 * @param waiting Called once if somebody else holds the lock.
 */
export async function withLock<T>(
  name: string,
  work: () => Promise<T>,
  waiting?: () => void,
): Promise<T> {
  const file = cachePath("locks", name);
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) =>
    holder.once("close", () => {
      resolve();
    }),
  );
  const patience = setTimeout(() => waiting?.(), 500);
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: unknown): void => {
        reject(
          new SandboxError(
            `Cannot take the lock ${file}.`,
            "Check that the folder is writable and that flock (Debian: util-linux) is installed.",
            { cause },
          ),
        );
      };
      holder.stdout.once("data", () => {
        resolve();
      });
      holder.once("error", fail);
      holder.once("exit", fail);
    });
  } finally {
    clearTimeout(patience);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}

/**
 * Makes the folder `target` by letting `fill` write into a temporary sibling, then renaming it into
 * place: it is there whole, or not at all.
 */
export async function makeFolder(
  target: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const draft = `${target}.${randomBytes(4).toString("hex")}.tmp`;
  await mkdir(draft, { recursive: true });
  try {
    await fill(draft);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
