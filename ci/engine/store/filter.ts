import { readFileSync } from "node:fs";

import dockerignorePackage from "@balena/dockerignore";
import ignorePackage, { type Ignore } from "ignore";

import { toBytes, toText, type Raw } from "./raw.js";
import type { TreeFilter } from "./types.js";

// Both are CommonJS, and describe themselves as having a default export.
const gitRules = ignorePackage.default;
const matcher = () => dockerignorePackage.default({ ignorecase: false });

export interface Verdict {
  /** The entry itself takes part. */
  take: boolean;
  /** Something below it may, if it is a folder. */
  descend: boolean;
}

const EVERYTHING: Verdict = { take: true, descend: true };

/** Decides which entries of one tree take part. */
export class Filter {
  readonly #include: { ignores(path: string): boolean } | undefined;
  readonly #exclude: { ignores(path: string): boolean } | undefined;
  readonly #prefixes: string[];
  readonly #exceptions: boolean;
  readonly #git: { base: string; rules: Ignore }[] | undefined;
  readonly #all: boolean;

  constructor(options: TreeFilter = {}) {
    const include = clean(options.include);
    const exclude = clean(options.exclude);
    this.#include = include.length ? matcher().add(include) : undefined;
    this.#exclude = exclude.length ? matcher().add(exclude) : undefined;
    this.#prefixes = include.map((pattern) => /^[^*?[\\]*(?=\/|$)/.exec(pattern)?.[0] ?? "");
    this.#exceptions = exclude.some((pattern) => pattern.startsWith("!"));
    this.#git = options.gitignore ? [] : undefined;
    this.#all = !this.#include && !this.#exclude && !this.#git;
  }

  /** To be called once for each folder, before its entries are judged. */
  enter(folder: Raw, names: readonly Raw[], absolute: Raw): void {
    if (!this.#git || !names.includes(".gitignore")) return;
    const rules = gitRules().add(readFileSync(toBytes(`${absolute}/.gitignore`), "utf8"));
    this.#git.push({ base: folder === "" ? "" : `${toText(folder)}/`, rules });
  }

  judge(raw: Raw, isFolder: boolean): Verdict {
    if (this.#all) return EVERYTHING;
    const path = toText(raw);
    if (this.#gitIgnores(isFolder ? `${path}/` : path)) return { take: false, descend: false };
    if (this.#exclude?.ignores(path)) return { take: false, descend: this.#exceptions };
    if (!this.#include || this.#include.ignores(path)) return EVERYTHING;
    // Only folders on the way to a pattern's fixed beginning, or beyond it, can hold a match.
    const onTheWay = this.#prefixes.some(
      (prefix) =>
        prefix === "" || prefix.startsWith(`${path}/`) || `${path}/`.startsWith(`${prefix}/`),
    );
    return { take: false, descend: onTheWay };
  }

  #gitIgnores(path: string): boolean {
    let ignored = false;
    for (const { base, rules } of this.#git ?? []) {
      if (!path.startsWith(base) || path.length === base.length) continue;
      const verdict = rules.test(path.slice(base.length));
      if (verdict.ignored) ignored = true;
      else if (verdict.unignored) ignored = false;
    }
    return ignored;
  }
}

/** Patterns are relative to the tree, with or without a leading slash. */
function clean(patterns: readonly string[] = []): string[] {
  return patterns
    .map((pattern) =>
      pattern
        .trim()
        .replace(/^(!?)(?:\.?\/)+/, "$1")
        .replace(/(.)\/+$/, "$1"),
    )
    .filter((pattern) => pattern !== "" && pattern !== "!");
}
