import type { Config } from "../core/config/schema.js";

/** Command line of `ruff format --check`: names the files that it would change, changes none. */
export function formatCommand({ format }: Pick<Config, "format">): string[] {
  return ["ruff", "format", "--check", "--no-cache", "--", ...format.paths];
}
