import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "../ci/sandbox/run.js";

/** A Go module that carries a file which tests need, at a version, with its checksum. */
export interface GoModule {
  /** `example.org/module@v1.2.3`. */
  readonly module: string;
  /** As go.sum has it. */
  readonly sum: string;
}

/** Text of a file in a Go module, which is downloaded once and kept by go. */
export async function goModuleFile({ module, sum }: GoModule, path: string): Promise<string> {
  // Away from any go.mod of ours.
  const told = await run("go", ["mod", "download", "-json", module], { cwd: tmpdir() });
  const { Dir: folder, Sum: found } = JSON.parse(told) as { Dir: string; Sum: string };
  if (found !== sum) throw new Error(`${module} has the sum ${found}`);
  return await readFile(join(folder, path), "utf8");
}
