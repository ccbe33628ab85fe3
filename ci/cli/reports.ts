import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CliError, EXIT } from "./failure.js";

/** Where reports go unless told otherwise; Slipway never takes this folder as source. */
const FOLDER = ".slipway";
export const DEFAULT_REPORTS = join(FOLDER, "reports");

/** How the folders begin in which runs write their reports first. */
const NEW = "new-";

/** Milliseconds after which a run shows again that it is alive, by the time of its folder. */
const BEAT = 60_000;

/** Milliseconds without a sign after which a folder is nobody's. */
const FORSAKEN = 10 * BEAT;

/** Where reports go. Those of an earlier run stay until there are new ones. */
export interface Place {
  readonly folder: string;
  /** What the engine writes. */
  readonly exported: string;
  /** Puts what was written in its place. */
  settle(): Promise<void>;
  /** Leaves all as it was. */
  forget(): Promise<void>;
}

/** The place for reports; undefined when none are wanted. */
export async function placeForReports(wanted: string | undefined): Promise<Place | undefined> {
  if (wanted === "") return undefined;
  const nothing = (): Promise<void> => Promise.resolve();
  if (wanted !== undefined) {
    const folder = resolve(wanted);
    return { folder, exported: folder, settle: nothing, forget: nothing };
  }
  const folder = resolve(DEFAULT_REPORTS);
  const own = resolve(FOLDER);
  let made: string | undefined;
  let fresh: string;
  try {
    made = await mkdir(own, { recursive: true });
    await removeForsaken(own);
    fresh = await mkdtemp(join(own, NEW));
    // Like other tools' caches, it keeps itself out of version control.
    await writeFile(join(own, ".gitignore"), "*\n");
  } catch (error) {
    throw new CliError(
      `the reports cannot be written to ${folder}: ${(error as Error).message}. Choose another folder with --output-dir, or none with --output-dir "".`,
      EXIT.usage,
    );
  }
  const exported = join(fresh, "reports");
  const beat = setInterval(() => {
    const now = new Date();
    // Gone already, or a disk that is read-only by now: what matters is said when the reports are written.
    utimes(fresh, now, now).catch(() => undefined);
  }, BEAT);
  beat.unref();
  return {
    folder,
    exported,
    settle: async () => {
      clearInterval(beat);
      await replace(folder, exported);
      await rm(fresh, { recursive: true, force: true });
    },
    forget: async () => {
      clearInterval(beat);
      await rm(fresh, { recursive: true, force: true });
      const left = await readdir(own).catch(() => []);
      // Another run may have begun in the folder that this one made.
      if (made !== undefined && left.every((name) => name === ".gitignore"))
        await rm(own, { recursive: true, force: true });
    },
  };
}

/**
 * Removes the folders of runs that were killed. By their age alone: a run in a container, with processes of its
 * own, may share this folder.
 */
async function removeForsaken(own: string): Promise<void> {
  for (const name of await readdir(own)) {
    const folder = join(own, name);
    if (!name.startsWith(NEW)) continue;
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > FORSAKEN) await rm(folder, { recursive: true, force: true });
  }
}

/** How often another run may be quicker. */
const RACES = 10;

/** Puts `fresh` in the place of `folder`, also while another run does the same. */
async function replace(folder: string, fresh: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rm(folder, { recursive: true, force: true });
      await rename(fresh, folder);
      return;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (attempt === RACES || !["ENOTEMPTY", "EEXIST"].includes(code)) throw error;
    }
  }
}
