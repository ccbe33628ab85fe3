import { EngineError } from "../../graph/errors.js";
import { parseExec, type Build, type Stage } from "./stage.js";
import { flagged, words } from "./words.js";

/** Flags of COPY and ADD, and whether they stand for themselves. */
const FLAGS: Record<string, readonly string[]> = {
  COPY: ["exclude", "parents", "chown", "from", "chmod", "link"],
  ADD: ["exclude", "chown", "chmod", "link", "keep-git-dir", "checksum", "unpack"],
};
const SWITCHES = ["parents", "link", "keep-git-dir", "unpack"];

/** COPY, and ADD of local files: into a directory what matches, or one source to one target. */
export async function copyInstruction(
  build: Build,
  stage: Stage,
  keyword: "COPY" | "ADD",
  text: string,
): Promise<void> {
  const { flags, rest } = flagged(text);
  const options = parse(keyword, flags);
  const paths = (parseExec(rest) ?? words(rest)).map((word) => stage.expand(word));
  const target = paths.at(-1);
  const sources = paths.slice(0, -1);
  if (target === undefined || sources.length === 0) {
    throw new EngineError(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  if (sources.some((source) => /^(https?|git|ssh):|^git@|^\d*<</.test(source))) {
    throw new EngineError(
      `${keyword} of URLs and here-documents is not implemented by the embedded engine; it works on Dagger's engine`,
    );
  }
  if (options.has("checksum")) {
    throw new EngineError("checksum can't be specified for non-HTTP(S) sources");
  }
  const base = options.get("from")?.[0];
  const chmod = stage.expand(options.get("chmod")?.[0] ?? "");
  if (chmod !== "" && !/^[0-7]{1,5}$/.test(chmod)) {
    throw new EngineError(
      `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
    );
  }
  stage.add("__copy", {
    root: base === undefined ? build.context : await build.root(base, stage),
    sources,
    path: target,
    owner: stage.expand(options.get("chown")?.[0] ?? ""),
    ...(chmod !== "" && { permissions: parseInt(chmod, 8) }),
    exclude: options.get("exclude") ?? [],
    parents: options.get("parents")?.[0] === "true",
    unpack: (options.get("unpack")?.[0] ?? String(keyword === "ADD")) === "true",
  });
}

function parse(keyword: string, flags: readonly string[]): Map<string, string[]> {
  const options = new Map<string, string[]>();
  for (const flag of flags) {
    const at = flag.indexOf("=");
    const name = at < 0 ? flag : flag.slice(0, at);
    const isSwitch = SWITCHES.includes(name);
    if (FLAGS[keyword]?.includes(name) !== true) throw new EngineError(`unknown flag: ${name}`);
    if (at < 0 && !isSwitch) throw new EngineError(`missing a value on flag: ${name}`);
    const value = at < 0 ? "true" : flag.slice(at + 1);
    if (isSwitch && !/^(true|false)$/i.test(value)) {
      throw new EngineError(`expecting boolean value for flag ${name}, not: ${value}`);
    }
    const known = options.get(name) ?? [];
    if (known.length > 0 && name !== "exclude") {
      throw new EngineError(`duplicate flag specified: ${name}`);
    }
    options.set(name, [...known, isSwitch ? value.toLowerCase() : value]);
  }
  return options;
}
