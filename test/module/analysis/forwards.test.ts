// What a way to a pod tells of kubectl when it ends: a stand-in for kubectl that ends as told.
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const HELPERS = fileURLToPath(new URL("../../../src/stages/python", import.meta.url));

/** Keeps a way for some seconds and prints its breaks. */
const KEEP = `
import json, sys, time
from forwards import Way
breaks = []
way = Way(0, "shop", "orders-1", 8000, breaks.append)
time.sleep(float(sys.argv[1]))
way.close()
print(json.dumps([one["said"] for one in breaks]))
`;

const test = suite<{ folder: string }>("forwards.py");
test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "slipway-forwards-"));
});
test.after.each(async ({ folder }) => {
  await rm(folder, { recursive: true });
});

/** What a way told of a kubectl that does this, and how often that was started. */
async function kept(
  folder: string,
  script: string,
  seconds: number,
): Promise<{ said: string[]; starts: number }> {
  const kubectl = join(folder, "kubectl");
  await writeFile(kubectl, `#!/bin/sh\necho >> ${folder}/starts\n${script}\n`);
  await chmod(kubectl, 0o755);
  const { stdout } = await promisify(execFile)("python3", ["-c", KEEP, String(seconds)], {
    env: { ...process.env, PYTHONPATH: HELPERS, PATH: `${folder}:${process.env.PATH ?? ""}` },
  });
  const starts = (await readFile(join(folder, "starts"), "utf8")).length;
  return { said: JSON.parse(stdout) as string[], starts };
}

test("tells_what_was_said_at_the_end_and_nothing_of_long_before", async ({ folder }) => {
  const script = `
echo "Forwarding from 127.0.0.1:4001 -> 8000"
echo "failed to connect to localhost:8000 inside namespace" >&2
sleep 2.5
echo "error: lost connection to pod" >&2
exit 1`;
  const { said } = await kept(folder, script, 4);
  assert.is(said[0], "error: lost connection to pod");
});

test("gives_a_way_up_when_its_pod_has_ended_and_no_other", async ({ folder }) => {
  for (const gone of [
    'Error from server (NotFound): pods "orders-1" not found',
    "error: unable to forward port because pod is not running. Current status=Failed",
  ]) {
    const { said, starts } = await kept(folder, `echo '${gone}' >&2; exit 1`, 1.5);
    assert.equal(said, [gone]);
    assert.is(starts, 1);
    await rm(join(folder, "starts"));
  }
  const away = 'error: getting credentials: exec: "aws": executable file not found';
  assert.ok((await kept(folder, `echo '${away}' >&2; exit 1`, 1.5)).starts > 1);
});

test.run();
