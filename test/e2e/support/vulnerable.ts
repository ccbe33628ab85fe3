import { write } from "./project.js";

/** A service whose image holds h11, in a version with a critical vulnerability or in a fixed one. */
export async function serviceWith(h11: "0.14.0" | "0.16.0", folder: string): Promise<string> {
  await write(folder, {
    "pyproject.toml": `[project]
name = "greeter"
version = "1.4.2"
requires-python = ">=3.11"
dependencies = ["h11==${h11}"]

[project.scripts]
greeter = "greeter:main"

[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"
`,
    "src/greeter/__init__.py": '"""Greets."""\n\n\ndef main() -> None:\n    print("hello")\n',
  });
  return folder;
}
