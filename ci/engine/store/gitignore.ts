import { patternToRegExp } from "./patterns.js";

/** A line of a .gitignore file. */
interface Rule {
  /** The parts of its path; one that has no slash is a name at any depth. */
  readonly parts: readonly (RegExp | "**" | undefined)[];
  readonly isPath: boolean;
  readonly foldersOnly: boolean;
  readonly ignores: boolean;
}

/**
 * The .gitignore files of a tree, as Dagger reads them (with go-git): the last rule that matches decides. So
 * a rule may take back something of a folder that another one ignores, which git itself does not allow.
 */
export class GitRules {
  readonly #files: { readonly folder: readonly string[]; readonly rules: readonly Rule[] }[] = [];

  /** @param folder The file's folder, relative to where paths begin; `""` is that itself. */
  add(folder: string, text: string): void {
    const lines = text.split("\n").map(trimmed);
    const rules = lines.filter((line) => line !== "" && !line.startsWith("#")).map(ruleOf);
    this.#files.push({ folder: folder === "" ? [] : folder.split("/"), rules });
  }

  ignores(path: string, isFolder: boolean): boolean {
    const parts = path.split("/");
    for (const { folder, rules } of this.#files.toReversed()) {
      if (parts.length <= folder.length || folder.some((name, at) => name !== parts[at])) continue;
      const below = parts.slice(folder.length);
      const rule = rules.findLast((each) =>
        each.isPath ? matchesPath(each, below, isFolder) : matchesName(each, below, isFolder),
      );
      if (rule) return rule.ignores;
    }
    return false;
  }
}

/** A byte order mark is no space to Go. */
function trimmed(line: string): string {
  return line.replace(/^[^\S\uFEFF]+|[^\S\uFEFF]+$/g, "");
}

function ruleOf(line: string): Rule {
  const ignores = !line.startsWith("!");
  const pattern = ignores ? line : line.slice(1);
  const foldersOnly = pattern.endsWith("/");
  const path = foldersOnly ? pattern.slice(0, -1) : pattern;
  const isPath = path.includes("/");
  const names = path.split("/").filter((name) => name !== "");
  const parts = names.map((name) => (isPath && name === "**" ? name : nameOf(name, isPath)));
  return { parts, isPath, foldersOnly, ignores };
}

/** undefined where it matches nothing. */
function nameOf(part: string, isPath: boolean): RegExp | undefined {
  if (isPath && part.includes("**")) return undefined;
  try {
    return patternToRegExp(part.replaceAll("**", "*"));
  } catch {
    return undefined;
  }
}

/** A name ignores all that is below a folder of that name. */
function matchesName({ parts, foldersOnly }: Rule, path: readonly string[], isFolder: boolean) {
  const [name] = parts;
  if (!(name instanceof RegExp)) return false;
  const at = path.findIndex((each) => name.test(each));
  return at >= 0 && (!foldersOnly || isFolder || at < path.length - 1);
}

/** So does a path, of which `**` stands for any number of folders, none among them. */
function matchesPath({ parts, foldersOnly }: Rule, path: readonly string[], isFolder: boolean) {
  let at = 0;
  let matched = false;
  let anywhere = false;
  for (const [index, part] of parts.entries()) {
    if (part === "**") {
      if (index === parts.length - 1) break;
      anywhere = true;
      continue;
    }
    const rest = path.slice(at);
    const found = part ? rest.findIndex((name) => part.test(name)) : -1;
    if (found < 0 || (found > 0 && !anywhere)) return false;
    at += found + 1;
    matched = true;
    anywhere = false;
  }
  return matched && (!foldersOnly || isFolder || at < path.length);
}
