import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { placeForReports } from "../../ci/cli/reports.js";

const test = suite("cli/reports", { folder: "", before: "" });

test.before.each(async (context) => {
  context.before = process.cwd();
  context.folder = await mkdtemp(join(tmpdir(), "slipway-reports-"));
  process.chdir(context.folder);
});
test.after.each(async ({ folder, before }) => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

const MINUTE = 60_000;

/** The folder of a run that showed itself the last time so many minutes ago. */
async function left(folder: string, name: string, minutes: number): Promise<string> {
  const path = join(folder, ".slipway", name);
  await mkdir(join(path, "reports"), { recursive: true });
  await writeFile(join(path, "reports", "report.json"), "{}");
  const then = new Date(Date.now() - minutes * MINUTE);
  await utimes(path, then, then);
  return path;
}

test("removes what a killed run left and nothing of one that runs", async ({ folder }) => {
  const killed = await left(folder, "new-killed", 11);
  const running = await left(folder, "new-running", 9);
  const reports = await left(folder, "reports", 10_000);
  const place = await placeForReports(undefined);
  assert.equal([killed, running, reports].map(existsSync), [false, true, true]);
  await place?.forget();
  assert.equal((await readdir(join(folder, ".slipway"))).sort(), [
    ".gitignore",
    "new-running",
    "reports",
  ]);
});

test.run();
