import type { Wheel } from "./wheels.js";

/** A program built from a Go module; go checks its sources against the checksum database. */
export interface GoTool {
  from: "go";
  /** The package to build, e.g. `example.org/tool/cmd/tool`. */
  path: string;
  version: string;
  /** A folder with a go.mod of our own, for modules that `go install` refuses. */
  module?: string;
  /** Further linker flags, after `-s -w`. */
  ldflags?: string;
  /** Build tags, by comma. */
  tags?: string;
  env?: Record<string, string>;
}

/** A program taken out of a Debian package that is not installed, so that no service starts. */
export interface DebianTool {
  from: "debian";
  package: string;
  /** Path of the program inside the package. */
  path: string;
  version: "distribution";
}

/** Programs of one Go module, built in one run: what they share is compiled once. */
export interface GoSuite extends Omit<GoTool, "path"> {
  /** The packages to build; each program is called by the last part of its package's path. */
  paths: readonly string[];
  /** A folder with a go.mod of our own. */
  module: string;
}

/** Programs out of one Debian package that is not installed. */
export interface DebianSuite extends Omit<DebianTool, "path"> {
  /** Paths of the programs inside the package. */
  paths: readonly string[];
}

/** A program in a wheel of the Python package index. */
export interface WheelTool extends Wheel {
  from: "wheel";
  /** Path of the program inside the wheel. */
  path: string;
}

/** A program of the sandbox's own, in a package of a module under `tools/`. */
export interface OwnTool {
  from: "source";
  module: string;
  /** The package to build, relative to the module. */
  path: string;
  version: "own";
}

export type Tool = GoTool | DebianTool | WheelTool | OwnTool;

export type Suite = GoSuite | DebianSuite;
