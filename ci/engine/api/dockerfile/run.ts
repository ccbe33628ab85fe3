import type { Instruction } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import type { SecretValue } from "../values.js";
import { parseExec, type Stage, type Build } from "./stage.js";
import { joined, raw } from "./words.js";

/** RUN: the command with its mounts, and with the stage's arguments as variables while it runs. */
export async function runInstruction(
  build: Build,
  stage: Stage,
  instruction: Instruction,
): Promise<void> {
  let text = joined(instruction);
  const mounts: Map<string, string>[] = [];
  for (let flag = /^--(\w+)=(\S+)\s+/.exec(text); flag; flag = /^--(\w+)=(\S+)\s+/.exec(text)) {
    if (flag[1] !== "mount") {
      throw new EngineError(
        `RUN --${flag[1] ?? ""} is not implemented by the embedded engine; it works on Dagger's engine`,
      );
    }
    mounts.push(options(flag[2] ?? ""));
    text = text.slice(flag[0].length);
  }
  const known = await stage.environment();
  const temporary = [...stage.args].filter(([name]) => !known.has(name));
  for (const [name, value] of temporary)
    stage.add("withEnvVariable", { name, value, expand: false });
  const targets: string[] = [];
  for (const mount of mounts) targets.push(await mountOne(build, stage, mount));
  stage.add("withExec", {
    args: parseExec(text) ?? [...stage.shell, script(instruction, text)],
    useEntrypoint: false,
    stdin: "",
    redirectStdin: "",
    redirectStdout: "",
    redirectStderr: "",
    expect: "SUCCESS",
    experimentalPrivilegedNesting: false,
    insecureRootCapabilities: false,
    expand: false,
    noInit: false,
  });
  for (const path of targets) stage.add("withoutMount", { path, expand: false });
  for (const [name] of temporary) stage.add("withoutEnvVariable", { name });
}

function options(text: string): Map<string, string> {
  return new Map(
    text.split(",").map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [pair, "true"] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** The script of a here-document whose shell is the stage's own, else the text as it is. */
function script(instruction: Instruction, text: string): string {
  const whole = raw(instruction);
  const document =
    /^\s*(?:--\S+\s+)*<<-?\s*["']?(\w+)["']?[ \t]*\r?\n([\s\S]*?)\r?\n\1[ \t]*$/.exec(whole);
  if (document) return document[2] ?? "";
  return text.includes("<<") ? whole : text;
}

async function mountOne(build: Build, stage: Stage, mount: Map<string, string>): Promise<string> {
  const type = mount.get("type") ?? "bind";
  const target = mount.get("target") ?? mount.get("dst") ?? mount.get("destination");
  const id = mount.get("id");
  if (type === "secret") {
    const name = id ?? mount.get("source") ?? mount.get("src") ?? "";
    const path = target ?? `/run/secrets/${name}`;
    stage.add("withMountedSecret", {
      path,
      source: await secretNamed(build, name),
      owner: mount.has("uid") ? `${mount.get("uid") ?? "0"}:${mount.get("gid") ?? "0"}` : "",
      mode: parseInt(mount.get("mode") ?? "0400", 8),
      expand: false,
    });
    return path;
  }
  if (target === undefined) throw new EngineError(`RUN --mount=type=${type} has no target`);
  if (type === "cache") {
    const cache = build.op(undefined, "CacheVolume", "cacheVolume", {
      key: id ?? target,
      sharing: (mount.get("sharing") ?? "shared").toUpperCase(),
      owner: "",
    });
    const sharing = (mount.get("sharing") ?? "shared").toUpperCase();
    stage.add("withMountedCache", { path: target, cache, sharing, owner: "", expand: false });
  } else if (type === "tmpfs") {
    stage.add("withMountedTemp", { path: target, expand: false });
  } else if (type === "bind") {
    const base = mount.get("from");
    const root = base === undefined ? build.context : rootOf(build, base);
    const source = mount.get("source") ?? mount.get("src") ?? "/";
    const directory = build.op(root, "Directory", "directory", { path: source });
    stage.add("withMountedDirectory", {
      path: target,
      source: directory,
      owner: "",
      readOnly: true,
      expand: false,
    });
  } else {
    throw new EngineError(
      `RUN --mount=type=${type} is not implemented by the embedded engine; it works on Dagger's engine`,
    );
  }
  return target;
}

/** The file system of a stage or of an image. */
export function rootOf(build: Build, name: string) {
  const stage = build.stages.get(name.toLowerCase());
  const container =
    stage?.node ??
    build.op(build.op(undefined, "Container", "container"), "Container", "from", { address: name });
  return build.op(container, "Directory", "rootfs");
}

async function secretNamed(build: Build, name: string) {
  const { session, client, signal } = build.call;
  for (const node of build.secrets) {
    const secret = await session.force<SecretValue>(node, client, signal);
    if (secret.name === name) return node;
  }
  throw new EngineError(
    `secret ${JSON.stringify(name)} is used by RUN --mount=type=secret and was not given`,
  );
}
