import type { Instruction } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import { addMount, parseMount } from "./mounts.js";
import { parseExec, type Build, type Stage } from "./stage.js";
import { flagged, split, type HereDocument } from "./words.js";

/** Where a here-document lies that is a program of its own. */
const PROGRAMS = "/dev/pipes";

/** RUN: the command with its mounts, and with the stage's arguments as variables while it runs. */
export async function runInstruction(
  build: Build,
  stage: Stage,
  instruction: Instruction,
): Promise<void> {
  const { line, documents } = split(instruction);
  const { flags, rest } = flagged(line);
  const exec = parseExec(rest);
  if (!exec && documents.some(({ ends }) => !ends)) throw new EngineError("unterminated heredoc");
  const mounted: string[] = [];
  for (const flag of flags) {
    const path = await addMount(build, stage, parseMount(stage, mountOf(flag)));
    if (path !== undefined) mounted.push(path);
  }
  const program = documents.find((_, index) => index === 0 && isAlone(rest));
  if (program?.content.startsWith("#!")) {
    const source = build.op(
      build.op(undefined, "Directory", "directory"),
      "Directory",
      "withNewFile",
      {
        path: program.name,
        contents: text(program),
        permissions: 0o755,
      },
    );
    stage.add("withMountedDirectory", {
      path: PROGRAMS,
      source,
      owner: "",
      readOnly: true,
      expand: false,
    });
    mounted.push(PROGRAMS);
  }
  const seen = [...stage.env].filter(([name, value]) => stage.kept.get(name) !== value);
  for (const [name, value] of seen) stage.add("withEnvVariable", { name, value, expand: false });
  stage.add("withExec", {
    args: exec ?? [...stage.shell, script(rest, documents)],
    useEntrypoint: false,
    stdin: "",
    redirectStdin: "",
    redirectStdout: "",
    redirectStderr: "",
    expect: "SUCCESS",
    experimentalPrivilegedNesting: false,
    insecureRootCapabilities: false,
    expand: false,
    noInit: build.noInit,
  });
  for (const path of mounted) stage.add("withoutMount", { path, expand: false });
  // What is no variable of the image stays in the container all the same, as in Dagger.
  for (const [name] of seen) {
    const value = stage.kept.get(name);
    if (value !== undefined) stage.add("withEnvVariable", { name, value, expand: false });
  }
}

function mountOf(flag: string): string {
  const [name = "", value] = flag.split(/=(.*)/s, 2);
  if (name === "network") {
    throw new EngineError(
      "RUN --network is not implemented by the embedded engine; it works on Dagger's engine",
    );
  }
  if (name !== "mount") throw new EngineError(`unknown flag: ${name}`);
  if (value === undefined) throw new EngineError("missing a value on flag: mount");
  return value;
}

/** Whether a command is nothing but a here-document. */
function isAlone(command: string): boolean {
  return /^\d*<<-?\s*(?:[^\s<"']|"[^"<]*"|'[^'<]*')+$/.test(command);
}

function text({ content, chomp }: HereDocument): string {
  return chomp ? content.replace(/^\t+/gm, "") : content;
}

/** What the shell is given: a document that is the command itself, or the command with its documents. */
function script(command: string, documents: readonly HereDocument[]): string {
  const [first] = documents;
  if (!first) return command;
  if (!isAlone(command)) {
    return command + documents.map(({ name, content }) => `\n${content}${name}`).join("");
  }
  return first.content.startsWith("#!") ? `${PROGRAMS}/${first.name}` : text(first);
}
