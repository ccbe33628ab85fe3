import { posix } from "node:path";
import { importDirectory, treeNode } from "../api/host.js";
import { subtree } from "../api/inspect.js";
import { EngineError } from "../graph/errors.js";
import { Node, type Args } from "../graph/node.js";
import type { Call } from "../session.js";
import type { ArgumentValue, ModuleSourceValue } from "./types.js";

/** What stands for an argument that is not given: from its default address or path, if it has one. */
export async function contextual(
  call: Call,
  source: ModuleSourceValue,
  arg: ArgumentValue,
): Promise<Node | undefined> {
  const { defaultAddress, defaultPath, ignore, typeDef } = arg;
  if (defaultAddress !== "") {
    if (typeDef.name !== "Container") {
      throw new EngineError(
        `defaultAddress can only be used with Container type, not ${typeDef.name}`,
      );
    }
    const container = operation(call, "Container", undefined, "container", {});
    return operation(call, "Container", container, "from", { address: defaultAddress });
  }
  if (defaultPath === "") return undefined;
  if (typeDef.name === "Directory") {
    return treeNode(
      call,
      "Directory",
      await importDirectory(call, inContext(source, defaultPath), {
        exclude: [...ignore],
        signal: call.signal,
      }),
    );
  }
  if (typeDef.name === "File") {
    const path = inContext(source, defaultPath);
    const folder = await importDirectory(call, posix.dirname(path), {
      include: [posix.basename(path)],
      signal: call.signal,
    });
    return treeNode(call, "File", await subtree(call, folder, posix.basename(path), "file"));
  }
  throw new EngineError(
    `argument ${arg.name}: a default path is for a Directory or File, not ${typeDef.name}`,
  );
}

/** A path from the context's folder when it is absolute, else from the folder of dagger.json; never out of the context. */
function inContext({ root, contextFolder }: ModuleSourceValue, path: string): string {
  const found = posix.join(posix.isAbsolute(path) ? contextFolder : root, path);
  if (posix.relative(contextFolder, found).startsWith("..")) {
    throw new EngineError(
      `path "${found}" is outside of context directory "${contextFolder}", path should be relative to the context directory`,
    );
  }
  return found;
}

/**
 * A directory that a caller gives, without what its argument ignores. An argument with a default of
 * its own has only that filtered, as in Dagger.
 */
export function withoutIgnored(call: Call, arg: ArgumentValue, value: unknown): unknown {
  const ignores = arg.ignore.length > 0 && arg.defaultPath === "" && arg.defaultAddress === "";
  if (!ignores || value === null) return value;
  if (!(value instanceof Node) || value.type !== "Directory") {
    throw new EngineError(
      `argument "${arg.name}" must be of type Directory to apply ignore pattern: [${arg.ignore.join()}]`,
    );
  }
  const scratch = operation(call, "Directory", undefined, "directory", {});
  return operation(call, "Directory", scratch, "withDirectory", {
    path: "/",
    source: value,
    exclude: [...arg.ignore],
    include: [],
    gitignore: false,
    owner: "",
  });
}

function operation(
  call: Call,
  type: string,
  parent: Node | undefined,
  field: string,
  args: Args,
): Node {
  return call.session.intern(new Node({ type, field, parent, args }));
}
