import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A text of a file and what takes its place. */
type Edit = readonly [file: string, before: string, after: string];

/** A version of the iris service: the example with some edits. */
export interface Version {
  readonly version: string;
  readonly edits: readonly Edit[];
}

/** Nothing but a new version. */
export const GOOD: Version = { version: "1.1.0", edits: [] };

/**
 * A mistake that no test finds: it keeps a log beside the program, and in the cluster, unlike where the
 * tests run, nothing can be written there.
 */
export const BROKEN: Version = {
  version: "1.2.0",
  edits: [
    [
      join("src", "iris_service", "app.py"),
      "        predictions = model.predict(request.rows())\n",
      '        predictions = model.predict(request.rows())\n        with open("predictions.log", "a", encoding="utf-8") as log:\n            log.write(f"{len(predictions)}\\n")\n',
    ],
  ],
};

/** Copies the service into a folder as another version. */
export async function writeVersion(
  service: string,
  folder: string,
  { version, edits }: Version,
): Promise<void> {
  await cp(service, folder, {
    recursive: true,
    filter: (path) => !/\/(\.\w+|__pycache__)$/.test(path),
  });
  const numbers: Edit[] = [
    ["pyproject.toml", 'version = "1.0.0"', `version = "${version}"`],
    [
      join("src", "iris_service", "__init__.py"),
      '__version__ = "1.0.0"',
      `__version__ = "${version}"`,
    ],
  ];
  for (const [file, before, after] of [...numbers, ...edits]) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    if (!text.includes(before)) throw new Error(`${path} does not hold ${JSON.stringify(before)}.`);
    await writeFile(path, text.replace(before, after));
  }
}
