import { write } from "./project.js";

/** A service whose image holds h11, in a version with a critical vulnerability or in a fixed one. */
export async function serviceWith(h11: "0.14.0" | "0.16.0", folder: string): Promise<string> {
  await write(folder, {
    "pyproject.toml": `[project]
name = "greeter"
version = "1.4.2"
requires-python = ">=3.11"
dependencies = ["h11==${h11}"]

[project.optional-dependencies]
test = ["pytest>=9"]

[project.scripts]
greeter = "greeter:main"

[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"

[tool.mypy]
files = ["src"]

[tool.pytest.ini_options]
pythonpath = ["src"]
`,
    "src/greeter/__init__.py": '"""Greets."""\n\n\ndef main() -> None:\n    print("hello")\n',
    "tests/test_greeter.py": `"""Passes."""

import pytest

from greeter import main


def test_greets(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out == "hello\\n"
`,
  });
  return folder;
}
