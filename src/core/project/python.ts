import { SlipwayError } from "../errors.js";
import { allowsMinor, allowsVersion } from "./specifier.js";
import type { Project } from "./types.js";

/** Python versions that Slipway runs, oldest first. */
export const SUPPORTED_PYTHONS: readonly string[] = ["3.10", "3.11", "3.12", "3.13", "3.14"];

export interface PythonWish {
  /** `python.version` of the configuration. */
  readonly configured: string | undefined;
  /** Text of `.python-version`. */
  readonly pinFile: string | undefined;
  /** `requires-python`, or Poetry's `python`. */
  readonly requires: string | undefined;
}

/**
 * The Python to use: configuration, then `.python-version`, then the newest that `requires-python`
 * allows.
 *
 * @throws SlipwayError PROJECT when none fits, when two sources contradict each other, or when one
 * cannot be read.
 */
export function choosePython(wish: PythonWish, supported = SUPPORTED_PYTHONS): Project["python"] {
  const requires = wish.requires?.trim();
  const pin = wish.pinFile === undefined ? undefined : pinned(wish.pinFile);
  const asked = wish.configured ?? pin;
  const known = requires === undefined || requires === "" ? {} : { requires };
  if (
    requires !== undefined &&
    supported.some((minor) => allowsMinor(requires, minor) === undefined)
  )
    throw new SlipwayError(
      "PROJECT",
      `requires-python = "${requires}" cannot be read. Write it like ">=3.11,<3.14", or set python.version in [tool.slipway].`,
    );
  if (asked !== undefined) {
    const origin = wish.configured === undefined ? ".python-version" : "python.version";
    refuseUnfit(asked, origin, requires, supported);
    return { version: asked, reason: `${origin} says ${asked}`, ...known };
  }
  const fitting = supported.filter(
    (minor) => requires === undefined || allowsMinor(requires, minor),
  );
  const newest = fitting.at(-1);
  if (newest === undefined)
    throw new SlipwayError(
      "PROJECT",
      `The project asks for Python ${requires ?? ""}, and Slipway runs ${supported.join(", ")}. Change requires-python in pyproject.toml so that one of them fits.`,
    );
  return {
    version: newest,
    reason:
      requires === undefined
        ? "the newest that Slipway runs; the project does not say"
        : `the newest that "${requires}" allows`,
    ...known,
  };
}

function refuseUnfit(
  version: string,
  origin: string,
  requires: string | undefined,
  supported: readonly string[],
): void {
  const parts = version.split(".");
  const minor = parts.slice(0, 2).join(".");
  if (!supported.includes(minor))
    throw new SlipwayError(
      "PROJECT",
      `${origin} asks for Python ${version}, and Slipway runs ${supported.join(", ")}. Choose one of them in ${origin}.`,
    );
  const fits =
    requires === undefined ||
    (parts.length > 2 ? allowsVersion(requires, version) : allowsMinor(requires, minor));
  if (fits === false)
    throw new SlipwayError(
      "PROJECT",
      `${origin} asks for Python ${version}, but requires-python is "${requires}". Change one of the two.`,
    );
}

/** The first line that says something: `3.12`, `3.12.4`, `cpython-3.12`. */
function pinned(text: string): string | undefined {
  const line = text
    .split(/\r?\n/)
    .map((candidate) => candidate.trim())
    .find((candidate) => candidate !== "" && !candidate.startsWith("#"));
  if (line === undefined) return undefined;
  const match = /^(?:cpython[@-]|python-)?(\d+\.\d+(?:\.\d+)?)$/.exec(line);
  if (match?.[1] !== undefined) return match[1];
  throw new SlipwayError(
    "PROJECT",
    `.python-version says "${line.slice(0, 60)}", which Slipway cannot use. Write a CPython version such as 3.12, or set python.version in [tool.slipway].`,
  );
}
