import { EngineError } from "../../graph/errors.js";
import { rootOf } from "./run.js";
import { parseExec, type Stage, type Build } from "./stage.js";

/** COPY and ADD of local files: into a directory what matches, or one source to one target. */
export function copyInstruction(
  build: Build,
  stage: Stage,
  line: number,
  keyword: string,
  all: readonly string[],
): void {
  const option = (name: string) =>
    all.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const rest = all.filter((word) => !word.startsWith("--"));
  const paths = parseExec(rest.join(" ")) ?? rest;
  const target = paths.at(-1);
  const sources = paths.slice(0, -1);
  if (target === undefined || sources.length === 0) {
    throw new EngineError(`line ${line}: ${keyword} needs at least a source and a destination`);
  }
  if (sources.some((source) => /^(https?|git|ssh):|^git@|<</.test(source))) {
    throw new EngineError(
      `line ${line}: ${keyword} of URLs and here-documents is not implemented by the embedded engine; it works on Dagger's engine`,
    );
  }
  const base = option("from");
  const root = base === undefined ? build.context : rootOf(build, base);
  const chmod = option("chmod");
  stage.add("__copy", {
    root,
    sources,
    path: target,
    owner: option("chown") ?? "",
    ...(chmod !== undefined && { permissions: parseInt(chmod, 8) }),
  });
}
