import { linkSync, type Stats } from "node:fs";
import { join } from "node:path";

import { codeOf } from "./failure.js";
import { run } from "./process.js";
import { joinRaw, toBytes, toRaw, type Raw } from "./raw.js";

/** Whether an entry of a layer's folder is overlayfs's note that a name is removed. */
export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

/** Makes whiteouts at `paths` (relative to `folder`, whose parents exist). */
export async function makeWhiteouts(folder: string, paths: readonly Raw[]): Promise<void> {
  if (paths.length === 0) return;
  const device = join(folder, "..", "whiteout");
  const make = (): Promise<string> => run("mknod", ["--mode=0", device, "c", "0", "0"]);
  await make();
  for (const path of paths) {
    // One inode under many names, as overlayfs does it: a process for each would take long.
    const at = toBytes(joinRaw(toRaw(folder), path));
    try {
      linkSync(device, at);
    } catch (error) {
      if (codeOf(error) !== "EMLINK") throw error;
      await run("rm", ["-f", device]);
      await make();
      linkSync(device, at);
    }
  }
  await run("rm", ["-f", device]);
}
