import { lstatSync, mkdirSync, readlinkSync, chownSync, chmodSync, type Stats } from "node:fs";

import { codeOf, TreeError } from "./failure.js";
import { toBytes, toRaw, toText, type Raw } from "./raw.js";
import type { Owner } from "./types.js";

export interface ResolveOptions {
  /** Follows a link in the last component too (default true). */
  follow?: boolean;
  /** What if it does not exist: "error" (default), "allow" what is missing, or "create" folders. */
  missing?: "error" | "allow" | "create";
  /** Owner and mode of the folders that "create" makes; default root, 0o755. */
  owner?: Owner;
  mode?: number;
}

// As the kernel's limit.
const MAX_LINKS = 40;

/**
 * Path of `path` under `root`. Links are followed as a process would whose root is `root`: they
 * never leave it. `root` itself is used as it is.
 *
 * @throws TreeError with code ENOENT, ENOTDIR or ELOOP, naming `path`.
 */
export function resolveIn(
  root: string,
  path: string,
  options: ResolveOptions = {},
): Promise<string> {
  return Promise.resolve().then(() => toText(resolveRaw(toRaw(root), toRaw(path), options)));
}

export function resolveRaw(root: Raw, path: Raw, options: ResolveOptions = {}): Raw {
  const { follow = true, missing = "error" } = options;
  const todo = parts(path);
  const done: Raw[] = [];
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "..") {
      done.pop();
      continue;
    }
    const here = [root, ...done, name].join("/");
    const stat = peek(here);
    if (!stat) {
      if (missing === "error") throw failure("ENOENT", path, ": no such file or directory");
      if (missing === "create") makeFolder(here, options);
      done.push(name);
      continue;
    }
    if (stat.isSymbolicLink() && (follow || todo.length > 0)) {
      if (++links > MAX_LINKS) throw failure("ELOOP", path, "goes through too many links");
      const target = readlinkSync(toBytes(here), "latin1");
      if (target.startsWith("/")) done.length = 0;
      todo.unshift(...parts(target));
      continue;
    }
    done.push(name);
    if (!stat.isDirectory() && (todo.length > 0 || missing === "create")) {
      const file = `/${toText(done.join("/"))}`;
      throw failure("ENOTDIR", path, `cannot be reached: ${file} is not a directory`);
    }
  }
  return [root, ...done].join("/");
}

/** Like lstat, with undefined for what is not there. */
export function peek(path: Raw): Stats | undefined {
  try {
    return lstatSync(toBytes(path));
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function makeFolder(path: Raw, { owner, mode = 0o755 }: ResolveOptions): void {
  mkdirSync(toBytes(path));
  if (owner) chownSync(toBytes(path), owner.uid, owner.gid);
  // Not by mkdir, whose mode the umask trims.
  chmodSync(toBytes(path), mode);
}

function parts(path: Raw): Raw[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function failure(code: string, path: Raw, what: string): TreeError {
  const shown = toText(path);
  return new TreeError(
    `${shown.startsWith("/") ? shown : `/${shown}`}${what.startsWith(":") ? "" : " "}${what}`,
    code,
  );
}
