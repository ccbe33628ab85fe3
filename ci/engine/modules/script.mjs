// Loads a large script with the byte code of an earlier process.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Module } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

/**
 * Loads a CommonJS file with the byte code that is kept at `kept`.
 *
 * @param require How it gets what it requires.
 * @returns what it exports, and what keeps its byte code, if nobody has: that of functions which ran.
 */
export function loadScript(file, require, kept) {
  const known = read(kept);
  const script = new Script(Module.wrap(readFileSync(file, "utf8")), {
    filename: file,
    cachedData: known,
  });
  const module = { exports: {} };
  script
    .runInThisContext()
    .call(module.exports, module.exports, require, module, file, dirname(file));
  return {
    exports: module.exports,
    keep: () => {
      // Node of another version takes none of it.
      if (!known || script.cachedDataRejected) write(kept, script.createCachedData());
    },
  };
}

/** A file's content; nothing when it cannot be read. */
export function read(file, encoding) {
  try {
    return readFileSync(file, encoding);
  } catch {
    return undefined;
  }
}

/** Writes a file whole or not at all; that it cannot be kept costs time, and nothing else. */
export function write(file, content) {
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, file);
  } catch {}
}
