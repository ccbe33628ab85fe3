import type { Config } from "../core/config/schema.js";

import { OUT } from "./execution.js";

/** Command line of `ruff check`: changes nothing, reports as JSON. */
export function lintCommand({ lint }: Pick<Config, "lint">): string[] {
  return [
    "ruff",
    "check",
    "--no-fix",
    "--no-cache",
    "--output-format=json",
    `--output-file=${OUT}/ruff.json`,
    ...lint.args,
    "--",
    ...lint.paths,
  ];
}
