// What the SDK's introspection says of a module's types: it takes a second, and each call would ask anew.
import { read, write } from "./script.mjs";

/** What only the introspection itself goes back to: the compiler's view of the sources. */
const OF_COMPILER = new Set(["node", "__node", "ast", "symbol", "signature", "userModule"]);

/** What work gives, and what it warned of meanwhile, which is said at each call. */
async function listening(work) {
  const { warn } = console;
  const said = [];
  console.warn = (...words) => void said.push(words);
  try {
    return { types: await work(), said };
  } finally {
    console.warn = warn;
  }
}

/**
 * Reads a module's types once for all calls of a process, and for all later processes from a file.
 *
 * @param sdk The SDK, with its `scan` and the classes of what that answers.
 * @param module Its `files` and `name`, and in `types` the path where its types are kept; the sources of
 *   one path never change.
 */
export function typesOf(sdk, { files, name, types: path }) {
  const kept = revived(sdk, read(path, "utf8"));
  let fresh;
  const readNow = () => {
    fresh ??= listening(() => sdk.scan(files, name, false));
    fresh.catch(() => undefined);
    return fresh;
  };
  // Before anybody calls: a process that was started ahead of its call has them then.
  if (!kept) readNow();
  return {
    /** For the SDK's entrypoint. To register the module, the places in its sources are needed too. */
    async get(registers) {
      await sdk.load(files);
      const { types, said } = await (kept && !registers ? kept : readNow());
      for (const words of said) console.warn(...words);
      return types;
    },
    /** Keeps the types for the next process, if nobody has. */
    async keep() {
      if (kept || !fresh) return;
      try {
        const { types, said } = await fresh;
        write(path, JSON.stringify({ types: flat(sdk, types), said }));
      } catch {
        // What is wrong with the types, or cannot be kept of them, each process finds anew.
      }
    },
  };
}

/** An object as `[name of its class, its entries]`, the rest as in JSON. Throws for what would not come back as it is. */
function flat(sdk, value) {
  if (value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value))
    return value;
  if (typeof value !== "object") throw new TypeError(`${String(value)} is not kept`);
  if (Array.isArray(value)) return ["[]", value.map((each) => flat(sdk, each))];
  const name = classOf(sdk, Object.getPrototypeOf(value));
  const entries = Object.entries(value).filter(
    ([key, each]) => each !== undefined && (name === "" || !OF_COMPILER.has(key)),
  );
  return [name, entries.map(([key, each]) => [key, flat(sdk, each)])];
}

function classOf(sdk, prototype) {
  if (prototype === Object.prototype) return "";
  const found = Object.entries(sdk.classes).find(([, known]) => known?.prototype === prototype);
  if (!found) throw new TypeError("an object of an unknown class is not kept");
  return found[0];
}

function revived(sdk, text) {
  if (text === undefined) return undefined;
  const { types, said } = JSON.parse(text);
  const grown = (value) => {
    if (!Array.isArray(value)) return value;
    const [name, parts] = value;
    if (name === "[]") return parts.map(grown);
    const prototype = name === "" ? Object.prototype : sdk.classes[name].prototype;
    const own = Object.fromEntries(parts.map(([key, each]) => [key, grown(each)]));
    return Object.assign(Object.create(prototype), own);
  };
  return { types: grown(types), said };
}
