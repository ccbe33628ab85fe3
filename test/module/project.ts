import { resolveConfig } from "../../src/core/config/resolve.js";
import { detectProject, filesToRead } from "../../src/core/project/detect.js";
import { readToml } from "../../src/core/toml.js";
import type { Context } from "../../src/stages/context.js";

/** The part of a context that needs no engine. */
export type Known = Pick<Context, "config" | "project" | "pyproject" | "texts">;

export const PYPROJECT = `[project]
name = "orders"
version = "1.2.3"
requires-python = ">=3.11,<3.14"
`;

/** What is known of a project from its files; `set` are `key=value` settings. */
export function known(files: Record<string, string>, set: string[] = []): Known {
  const paths = Object.keys(files);
  const texts = Object.fromEntries(paths.map((path) => [path, files[path] ?? ""]));
  const contents = Object.fromEntries(filesToRead(paths).map((path) => [path, texts[path] ?? ""]));
  const { config } = resolveConfig({ pyproject: texts["pyproject.toml"], set });
  return {
    config,
    project: detectProject({ paths, contents }, config),
    pyproject: readToml(texts["pyproject.toml"] ?? "", "pyproject.toml").value,
    texts,
  };
}

/** A src-layout project with tests and the given settings and further lines of pyproject.toml. */
export function service(
  set: string[] = [],
  pyproject = "",
  more: Record<string, string> = {},
): Known {
  return known(
    {
      "pyproject.toml": PYPROJECT + pyproject,
      "src/orders/__init__.py": "",
      "tests/test_orders.py": "",
      ...more,
    },
    set,
  );
}
