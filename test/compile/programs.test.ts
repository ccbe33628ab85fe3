import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Copy {
  /** Writes a file of the copy. */
  readonly put: (name: string, text: string) => Promise<void>;
  readonly run: (...words: string[]) => Promise<{ code: unknown; stdout: string; stderr: string }>;
  /** Folders of compiled programs. */
  readonly compiled: string;
}

/** A working copy with programs of three lines and the project's own way to start them. */
async function withCopy(work: (copy: Copy) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "slipway-programs-"));
  const put: Copy["put"] = async (name, content) => {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  };
  try {
    await cp(join(ROOT, "ci/compile"), join(root, "ci/compile"), { recursive: true });
    await cp(join(ROOT, "ci/cli/slipway.mjs"), join(root, "ci/cli/slipway.mjs"));
    await mkdir(join(root, "node_modules"));
    for (const name of await readdir(join(ROOT, "node_modules")))
      if (name !== ".cache")
        await symlink(join(ROOT, "node_modules", name), join(root, "node_modules", name));
    await put("package.json", JSON.stringify({ type: "module" }));
    await put("package-lock.json", "{}");
    await put("src/word.ts", `export const word: string = "one";\n`);
    await put(
      "ci/cli/main.ts",
      `import { word } from "../../src/word.js";\nconsole.log(word, import.meta.url, process.argv.slice(2).join());\n`,
    );
    await put("ci/engine/main.ts", "export {};\n");
    await put("ci/engine/admin.ts", "export {};\n");
    const run: Copy["run"] = async (...words) => {
      const child = spawn(process.execPath, [join(root, "ci/cli/slipway.mjs"), ...words], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const code = new Promise((resolve) => child.once("close", resolve));
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      return { code: await code, stdout: stdout.replaceAll(root, "").trim(), stderr };
    };
    await work({ put, run, compiled: join(root, "node_modules/.cache/slipway/programs") });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const test = suite("programs, compiled");

test("run_as_their_sources_are_now", async () => {
  await withCopy(async ({ put, run, compiled }) => {
    const first = await run("a", "b");
    assert.is(first.stdout, "one file:///ci/cli/main.ts a,b", first.stderr);
    assert.is((await run("a")).stdout, "one file:///ci/cli/main.ts a");
    assert.is((await readdir(compiled)).length, 1);
    await put("src/word.ts", `export const word: string = "another";\n`);
    assert.is((await run()).stdout, "another file:///ci/cli/main.ts");
  });
});

test("are_compiled_whole_or_not_at_all_when_several_start_at_once", async () => {
  await withCopy(async ({ run, compiled }) => {
    const runs = await Promise.all([run("1"), run("2"), run("3")]);
    assert.equal(
      runs.map(({ stdout, stderr }) => stdout || stderr),
      ["1", "2", "3"].map((word) => `one file:///ci/cli/main.ts ${word}`),
    );
    assert.is((await readdir(compiled)).length, 1);
  });
});

test("fail_with_the_place_of_a_mistake_and_run_once_it_is_mended", async () => {
  await withCopy(async ({ put, run }) => {
    await put("src/word.ts", "export const = 1;\n");
    const { code, stderr } = await run();
    assert.is(code, 1);
    assert.match(stderr, "src/word.ts:1:13");
    await put("src/word.ts", `export const word = "mended";\n`);
    assert.is((await run()).stdout, "mended file:///ci/cli/main.ts");
  });
});

test("that_nobody_used_for_a_week_are_removed", async () => {
  await withCopy(async ({ put, run, compiled }) => {
    await run();
    const [old = ""] = await readdir(compiled);
    const longAgo = new Date(Date.now() - 8 * 24 * 3600_000);
    await utimes(join(compiled, old), longAgo, longAgo);
    await put("src/word.ts", `export const word = "new";\n`);
    await run();
    const left = await readdir(compiled);
    assert.is(left.length, 1);
    assert.is.not(left[0], old);
  });
});

test.run();
