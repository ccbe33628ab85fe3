import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sameName } from "../names.js";
import { hostPath, isRemote } from "./addresses.js";
import type { Step } from "./parse.js";
import type { Value } from "./values.js";

/**
 * What the module says of arguments that are missing, half or malformed. An error comes through an
 * engine as text alone, so that its words are what its kind is known by; a test holds them to these.
 */
const ARGUMENTS = [
  /\bThe configuration has (a mistake|\d+ mistakes)\b/,
  /\b(Nothing was published|The credentials are not complete); missing: /,
  /\b(What to sign with|The signing key \(|Signing without a key|The token \(|The key \S+:\/\/).*cannot be used\b/,
  /\bThe signing key cannot be used for a release\b/,
  /\bdoes not open the signing key\b/,
  /\bNothing was published: .* cannot be a tag\b/,
  /\b(There is no key to verify with|The key to verify with cannot be used)\b/,
  /\bhas no digest: sign and attest\b/,
  /\b(is nothing that is attested here|The predicate \(--predicate\) has to be)\b/,
  /\bThere is no cluster to go to\b/,
  /\bThe kubeconfig \(.*\) cannot be used\b/,
] as const;

/** Whether the module said that what it was given is at fault. */
export function argumentMistake(message: string): boolean {
  return ARGUMENTS.some((said) => said.test(message));
}

/**
 * Whether the project that was given is at fault, by Slipway's own pure rules: a module's error
 * comes as text alone, which does not say whose fault it was. Only asked when a call failed.
 */
export async function projectMistake(steps: readonly Step[]): Promise<boolean> {
  const [constructor] = steps;
  const args = constructor?.args ?? new Map<string, Value>();
  const source = args.get("source");
  const isOurs = constructor?.fn.args.some(({ name }) => name === "set") ?? false;
  if (source?.kind !== "address" || !isOurs) return false;
  const { CHECK_NAMES } = await import("../../../src/core/check.js");
  const wrongCheck = steps
    .flatMap((step) => texts(step.args.get("only")))
    .some((name) => !CHECK_NAMES.some((known) => sameName(name, known)));
  if (wrongCheck) return true;
  // What lies elsewhere was not looked at.
  if (isRemote(source.address)) return false;
  const { resolveConfig } = await import("../../../src/core/config/resolve.js");
  const { detectProject, filesToRead } = await import("../../../src/core/project/detect.js");
  const { SlipwayError } = await import("../../../src/core/errors.js");
  const folder = join(hostPath(source.address), texts(args.get("folder"))[0] ?? ".");
  const paths = await filesIn(folder);
  const wanted = ["pyproject.toml", ...filesToRead(paths)].filter((path) => paths.includes(path));
  const entries = wanted.map(
    async (path) => [path, await readFile(join(folder, path), "utf8")] as const,
  );
  try {
    const contents = Object.fromEntries(await Promise.all(entries));
    const pairs = texts(args.get("environment")).map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
    const { config } = resolveConfig({
      pyproject: contents["pyproject.toml"],
      env: Object.fromEntries(pairs),
      set: texts(args.get("set")),
    });
    detectProject({ paths, contents }, config);
    return false;
  } catch (error) {
    return error instanceof SlipwayError;
  }
}

function texts(value: Value | undefined): string[] {
  if (value?.kind === "list") return value.items.flatMap(texts);
  return value?.kind === "literal" ? [JSON.parse(value.text) as string] : [];
}

/** What is at most two folders deep, or three below `src`: what the module looks at. */
async function filesIn(folder: string): Promise<string[]> {
  const names = async (path: string) => {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(() => []);
    return entries.map((entry) => ({
      path: join(path, entry.name),
      isFolder: entry.isDirectory(),
    }));
  };
  const top = await names(".");
  const second = await Promise.all(
    top.filter(({ isFolder }) => isFolder).map(({ path }) => names(path)),
  );
  const below = second.flat().filter(({ path, isFolder }) => isFolder && path.startsWith("src/"));
  const third = await Promise.all(below.map(({ path }) => names(path)));
  return [...top, ...second.flat(), ...third.flat()].map(({ path }) => path);
}
