import { randomUUID } from "node:crypto";
import { readdirSync, renameSync } from "node:fs";

import { joinRaw, toBytes, type Raw } from "./raw.js";
import { peek } from "./resolve.js";

/**
 * Moves what is in the folder `from` into the folder `to`, on the same file system. Files replace
 * what has their name, folders that both have are merged; what had another type stays in `from`.
 */
export function merge(from: Raw, to: Raw): void {
  for (const name of readdirSync(toBytes(from), { encoding: "latin1" })) {
    const [source, target] = [joinRaw(from, name), joinRaw(to, name)];
    const [moving, there] = [peek(source), peek(target)];
    if (moving?.isDirectory() && there?.isDirectory()) {
      merge(source, target);
      continue;
    }
    if (there && moving?.isDirectory() !== there.isDirectory()) {
      const aside = `${from}/.replaced-${randomUUID()}`;
      renameSync(toBytes(target), toBytes(aside));
    }
    renameSync(toBytes(source), toBytes(target));
  }
}
