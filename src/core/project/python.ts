import { SlipwayError } from "../errors.js";
import { allowsMinor, allowsVersion } from "./specifier.js";
import type { Project } from "./types.js";

/** Python versions that Slipway runs, oldest first. */
export const SUPPORTED_PYTHONS: readonly string[] = ["3.10", "3.11", "3.12", "3.13", "3.14"];

/**
 * Taken where a project does not say more: the newest has not yet got built packages of every
 * library, and a project that never ran on it should not be the first to find out.
 */
export const DEFAULT_PYTHON = "3.13";

export interface PythonWish {
  /** `python.version` of the configuration. */
  readonly configured: string | undefined;
  /** Text of `.python-version`. */
  readonly pinFile: string | undefined;
  /** `requires-python`, or Poetry's `python`. */
  readonly requires: string | undefined;
  /** Trove classifiers, of which `Programming Language :: Python :: 3.12` says that it runs there. */
  readonly classifiers?: readonly string[];
}

/**
 * The Python to use: configuration, then `.python-version`, then of those that `requires-python`
 * allows the newest that the classifiers name, else the default, else the newest.
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
  const chosen = choose(fitting, wish.classifiers ?? [], requires);
  if (chosen === undefined)
    throw new SlipwayError(
      "PROJECT",
      `The project asks for Python ${requires ?? ""}, and Slipway runs ${supported.join(", ")}. Change requires-python in pyproject.toml so that one of them fits.`,
    );
  return { ...chosen, ...known };
}

function choose(
  fitting: readonly string[],
  classifiers: readonly string[],
  requires: string | undefined,
): { version: string; reason: string } | undefined {
  const declared = classifiers.map(
    (line) => /^Programming Language :: Python :: (3\.\d+)$/.exec(line.trim())?.[1],
  );
  const tried = fitting.filter((minor) => declared.includes(minor)).at(-1);
  if (tried !== undefined)
    return { version: tried, reason: "the newest that the project's classifiers name" };
  if (fitting.includes(DEFAULT_PYTHON))
    return {
      version: DEFAULT_PYTHON,
      reason:
        requires === undefined
          ? "Slipway's default; the project does not say"
          : `Slipway's default, which "${requires}" allows`,
    };
  const newest = fitting.at(-1);
  return newest === undefined
    ? undefined
    : { version: newest, reason: `the newest that "${requires ?? ""}" allows` };
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
