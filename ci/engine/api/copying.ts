import type { Stats } from "node:fs";
import { chmod, chown, lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Store } from "../store/store.js";
import { copyTree, resolveIn } from "../store/tree.js";
import type { CopyOptions } from "../store/types.js";
import { destination, modeOf, placeIdentity, type Change, type Placement } from "./changes.js";
import { copyIdentity, readTree } from "./trees.js";
import type { Tree } from "./values.js";

export interface CopyFilter {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly gitignore?: boolean | undefined;
}

/**
 * The content of a directory, put into another. That gets the mode and owner of the source like
 * every directory below it, whether it was there before or not; the root stays as it is.
 */
export async function copyDirectory(
  store: Store,
  source: Tree,
  filter: CopyFilter,
  place: Placement,
): Promise<Change> {
  const include = filter.include ?? [];
  const exclude = filter.exclude ?? [];
  const gitignore = filter.gitignore ?? false;
  return {
    identity: [
      "copyDirectory",
      await copyIdentity(store, source),
      [...include],
      [...exclude],
      gitignore ? await rulesAbove(store, source) : null,
      placeIdentity(place),
    ],
    async apply(root, path) {
      await store.view(source.snapshot, async (sourceRoot) => {
        await prepare(root, path, await lstat(await resolveIn(sourceRoot, source.path)), place);
        await copyTree(sourceRoot, source.path, root, path, {
          include,
          exclude,
          gitignore,
          conflict: "replace",
          ...overrides(place),
        });
      });
    },
  };
}

/** The .gitignore files above a directory, which count in it. */
function rulesAbove(store: Store, source: Tree): Promise<string[]> {
  return readTree(store, source, async (host, root) => {
    const rules: string[] = [];
    for (let folder = host; folder !== root;) {
      folder = posix.dirname(folder);
      rules.push(await readFile(join(folder, ".gitignore"), "utf8").catch(() => ""));
    }
    return rules;
  });
}

/** The directory that is copied into: made, or given the source's attributes. */
async function prepare(root: string, path: string, source: Stats, place: Placement): Promise<void> {
  const there = await resolveIn(root, path, { missing: "allow" });
  if (there === root) return;
  const found = await lstat(there).catch(() => undefined);
  if (found && !found.isDirectory()) {
    // What had its name and was none is replaced by one that is root's.
    const made = await destination(root, path);
    await rm(made);
    await mkdir(made);
    await chmod(made, source.mode & 0o777);
    return;
  }
  const target = found ? there : await resolveIn(root, path, { missing: "create" });
  const owner = place.owner ?? source;
  await chown(target, owner.uid, owner.gid);
  await chmod(target, place.permissions ?? source.mode & 0o7777);
}

/**
 * A file, in the place of what is there. Into an existing directory it goes under its own name,
 * and so it does with `into`, for which the directory is made and given the owner.
 */
export async function copyFile(
  store: Store,
  source: Tree,
  place: Placement,
  into = false,
): Promise<Change> {
  return {
    identity: ["copyFile", await copyIdentity(store, source), into, placeIdentity(place)],
    async apply(root, path) {
      const target = await fileTarget(root, path, posix.basename(source.path), place, into);
      await store.view(source.snapshot, (sourceRoot) =>
        copyTree(sourceRoot, source.path, root, target.slice(root.length), overrides(place)),
      );
    },
  };
}

/** A new file where {@link copyFile} would put one of that name. */
export function putFile(contents: string, name: string, place: Placement, into: boolean): Change {
  const data = Buffer.from(contents);
  return {
    identity: ["putFile", data.toString("base64"), name, into, placeIdentity(place)],
    async apply(root, path) {
      const target = await fileTarget(root, path, name, place, into);
      await writeFile(target, data);
      await chmod(target, modeOf(place.permissions, 0o644));
      if (place.owner) await chown(target, place.owner.uid, place.owner.gid);
    },
  };
}

/** Where a file goes, with nothing in its place. */
async function fileTarget(
  root: string,
  path: string,
  name: string,
  { owner }: Placement,
  into: boolean,
): Promise<string> {
  const there = await resolveIn(root, path, { missing: into ? "create" : "allow" });
  if (into && owner && there !== root) await chown(there, owner.uid, owner.gid);
  const found = await lstat(there).catch(() => undefined);
  const target = found?.isDirectory() ? join(there, name) : await destination(root, path);
  await rm(target, { recursive: true, force: true });
  return target;
}

function overrides({ owner, permissions }: Placement): Pick<CopyOptions, "owner" | "permissions"> {
  return { ...(owner && { owner }), ...(permissions !== undefined && { permissions }) };
}
