/**
 * Makes src/core/report/page.html, the page that the module fills, out of ci/report/page. It is
 * committed: the module has no bundler at run time.
 *
 *     tsx ci/report/build.ts [--check]
 *
 * `--check` writes nothing and exits 1 when the committed page is another.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const PAGE = fileURLToPath(new URL("../../src/core/report/page.html", import.meta.url));
const SOURCES = new URL("page/", import.meta.url);

/** The page as its sources have it. */
async function pageOf(): Promise<string> {
  const [script, style, template] = await Promise.all([
    bundle("main.ts"),
    bundle("page.css"),
    readFile(new URL("page.html", SOURCES), "utf8"),
  ]);
  // Only this script and this style may run or apply, and nothing may be loaded.
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const parts: Readonly<Record<string, string>> = { policy, style, script };
  return template.replace(/\{\{([a-z]+)\}\}/g, (place, name: string) => parts[name] ?? place);
}

async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, SOURCES))],
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    format: "iife",
    // Browsers of 2024: they know light-dark().
    target: ["chrome123", "firefox120", "safari17.5"],
    legalComments: "none",
  });
  return outputFiles[0]?.text.trim() ?? "";
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const made = await pageOf();
if (process.argv.includes("--check")) {
  const committed = await readFile(PAGE, "utf8").catch(() => "");
  if (committed !== made) {
    console.error(
      "src/core/report/page.html is not what ci/report builds: npx tsx ci/report/build.ts",
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(PAGE, made);
  console.log(`src/core/report/page.html: ${(made.length / 1024).toFixed(1)} KiB`);
}
