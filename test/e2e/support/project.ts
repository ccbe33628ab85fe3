import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { ROOT } from "./session.js";

/** Folder of a fixture, such as `monorepo/mail`. */
export function fixture(name: string): string {
  return join(ROOT, "test", "fixtures", name);
}

/** The service that Slipway is made for. */
export const IRIS = join(ROOT, "examples", "iris");

/** A folder that goes with `forget`. */
export interface Scratch {
  readonly path: string;
  forget: () => Promise<void>;
}

export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  return { path, forget: () => rm(path, { recursive: true, force: true }) };
}

/** A copy of a project without what its tools left there, to change at will. */
export async function copyOf(project: string, into: string): Promise<string> {
  const left = /(^|\/)(__pycache__|\.venv|\.(mypy|ruff|pytest)_cache|\.hypothesis|\.slipway)$/;
  await cp(project, into, { recursive: true, filter: (path) => !left.test(path) });
  return into;
}

/** Writes files, by their path in `folder`. */
export async function write(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
