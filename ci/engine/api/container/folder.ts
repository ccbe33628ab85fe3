import { chmod, chown, lchown, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Call } from "../../session.js";
import { resolveIn } from "../../store/tree.js";
import type { Change } from "../changes.js";
import { lazy } from "../lazy.js";
import type { Owner } from "../trees.js";
import { applyAt } from "./files.js";
import { ownerOf, type ContainerValue } from "./value.js";

/** A directory with its parents, and its owner if there is one; what is there already keeps its mode. */
export function folder(owner: Owner | undefined, given: "itself" | "all" = "itself"): Change {
  return {
    identity: ["folder", owner ? [owner.uid, owner.gid] : null, given],
    async apply(root, path) {
      const made = await resolveIn(root, path, { missing: "create" });
      if (!owner || made === root) return;
      if (given === "all") await chownBelow(made, owner);
      await chown(made, owner.uid, owner.gid);
    },
  };
}

async function chownBelow(path: string, owner: Owner): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await chownBelow(below, owner);
    await lchown(below, owner.uid, owner.gid);
  }
}

/** A directory that is a user's, with the mode of a new one, whether it is new or not. */
function ownFolder(owner: Owner): Change {
  const made = folder(owner);
  return {
    identity: ["own", made.identity],
    async apply(root, path) {
      await made.apply(root, path);
      const there = await resolveIn(root, path);
      if (there !== root) await chmod(there, 0o755);
    },
  };
}

/**
 * A Dockerfile's WORKDIR: the directory is the user's. As in Dagger, a user by number gets all
 * that is in it as well, one by name gets the directory and its usual mode.
 */
export function dockerWorkdir(
  self: ContainerValue,
  args: { path: string; owner: string },
  call: Call,
): ContainerValue {
  return {
    ...self,
    imageRef: "",
    files: lazy(call, async (signal) => {
      const owner = await ownerOf(call, self, args.owner, signal);
      const byNumber = args.owner.split(":", 2).every((part) => /^(\d+|root)$/.test(part));
      const change = owner && !byNumber ? ownFolder(owner) : folder(owner, "all");
      return applyAt(call, await self.files(signal), { path: args.path }, change, signal);
    }),
  };
}
