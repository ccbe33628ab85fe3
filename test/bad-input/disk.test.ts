// A cache on a disk that is too small.
import { writeFile } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { scratch } from "../e2e/support/project.js";
import { openSession } from "../e2e/support/session.js";

const MIB = 1 << 20;
const folder = await scratch();
const session = await openSession({ cache: folder.path, disk: 64 * MIB });

const test = suite("full disk");
test.after(async () => {
  await session.close();
  await folder.forget();
});

async function run(script: string): Promise<string> {
  const { container } = await session.query<{
    container: { from: { withExec: { stdout: string } } };
  }>(
    `{ container { from(address: "docker.io/library/busybox:stable") {
      withExec(args: ["sh", "-c", ${JSON.stringify(script)}]) { stdout }
    } } }`,
  );
  return container.from.withExec.stdout;
}

const message = (work: Promise<string>): Promise<string> =>
  work.then(
    (text) => `no error: ${text}`,
    (error: unknown) => (error as Error).message,
  );

test("works_while_there_is_room", async () => {
  assert.is(await run("echo room"), "room\n");
});

test("says_that_the_disk_is_full_and_where", async () => {
  // A file of the machine's that is larger than the disk goes into the store.
  const big = await scratch();

  await writeFile(`${big.path}/big`, Buffer.alloc(100 * MIB, "x"));
  const said = await message(
    session
      .query(`{ host { directory(path: ${JSON.stringify(big.path)}) { entries digest } } }`)
      .then(() => "imported"),
  );
  await big.forget();
  assert.match(said, /The disk is full/);
  assert.ok(said.includes(folder.path), said);
  assert.match(said, /slipway engine prune/);
});

test("fails_a_command_that_fills_the_disk_with_its_own_words", async () => {
  const said = await message(run("dd if=/dev/zero of=/big bs=1M count=200 2>&1"));
  assert.match(said, /No space left|disk is full|exit code/i);
});

test("goes_on_afterwards", async () => {
  assert.is(await run("echo again; ls /big 2>/dev/null || true"), "again\n");
});

test.run();
