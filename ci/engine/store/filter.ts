import { readFileSync } from "node:fs";

import dockerignorePackage from "@balena/dockerignore";

import { TreeError } from "./failure.js";
import { GitRules } from "./gitignore.js";
import { checkPattern, cleanPattern } from "./patterns.js";
import { toBytes, toText, type Raw } from "./raw.js";
import type { TreeFilter } from "./types.js";

// CommonJS, which describes itself as having a default export.
const matcher = () => dockerignorePackage.default({ ignorecase: false });

export interface Verdict {
  /** The entry itself takes part. */
  take: boolean;
  /** Something below it may, if it is a folder. */
  descend: boolean;
}

const GITIGNORE = ".gitignore";
const EVERYTHING: Verdict = { take: true, descend: true };

/** Decides which entries of one tree take part. */
export class Filter {
  readonly #include: { ignores(path: string): boolean } | undefined;
  readonly #exclude: { ignores(path: string): boolean } | undefined;
  readonly #prefixes: string[];
  readonly #exceptions: boolean;
  readonly #git: GitRules | undefined;
  /** Where the tree is, as .gitignore files see it. */
  readonly #base: string;
  readonly #all: boolean;

  /** @param root The tree's own folder, below the one where .gitignore files begin to count. */
  constructor(options: TreeFilter = {}, root: Raw = "") {
    const include = valid(options.include);
    const exclude = valid(options.exclude);
    this.#include = options.include?.length ? matcher().add(include) : undefined;
    this.#exclude = exclude.length ? matcher().add(exclude) : undefined;
    this.#prefixes = include.map((pattern) => /^[^*?[\\]*(?=\/|$)/.exec(pattern)?.[0] ?? "");
    this.#exceptions = exclude.some((pattern) => pattern.startsWith("!"));
    this.#git = options.gitignore ? new GitRules() : undefined;
    this.#base = root === "" ? "" : `${toText(root)}/`;
    this.#all = !this.#include && !this.#exclude && !this.#git;
  }

  /** To be called once for each folder, before its entries are judged. */
  enter(folder: Raw, names: readonly Raw[], absolute: Raw): void {
    if (names.includes(GITIGNORE)) this.obey(this.#base + toText(folder), absolute);
  }

  /** Takes up a folder's .gitignore file, if it has one; its path is one from where they begin to count. */
  obey(folder: string, absolute: Raw): void {
    if (!this.#git) return;
    const text = readText(toBytes(`${absolute}/${GITIGNORE}`));
    if (text !== undefined) this.#git.add(folder.replace(/\/$/, ""), text);
  }

  judge(raw: Raw, isFolder: boolean): Verdict {
    if (this.#all) return EVERYTHING;
    const path = toText(raw);
    const verdict = this.#judgePatterns(path);
    // A file below, and a .gitignore file below, may be taken all the same.
    return this.#git?.ignores(this.#base + path, isFolder) ? { ...verdict, take: false } : verdict;
  }

  #judgePatterns(path: string): Verdict {
    if (this.#exclude?.ignores(path)) return { take: false, descend: this.#exceptions };
    if (!this.#include || this.#include.ignores(path)) return EVERYTHING;
    // Only folders on the way to a pattern's fixed beginning, or beyond it, can hold a match.
    const onTheWay = this.#prefixes.some(
      (prefix) =>
        prefix === "" || prefix.startsWith(`${path}/`) || `${path}/`.startsWith(`${prefix}/`),
    );
    return { take: false, descend: onTheWay };
  }
}

/**
 * The patterns that can match anything: paths are relative, so one with a slash at its beginning cannot.
 *
 * @throws TreeError for a pattern that is none.
 */
function valid(patterns: readonly string[] = []): string[] {
  return patterns
    .map(cleanPattern)
    .filter((pattern) => pattern !== "")
    .filter((pattern) => {
      if (pattern === "!") throw new TreeError('illegal exclusion pattern: "!"', "EINVAL");
      const path = pattern.replace(/^!/, "");
      checkPattern(path);
      return !/^\.{0,2}\//.test(path);
    });
}

function readText(path: Buffer): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A folder of that name, or a link that leads nowhere.
    return undefined;
  }
}
