/**
 * Imports point one way: `src/index → src/stages → src/core`, `src` never to `ci`, and the rooms of
 * the embedded engine only downwards. Exits 1 naming each import that goes elsewhere.
 */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** Room → where it may import values from, besides itself; types may come from anywhere but `never`. */
interface Rule {
  room: string;
  mayImport: readonly string[];
  /** Not even types. */
  never?: readonly string[];
}

const DAGGER = "@dagger.io/dagger";

/** The first rule whose room a file is in holds for it. */
const RULES: readonly Rule[] = [
  { room: "src/core/", mayImport: [], never: ["src/", "ci/", DAGGER] },
  { room: "src/stages/", mayImport: ["src/core/", "src/images", DAGGER], never: ["ci/"] },
  { room: "src/", mayImport: [DAGGER], never: ["ci/"] },
  { room: "ci/engine/store/", mayImport: [], never: ["src/", "ci/cli/", "ci/sandbox/"] },
  { room: "ci/engine/graph/", mayImport: [], never: ["src/", "ci/cli/", "ci/sandbox/"] },
  { room: "ci/engine/images/", mayImport: ["ci/engine/store/"], never: ["src/", "ci/cli/"] },
  { room: "ci/engine/exec/", mayImport: ["ci/engine/store/"], never: ["src/", "ci/cli/"] },
  {
    room: "ci/engine/",
    mayImport: ["ci/compile/", DAGGER],
    never: ["src/", "ci/cli/", "ci/sandbox/"],
  },
  { room: "ci/compile/", mayImport: [], never: ["src/", "ci/cli/", "ci/engine/", "ci/sandbox/"] },
  { room: "ci/report/", mayImport: ["src/core/"], never: ["ci/cli/", "ci/engine/", "ci/sandbox/"] },
  { room: "ci/sandbox/", mayImport: [], never: ["src/", "ci/cli/", "ci/engine/"] },
];

const IMPORT = /^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/gm;

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** What an import names: a path from the root of the repository, or a package. */
function targetOf(file: string, specifier: string): string {
  return specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : specifier;
}

function isOurs(target: string): boolean {
  return target.startsWith("src/") || target.startsWith("ci/") || target === DAGGER;
}

async function wrongImports(file: string): Promise<string[]> {
  const rule = RULES.find(({ room }) => file.startsWith(room));
  if (rule === undefined) return [];
  const source = await readFile(join(root, file), "utf8");
  return [...source.matchAll(IMPORT)].flatMap(([, type, named, loaded]) => {
    const target = targetOf(file, named ?? loaded ?? "");
    const within = (places: readonly string[]): boolean =>
      places.some((place) => target.startsWith(place));
    if (!isOurs(target) || within([rule.room])) return [];
    const allowed = within(rule.mayImport) || (type !== undefined && !within(rule.never ?? []));
    return allowed ? [] : [`${file} imports ${target}; ${rule.room} must not`];
  });
}

const files = (
  await Promise.all(
    ["src", "ci"].map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true });
      return names.filter((name) => name.endsWith(".ts")).map((name) => join(folder, name));
    }),
  )
).flat();
const wrong = (await Promise.all(files.map(wrongImports))).flat();
for (const line of wrong.sort()) console.log(line);
process.exitCode = wrong.length > 0 ? 1 : 0;
