import type { CopyOptions, Owner, TreeFilter } from "./types.js";

export interface ResolveOptions {
  /** Follows a link in the last component too (default true). */
  follow?: boolean;
  /** What if it does not exist: "error" (default), "allow" its last component(s), or "create" it as a folder. */
  missing?: "error" | "allow" | "create";
  /** Owner and mode of the folders that "create" makes; default root, 0o755. */
  owner?: Owner;
  mode?: number;
}
/** Path of `path` under `root`, links resolved inside the root. Throws TreeError naming `path` (ENOENT, ENOTDIR, ELOOP). */
export declare function resolveIn(
  root: string,
  path: string,
  options?: ResolveOptions,
): Promise<string>;
/** Copies a file to `dstPath`, or the content of a folder into the folder `dstPath` (made with its parents). */
export declare function copyTree(
  srcRoot: string,
  srcPath: string,
  dstRoot: string,
  dstPath: string,
  options?: CopyOptions,
): Promise<void>;
/** `sha256:` digest of names, types, modes, owners, link targets and contents; not of times. */
export declare function digestTree(
  root: string,
  path: string,
  options?: TreeFilter & { metadata?: boolean; signal?: AbortSignal },
): Promise<string>;
