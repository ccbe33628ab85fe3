import { posix } from "node:path";
import { EngineError } from "../../graph/errors.js";
import { absolute } from "../trees.js";
import type { SecretValue } from "../values.js";
import type { Build, Stage } from "./stage.js";

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"];
const KEYS =
  /^(type|from|source|src|target|dst|destination|id|sharing|required|size|mode|uid|gid|env|ro|readonly|rw|readwrite)$/;
/** Keys that may stand alone. */
const BARE = /^(ro|readonly|rw|readwrite|required)$/;
const ALIASES: Record<string, string> = {
  src: "source",
  dst: "target",
  destination: "target",
  readonly: "ro",
  readwrite: "rw",
};

type Mount = ReadonlyMap<string, string>;

/** The options of a `--mount`, under one name each, their values with variables replaced. */
export function parseMount(stage: Stage, text: string): Mount {
  const mount = new Map<string, string>([["type", "bind"]]);
  for (const field of text.split(",")) {
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    if (!KEYS.test(key)) throw new EngineError(`unexpected key '${key}' in '${field}'`);
    if (at < 0 && !BARE.test(key)) {
      throw new EngineError(`invalid field '${field}' must be a key=value pair`);
    }
    const value = at < 0 ? "true" : stage.expand(field.slice(at + 1));
    mount.set(
      ALIASES[key] ?? key,
      key === "type" || key === "sharing" ? value.toLowerCase() : value,
    );
  }
  const type = mount.get("type") ?? "";
  if (!TYPES.includes(type)) {
    throw new EngineError(`unsupported mount type ${JSON.stringify(type)}`);
  }
  const sharing = mount.get("sharing") ?? "shared";
  if (!/^(shared|private|locked)$/.test(sharing)) {
    throw new EngineError(`unsupported sharing value ${JSON.stringify(sharing)}`);
  }
  return mount;
}

/** Adds a mount to the stage's container. What is to be taken away after the command is returned. */
export async function addMount(
  build: Build,
  stage: Stage,
  mount: Mount,
): Promise<string | undefined> {
  const type = mount.get("type");
  if (type === "secret") {
    await addSecret(build, stage, mount);
    return undefined;
  }
  if (type === "ssh") {
    throw new EngineError(
      "RUN --mount=type=ssh is not implemented by the embedded engine; it works on Dagger's engine",
    );
  }
  const path = absolute(stage.workdir, mount.get("target") ?? "");
  if (path === "/") throw new EngineError('invalid mount target "/"');
  if (type === "tmpfs") {
    const size = mount.get("size");
    stage.add("withMountedTemp", {
      path,
      ...(size !== undefined && { size: bytes(size) }),
      expand: false,
    });
  } else if (type === "cache") await addCache(build, stage, mount, path);
  else await addBind(build, stage, mount, path);
  return path;
}

async function addBind(build: Build, stage: Stage, mount: Mount, path: string): Promise<void> {
  const writable = mount.get("rw") === "true" || mount.get("ro") === "false";
  if (writable) {
    throw new EngineError(
      "RUN --mount=type=bind,rw is not implemented by the embedded engine; Dagger's engine v0.21.8 fails on it, too",
    );
  }
  const base = mount.get("from");
  const root = base === undefined ? build.context : await build.root(base, stage);
  const source = build.op(root, "Directory", "__at", { path: mount.get("source") ?? "/" });
  stage.add("withMountedDirectory", { path, source, owner: "", readOnly: true, expand: false });
}

async function addCache(build: Build, stage: Stage, mount: Mount, path: string): Promise<void> {
  const base = mount.get("from") ?? "scratch";
  const below = posix.join("/", mount.get("source") ?? "");
  if (below === "/" && ["uid", "gid", "mode"].some((key) => mount.has(key))) {
    throw new EngineError(
      "RUN --mount=type=cache with uid, gid or mode is unsupported, by Dagger's engine v0.21.8 as well; chown and chmod it in the command",
    );
  }
  const key = `/${mount.get("id") ?? posix.normalize(mount.get("target") ?? "")}`;
  const sharing = (mount.get("sharing") ?? "shared").toUpperCase();
  stage.add("withMountedCache", {
    path,
    cache: build.op(undefined, "CacheVolume", "cacheVolume", { key, sharing, owner: "" }),
    ...(base !== "scratch" && {
      source: build.op(await build.root(base, stage), "Directory", "directory", { path: below }),
    }),
    sharing,
    owner: "",
    expand: false,
  });
}

/**
 * A secret as a file or a variable, if it was given: without `required` it may be missing. It
 * stays in the container, as in Dagger, so that it is kept out of what later commands print.
 */
async function addSecret(build: Build, stage: Stage, mount: Mount): Promise<void> {
  const target = mount.get("target");
  const id = mount.get("source") ?? mount.get("id") ?? posix.basename(target ?? "");
  if (id === "") {
    throw new EngineError("invalid secret mount. one of source, target required");
  }
  const source = await secretNamed(build, id);
  if (!source) {
    if (mount.get("required") !== "true") return;
    throw new EngineError(`secret ${JSON.stringify(id)} is required but was not provided`);
  }
  const name = mount.get("env");
  if (name !== undefined) stage.add("withSecretVariable", { name, secret: source });
  if (name !== undefined && target === undefined) return;
  const path = target ?? `/run/secrets/${posix.basename(id)}`;
  if (stage.secrets.has(path)) stage.add("withoutMount", { path, expand: false });
  stage.secrets.add(path);
  stage.add("withMountedSecret", {
    path,
    source,
    owner: `${mount.get("uid") ?? "0"}:${mount.get("gid") ?? "0"}`,
    mode: parseInt(mount.get("mode") ?? "0400", 8),
    expand: false,
  });
}

async function secretNamed(build: Build, name: string) {
  const { session, client, signal } = build.call;
  for (const node of build.secrets) {
    const secret = await session.force<SecretValue>(node, client, signal);
    if (secret.name === name) return node;
  }
  return undefined;
}

/** A size as Docker writes it: `1048576`, `64m`, `1.5GiB`. */
function bytes(text: string): number {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  if (amount === undefined) throw new EngineError(`invalid value for size: ${text}`);
  const power = " kmgtp".indexOf(unit === "" ? " " : unit.toLowerCase());
  return Math.floor(Number(amount) * 1024 ** power);
}
