// TypeScript for the SDK's introspection, which reads a module's types at each call.
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { loadScript, read, write } from "./script.mjs";

/**
 * The compiler that the SDK asks for. The sources of a process never change, so its program, which is
 * most of a call's time, is made once; without the types of other packages and of browsers, which
 * cannot stand in a function's signature.
 *
 * @param sdkFile Path of the SDK in one file: what is kept of the compiler is beside it.
 */
export function compilerFor(sdkFile) {
  const installed = createRequire(createRequire(import.meta.url).resolve("@dagger.io/dagger"));
  const file = installed.resolve("typescript");
  const kept = join(dirname(sdkFile), "typescript.cache");
  const { exports: ts, keep: keepCode } = loadScript(file, createRequire(file), kept);
  let program;
  let place;
  let sources = new Map();
  function createProgram(roots, options) {
    if (program) return program;
    const own = { ...options, types: [], lib: ["lib.es2022.d.ts"] };
    const host = ts.createCompilerHost(own);
    const readFile = host.readFile.bind(host);
    host.readFile = (name) => sources.get(resolve(name)) ?? readFile(name);
    host.resolveModuleNames = (names, from) =>
      names.map((name) =>
        name.startsWith(".") || name === "@dagger.io/dagger"
          ? ts.resolveModuleName(name, from, own, host).resolvedModule
          : undefined,
      );
    program = ts.createProgram(roots, own, host);
    return program;
  }
  return {
    // An import takes what a module exported when it was loaded, whatever becomes of that later.
    typescript: Object.create(ts, { createProgram: { value: createProgram } }),
    /** From here on, sources are read without what `keep` left out of them into this file before. */
    lean(path) {
      place = path;
      sources = new Map(JSON.parse(read(path, "utf8") ?? "[]"));
    },
    /** Keeps the compiler's byte code and the program's sources for the next process, if nobody has. */
    keep() {
      keepCode();
      if (sources.size > 0 || !program) return;
      const own = program
        .getSourceFiles()
        .filter((each) => !each.isDeclarationFile && !each.fileName.endsWith(".gen.ts"));
      const entries = own.map((each) => [resolve(each.fileName), withoutBodies(ts, each)]);
      write(place, JSON.stringify(entries));
    },
  };
}

/**
 * A source in which functions that say what they return have nothing between their braces: none of it
 * can be seen in a type. Lines and columns stay.
 */
function withoutBodies(ts, source) {
  const { text } = source;
  const parts = [];
  let at = 0;
  const visit = (node) => {
    if (node.type && node.body && ts.isFunctionLike(node) && ts.isBlock(node.body)) {
      const end = node.body.end - 1;
      const start = node.body.getStart(source) + 1;
      parts.push(text.slice(at, start), text.slice(start, end).replace(/[^\r\n]/g, " "));
      at = end;
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return parts.join("") + text.slice(at);
}
