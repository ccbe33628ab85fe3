import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { locate, mountAt } from "../../../ci/engine/exec/paths.js";

const test = suite("paths of containers");
let root: string;

test.before(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-paths-"));
  await mkdir(join(root, "a/b"), { recursive: true });
  await writeFile(join(root, "a/file"), "");
  await symlink("/a/b", join(root, "absolute"));
  await symlink("../../../../../etc", join(root, "a/up"));
  await symlink("loop", join(root, "loop"));
});
test.after(() => rm(root, { recursive: true, force: true }));

test("follows absolute links inside of the root", async () => {
  assert.equal(await locate(root, "/absolute/x/y"), { path: "a/b", missing: ["x", "y"] });
});

test("no number of .. leads out of the root", async () => {
  assert.equal(await locate(root, "/../../a/../../a/b"), { path: "a/b", missing: [] });
  assert.equal(await locate(root, "/a/up/passwd"), { path: "", missing: ["etc", "passwd"] });
});

test("rejects_ways_through_files_and_circles", async () => {
  for (const [path, message] of [
    ["/a/file/x", /is not a directory/],
    ["/loop", /too many levels/],
  ] as const) {
    const error = await locate(root, path).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    assert.match(error?.message ?? "resolved", message);
  }
});

test("the deepest mount that a path lies in is found", () => {
  const targets = ["/src", "/src/deep/", "/srcs"];
  assert.equal(mountAt(targets, "/src/deep/er"), [1, "/er"]);
  assert.equal(mountAt(targets, "/src/deeper"), [0, "/deeper"]);
  assert.is(mountAt(targets, "/sr"), undefined);
});

test.run();
