/**
 * Lints the GitHub workflows with actionlint (mistakes) and zizmor (security), both pinned, zizmor
 * without network. Exits 1 when either finds something.
 *
 *     tsx ci/lint/workflows.ts [FILE ...]
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { cachePath, makeFolder, withLock } from "../sandbox/cache.js";
import { run } from "../sandbox/run.js";
import { ensureTool } from "../sandbox/tools.js";

const ZIZMOR = "1.32.0";
const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Installs zizmor from its wheel into a folder of its own, once. */
async function ensureZizmor(): Promise<string> {
  const folder = cachePath("tools", `zizmor@${ZIZMOR}`);
  const program = join(folder, "bin", "zizmor");
  await withLock("tool-zizmor", async () => {
    if (existsSync(program)) return;
    console.log(`zizmor ${ZIZMOR}: installing …`);
    await makeFolder(folder, async (draft) => {
      await run(
        "python3",
        ["-m", "pip", "install", "--quiet", "--no-deps", "--target", draft, `zizmor==${ZIZMOR}`],
        { hint: "It needs pip (Debian: python3-pip) and a package index that pip reaches." },
      );
    });
  });
  return program;
}

async function workflows(): Promise<string[]> {
  const folder = join(".github", "workflows");
  const names = await readdir(join(ROOT, folder));
  return names.filter((name) => /\.ya?ml$/.test(name)).map((name) => join(folder, name));
}

/** Runs a linter with its output on the terminal; gives whether it found nothing. */
function passes(program: string, args: string[]): boolean {
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: "inherit" });
  if (error) throw error;
  return status === 0;
}

const given = process.argv.slice(2);
const files = given.length > 0 ? given : await workflows();
const actionlint = await ensureTool("actionlint", console.log);
const zizmor = await ensureZizmor();
// shellcheck and pyflakes are used where a machine happens to have them; the answer must not depend on that.
const clean = [
  passes(actionlint, ["-shellcheck=", "-pyflakes=", ...files]),
  passes(zizmor, ["--offline", "--quiet", "--no-progress", "--persona=pedantic", ...files]),
];
process.exitCode = clean.every(Boolean) ? 0 : 1;
