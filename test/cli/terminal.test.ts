// The list of steps in a real terminal: what it shows on the way, and what it leaves.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { BIN, PROBE } from "./command.js";

const test = suite("progress in a terminal");
const folder = await mkdtemp(join(tmpdir(), "slipway-terminal-"));
test.after(() => rm(folder, { recursive: true }));

/** Everything that a command writes to a terminal of 100 columns. */
async function written(words: readonly string[]): Promise<string> {
  const command = [process.execPath, BIN, ...words].map((word) => `'${word}'`).join(" ");
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, SLIPWAY_CACHE: join(folder, "cache"), TERM: "xterm", NO_COLOR: "1" };
  return await new Promise((resolve) => {
    const args = ["-qec", `stty cols 100 rows 40; ${command}`, "/dev/null"];
    execFile("script", args, { cwd: folder, env }, (_, stdout) => {
      resolve(stdout);
    });
  });
}

/** The lines that are on the screen in the end: the cursor goes up, and what is below is erased. */
function screen(output: string): string[] {
  const lines = [""];
  let row = 0;
  for (const [part, up] of output.matchAll(
    /\u001b\[(\d+)A|\u001b\[0J|\r?\n|\r|[^\u001b\r\n]+|\u001b/g,
  )) {
    if (up !== undefined) row -= Number(up);
    else if (part === "\u001b[0J") lines.splice(row, lines.length, "");
    else if (part.endsWith("\n")) lines[++row] ??= "";
    else if (part !== "\r") lines[row] = (lines[row] ?? "") + part;
  }
  return lines.filter((line) => line !== "");
}

test("shows_what_runs_and_leaves_what_failed_with_its_end_and_a_tally", async () => {
  const output = await written([
    ...["call", "--engine", "embedded", "--mod", PROBE, "reject", "--reason", "no such luck"],
  ]);
  assert.match(output, /● .*probe/, "the list was never drawn");
  assert.match(output, /\u001b\[\d+A\r\u001b\[0J/, "the list was never redrawn");
  const left = screen(output);
  assert.not.ok(
    left.some((line) => line.includes("●")),
    left.join("\n"),
  );
  assert.is(left.filter((line) => line.includes("✗ probe.reject")).length, 1, left.join("\n"));
  assert.is(left.filter((line) => /^steps: .*1 failed/.test(line)).length, 1, left.join("\n"));
  assert.match(left.join("\n"), "no such luck");
});

test("leaves_the_result_whole", async () => {
  const output = await written([
    ...["call", "--engine", "embedded", "--mod", PROBE, "join", "--words", "a,b"],
  ]);
  const left = screen(output);
  assert.ok(left.includes("a+b"), left.join("\n"));
  assert.is(left.filter((line) => line.startsWith("steps: ")).length, 1, left.join("\n"));
});

test.run();
